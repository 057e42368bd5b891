"""Tasks of several forms, and more than fit in one array, learned some at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.methods import pieces
from softshare.methods.named import method_named
from softshare.methods.pieces import LearnedPieces, forms, small_pieces
from softshare.tasks.task_set import TaskSet
from tests.methods.made_schools import FEW_STEPS, parts


def assays(rows: int = 40, *, of_kinds: bool = True) -> TaskSet:
    """Four targets of the same rows, two of them yes or no, with labels missing."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(rows, 3))
    values = inputs @ random.normal(size=(3, 4)) + 0.3 * random.normal(size=(rows, 4))
    targets = {}
    for number, name in enumerate(("dose", "toxic", "weight", "soluble")):
        column = values[:, number].astype(object)
        if of_kinds and number % 2:
            column = (values[:, number] > 0).astype(object)
        column[number::9] = None
        targets[name] = column
    return TaskSet.from_shared_inputs(inputs, targets)


def test_tasks_of_one_form_make_a_piece_and_large_pieces_are_divided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tasks = assays()
    assert forms(tasks) == small_pieces(tasks) == [[0, 2], [1, 3]]
    monkeypatch.setattr(pieces, "MOST_NUMBERS", 110)
    assert small_pieces(tasks) == [[0], [2], [1], [3]]
    monkeypatch.setattr(pieces, "MOST_NUMBERS", 1)
    assert small_pieces(tasks) == [[0], [2], [1], [3]]


@pytest.mark.parametrize("name", ["ridge", "boosted-apart", "kernel-apart", "auto"])
def test_targets_of_several_kinds_are_learned_and_kept(name: str) -> None:
    train, validation, test = parts(assays())
    method = method_named(name)
    assert method.unsuitable(train) is None
    options = {"preset": "quick"} if name == "auto" else {}
    settings = replace(FEW_STEPS, method=name, method_options=options)
    learned = method.learn(train, validation, settings)
    assert isinstance(learned, LearnedPieces)
    outputs = learned.predict(test)
    assert [len(rows) for rows in outputs] == test.n_examples.tolist()
    assert learned.out_of_fold is not None
    assert [len(rows) for rows in learned.out_of_fold] == train.n_examples.tolist()
    # The same tasks in another order, and the same from what was kept.
    turned = learned.predict(test.keep_tasks([3, 0]))
    np.testing.assert_allclose(turned[0], outputs[3])
    np.testing.assert_allclose(turned[1], outputs[0])
    again = method.restore(learned.state(), train)
    for rows, wanted in zip(again.predict(test), outputs, strict=True):
        np.testing.assert_allclose(rows, wanted)


def test_a_piece_is_learned_as_it_would_be_without_the_others() -> None:
    train, validation, test = parts(assays())
    ridge = method_named("ridge")
    numbers = train.keep_tasks([0, 2])
    alone = ridge.learn(numbers, validation, FEW_STEPS).predict(test.keep_tasks([0, 2]))
    together = ridge.learn(train, validation, FEW_STEPS).predict(test)
    np.testing.assert_allclose(together[0], alone[0])
    np.testing.assert_allclose(together[2], alone[1])


def test_a_task_that_no_piece_has_learned_is_refused_by_name() -> None:
    train, validation, test = parts(assays())
    some = train.keep_tasks([0, 1])
    learned = method_named("ridge").learn(some, validation, FEW_STEPS)
    with pytest.raises(KeyError, match="no task 'weight'"):
        learned.predict(test.keep_tasks([2]))


def test_auto_weighs_what_serves_tasks_that_see_the_same_rows() -> None:
    train, validation, test = parts(assays(of_kinds=False))
    settings = replace(FEW_STEPS, method="auto")
    learned = method_named("auto").learn(train, validation, settings)
    assert set(learned.decided["weights"]) <= {
        "ridge",
        "boosted-apart",
        "kernel-apart",
        "mixed-model",
        "linear-evgeniou-pontil",
        "linear-trace-norm",
        "tensor-train",
    }
    errors = np.concatenate(learned.predict(test))[:, 0] - test.targets
    assert errors.std() < 0.6 * test.targets.std()


def test_small_images_are_rows_of_pixels_to_contestants() -> None:
    random = np.random.default_rng(0)
    images = random.normal(size=(60, 1, 8, 8)).astype(np.float32)
    labels = images[:, 0, 2, 3] > 0
    names = ("left", "right")
    tasks = TaskSet.from_shared_inputs(images, {name: labels.astype(int) for name in names})
    train, validation, test = parts(tasks)
    settings = replace(FEW_STEPS, method="auto", method_options={"preset": "quick"})
    learned = method_named("auto").learn(train, validation, settings)
    right = (np.concatenate(learned.predict(test))[:, 0] > 0) == test.targets
    assert right.mean() > 0.6
    large = TaskSet.from_arrays({"a": (np.zeros((4, 1, 28, 28)), np.arange(4) % 2)})
    assert method_named("ridge").unsuitable(large) == "inputs are no vectors"


def test_numbers_of_pieces_add_up_where_all_have_some_to_count() -> None:
    train, validation, _ = parts(assays())
    ridge, boosted = (
        method_named(name).learn(train, validation, replace(FEW_STEPS, method=name))
        for name in ("ridge", "boosted-apart")
    )
    assert isinstance(ridge, LearnedPieces)
    assert isinstance(boosted, LearnedPieces)
    counts = [learned.n_parameters for learned in ridge.learned]
    assert len(counts) > 1
    assert ridge.n_parameters == sum(counts) > 0  # type: ignore[arg-type]
    mixed = replace(ridge, learned=[ridge.learned[0], boosted.learned[1]])
    assert boosted.learned[1].n_parameters is None
    assert mixed.n_parameters is None
