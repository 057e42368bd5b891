"""What every contestant says of its own training rows, each held out."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.methods.estimators import ESTIMATORS
from softshare.shallow.folds import chosen_by_folds, fold_of_rows, search_by_folds
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.rows import checked_rows


def made_rows(kind: str, n_tasks: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sixteen rows a task, of which the inputs tell something."""
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(n_tasks), 16)
    inputs = generator.normal(size=(len(tasks), 3))
    targets = inputs[:, 0] + 0.5 * (tasks % 2) + generator.normal(size=len(tasks))
    if kind == "binary":
        targets = (targets > 0).astype(float)
    elif kind == "multiclass":
        targets = np.digitize(targets, (-0.5, 1)).astype(float)
    return inputs, targets, tasks


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        "ridge",
        "pooled-ridge",
        "mixed-model",
        "boosted",
        "linear-evgeniou-pontil",
        "linear-trace-norm",
    ],
)
def test_a_row_s_own_target_has_no_part_in_what_is_said_of_it(name: str, grouped: bool) -> None:
    inputs, targets, tasks = made_rows("regression")
    groups = np.arange(len(tasks)) // 2 if grouped else None
    rows = checked_rows(inputs, targets, tasks, groups, kind="regression")
    own = fold_of_rows(rows, 5, 0) == fold_of_rows(rows, 5, 0)[3]
    before = ESTIMATORS[name]("regression", random_state=0).fit(inputs, targets, tasks, groups)
    targets[3] += 0.01
    after = ESTIMATORS[name]("regression", random_state=0).fit(inputs, targets, tasks, groups)
    moved = np.abs(before.held_out_ - after.held_out_)
    # Where rows come in groups a mixed model scales variances that a likelihood of all rows gives.
    most = 0.2 * 0.01 if name == "mixed-model" and grouped else 1e-5
    assert moved[own].max() < most
    assert moved[~own].max() > 1e-5


@pytest.mark.parametrize("kind", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize(
    "name",
    [
        "ridge",
        "pooled-ridge",
        "mixed-model",
        "boosted",
        "boosted-apart",
        "forest",
        "forest-apart",
        "kernel-apart",
        "gp",
        "linear-evgeniou-pontil",
        "linear-trace-norm",
    ],
)
def test_held_out_outputs_have_the_form_of_predictions(name: str, kind: str) -> None:
    inputs, targets, tasks = made_rows(kind, n_tasks=3)
    # A task of one row has no other rows to learn from.
    inputs, tasks = np.vstack([inputs, inputs[:1]]), np.append(tasks, 3)
    targets = np.append(targets, 0.0)
    model = ESTIMATORS[name](kind, n_folds=2).fit(inputs, targets, tasks)
    assert model.held_out_.shape == model.predict(inputs, tasks).shape
    assert np.isfinite(model.held_out_).all()


def test_a_gaussian_process_without_a_fold_is_one_of_the_other_rows() -> None:
    inputs, targets, tasks = made_rows("regression")
    model = GaussianProcess().fit(inputs, targets, tasks)
    rows = checked_rows(inputs, targets, tasks, None, kind="regression")
    held = fold_of_rows(rows, 5, 0) == 2
    scaled = model.scaling_(inputs)
    same = (tasks[:, None] == tasks).astype(float)
    full = model.kernel_.covariance(scaled, scaled, same)
    noise = model.kernel_.amplitudes[-1]
    of_others = full[np.ix_(~held, ~held)] + noise * np.eye((~held).sum())
    values = (targets - model.centre_) / model.scale_
    by_hand = full[np.ix_(held, ~held)] @ np.linalg.solve(of_others, values[~held])
    wanted = model.centre_ + model.scale_ * by_hand
    np.testing.assert_allclose(model.held_out_[held], wanted, rtol=1e-6)


def test_a_fold_has_no_say_in_its_own_choice() -> None:
    losses = {(1.0,): np.array([0.0, 5.0, 5.0]), (2.0,): np.array([9.0, 4.0, 4.0])}
    choice = chosen_by_folds(losses)
    assert choice.best == (1.0,)
    assert choice.by_others == ((2.0,), (1.0,), (1.0,))


def test_the_search_s_choice_is_that_of_the_sum() -> None:
    def losses(place: float) -> np.ndarray:
        return np.array([(place - 1) ** 2, (place - 3) ** 2])

    choice = search_by_folds(losses, (range(5),), start=(0,))
    assert choice.best == (2,)
    assert choice.by_others == ((3,), (1,))
