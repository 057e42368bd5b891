"""Kernel ridge of each task by itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.kernel_ridge import KernelRidge

from softshare.shallow import kernel_apart
from softshare.shallow.kernel_apart import OF_MEAN, KernelApart


def waves(n_rows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three tasks, each with a wave of its own."""
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(3), n_rows)
    inputs = random.uniform(-2, 2, size=(len(tasks), 2))
    targets = np.sin((1 + tasks) * inputs[:, 0]) + 0.1 * random.normal(size=len(tasks))
    return inputs, 5 * targets - 3, tasks


def test_predictions_are_those_of_kernel_ridge_on_the_task_s_rows() -> None:
    inputs, targets, tasks = waves()
    model = KernelApart().fit(inputs, targets, tasks)
    scaled, near, noise = model.kernel_
    assert scaled == 1.0
    design = (inputs - inputs.mean(axis=0)) / inputs.std(axis=0)
    of_task = tasks == 1
    for rows in (design[of_task], design[~of_task][:20]):
        squares = ((rows[:, None] - design[of_task]) ** 2).sum(axis=-1)
        wanted = np.exp(-near * squares / 4) + OF_MEAN
        own = ((design[of_task][:, None] - design[of_task]) ** 2).sum(axis=-1)
        ridge = KernelRidge(alpha=noise, kernel="precomputed")
        ridge.fit(np.exp(-near * own / 4) + OF_MEAN, targets[of_task] - targets.mean())
        said = model.predict(
            inputs[of_task] if len(rows) == 60 else inputs[~of_task][:20], [1] * len(rows)
        )
        np.testing.assert_allclose(said, targets.mean() + ridge.predict(wanted), atol=1e-6)


def test_curved_functions_are_learned() -> None:
    inputs, targets, tasks = waves(120)
    trains = np.arange(len(tasks)) % 2 == 0
    model = KernelApart().fit(inputs[trains], targets[trains], tasks[trains])
    missed = model.predict(inputs[~trains], tasks[~trains]) - targets[~trains]
    assert missed.std() < 0.3 * targets.std()
    held_out = model.held_out_ - targets[trains]
    assert held_out.std() == pytest.approx(missed.std(), rel=0.3)


def test_held_out_outputs_are_those_of_the_other_rows_alone() -> None:
    inputs, targets, tasks = waves(20)
    model = KernelApart(n_folds=2)
    before = model.fit(inputs, targets, tasks).held_out_
    point = model.kernel_
    targets[4] += 0.01
    after = KernelApart(n_folds=2).fit(inputs, targets, tasks)
    assert after.kernel_ == point
    # The unit of numbers moves with every target, by a millionth.
    assert abs(after.held_out_[4] - before[4]) < 1e-5
    assert np.abs(after.held_out_ - before)[tasks == 0].max() > 1e-4


def test_tasks_that_see_the_same_rows_share_a_kernel() -> None:
    random = np.random.default_rng(1)
    inputs = np.tile(random.normal(size=(30, 4)), (3, 1))
    targets = random.normal(size=90)
    tasks, groups = np.repeat(np.arange(3), 30), np.tile(np.arange(30), 3)
    together = KernelApart().fit(inputs, targets, tasks, groups)
    assert len(together.seen_) == 1
    assert together.duals_[0].shape == (30, 3, 1)
    # One more row of one task, and no two tasks see the same rows: the answers stay what they are.
    more = np.append(np.arange(90), 0)
    alone = KernelApart().fit(inputs[more], targets[more], tasks[more], groups[more])
    assert len(alone.seen_) == 2
    said = [model.predict(inputs[:5], [2] * 5) for model in (together, alone)]
    assert np.corrcoef(*said)[0, 1] > 0.9


def test_more_rows_than_the_limit_are_predicted_by_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kernel_apart, "MOST_ROWS", 40)
    inputs, targets, tasks = waves(120)
    model = KernelApart().fit(inputs, targets, tasks)
    assert [len(rows) for rows in model.seen_] == [40, 40, 40]
    assert (model.held_out_ - targets).std() < 0.5 * targets.std()


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_classes_have_logits_that_tell_them_apart(kind: str) -> None:
    inputs, values, tasks = waves(80)
    targets = np.digitize(values, (-3,) if kind == "binary" else (-6, 0)).astype(float)
    model = KernelApart(kind).fit(inputs, targets, tasks)  # type: ignore[arg-type]
    outputs = model.held_out_
    chosen = outputs > 0 if kind == "binary" else outputs.argmax(axis=1)
    assert np.mean(chosen == targets) > 0.7
