"""Task sets as one: every task keeps its examples, whatever is told of its set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from torch.testing import assert_close

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

NUMBERS = np.random.default_rng(0)


def letters(n_rows: int = 30) -> TaskSet:
    """Two tasks with inputs of their own, of three classes and of two."""
    arrays = {
        name: (NUMBERS.normal(size=(n_rows, 5)), np.arange(n_rows) % n_classes)
        for name, n_classes in (("greek", 3), ("latin", 2))
    }
    return TaskSet.from_arrays(arrays, kinds="multiclass")


def digits(n_rows: int = 40, **given: object) -> TaskSet:
    """Two tasks on the same rows, wider than the letters'."""
    inputs = NUMBERS.normal(size=(n_rows, 7))
    targets = {name: np.arange(n_rows) % (2 + place) == 0 for place, name in enumerate("ab")}
    return TaskSet.from_shared_inputs(inputs, targets, kinds="binary", **given)  # type: ignore[arg-type]


def test_every_task_keeps_its_examples() -> None:
    sets = letters(), digits()
    together = TaskSet.joined(*sets)
    assert together.names == ("greek", "latin", "a", "b")
    number = 0
    for each in sets:
        for own in range(len(each)):
            for found, expected in zip(together.examples(number), each.examples(own), strict=True):
                assert_close(found, expected)
            number += 1


def test_sets_of_different_inputs_and_outputs_are_learned_together() -> None:
    train, validation, _ = letters().joined(digits()).split(seed=0)
    network = MultiTaskNetwork(mlp, train, sharing={"layers.1": Tied(), "*": Tied()})
    history = fit(network, train, validation=validation, steps=5)
    assert np.isfinite([row["train_loss"] for row in history]).all()


def test_parts_of_splits_are_joined_where_sets_are_divided_in_different_ways() -> None:
    of_all = replace(letters(), train_fraction_of_all=True)
    parts = np.repeat(["train", "test"], 20)
    given = digits(parts=parts)
    with pytest.raises(ValueError, match="split each set by itself, and join the parts"):
        of_all.joined(given)
    splits = zip(of_all.split(seed=0, train_fraction=0.5), given.split(seed=0), strict=True)
    joined = []
    for one, other in splits:
        both = replace(one, train_fraction_of_all=False).joined(other)
        assert both.n_examples.tolist() == [*one.n_examples, *other.n_examples]
        assert len(both.preprocessing) == len(both.sources)
        joined.append(both)
    network = MultiTaskNetwork(mlp, joined[0], sharing=Tied())
    fit(network, joined[0], validation=joined[1], steps=2)


def test_names_must_differ() -> None:
    with pytest.raises(ValueError, match=r"several sets have tasks called 'greek', 'latin'"):
        letters().joined(letters())
    together = letters().joined(
        letters().renamed("old "), letters().renamed({"greek": "x", "latin": "y"})
    )
    assert together.names == ("greek", "latin", "old greek", "old latin", "x", "y")
    with pytest.raises(KeyError, match="no task 'z'"):
        letters().renamed({"z": "a"})
    with pytest.raises(ValueError, match="two tasks are called 'latin'"):
        letters().renamed({"greek": "latin"})


def test_prepared_and_raw_sets_are_not_mixed() -> None:
    train, _, _ = letters().split(seed=0)
    with pytest.raises(ValueError, match="some of the sets are prepared"):
        train.joined(digits())


def test_every_set_has_units_of_its_own() -> None:
    rows = NUMBERS.normal(size=(40, 3))
    of_column = TaskSet.from_task_column(
        rows, NUMBERS.normal(size=40), np.repeat(["p", "q"], 20), kind="regression"
    )
    apart = TaskSet.from_arrays({"r": (rows, 1000 * NUMBERS.normal(size=40))}, kinds="regression")
    together = of_column.joined(apart)
    assert together.units is not None
    assert together.units.tolist() == [0, 0, 1]
    train, _, _ = together.split(seed=0)
    scaling = train.target_scaling
    assert scaling is not None
    assert_close(scaling[0], scaling[1])
    assert scaling[2, 1] > 100 * scaling[0, 1]
    assert letters().joined(digits()).units is None


def test_weights_and_groups_follow() -> None:
    weighted = digits(weights=np.arange(1, 41), groups=np.arange(40) // 4)
    together = letters().joined(weighted)
    assert together.weights is not None
    assert together.weights[:60].tolist() == [1.0] * 60
    assert_close(together.weights[60:], weighted.weights)
    assert together.groups[0] is None
    assert together.groups[-1] is weighted.groups[0]
    assert len(together.groups) == len(together.sources)
