"""Trees as arrays: sets of categories, parts that are joined, and rows some at a time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesRegressor

from softshare.shallow import tree_arrays
from softshare.shallow.grown_trees import LinkedNodes, linked, of_forest
from softshare.shallow.tree_arrays import BY_SET, LEAF, MISSING_LEFT, CategorySets, joined


def stump(kind: int, threshold: float) -> LinkedNodes:
    """One division of the first input: 1 on the left and 2 on the right."""
    return LinkedNodes(
        features=np.array([0, LEAF, LEAF]),
        thresholds=np.array([threshold, 0.0, 0.0]),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        kinds=np.array([kind, 0, 0], dtype=np.uint8),
        values=np.array([[0.0], [1.0], [2.0]]),
    )


def test_a_set_holds_its_members_and_nothing_beyond() -> None:
    generator = np.random.default_rng(0)
    tables = [generator.random(size) < 0.4 for size in (3, 8, 21)]
    sets = CategorySets.of(tables)
    for number, table in enumerate(tables):
        categories = np.arange(-2, 40)
        wanted = [0 <= one < len(table) and bool(table[one]) for one in categories]
        held = sets.hold(np.full(len(categories), number), categories)
        np.testing.assert_array_equal(held, wanted)


def test_numbers_up_to_a_threshold_go_left_and_what_is_missing_as_told() -> None:
    inputs = np.array([[0.5], [np.nextafter(0.5, 1)], [np.nan]])
    for kind, wanted in ((0, [1, 2, 2]), (MISSING_LEFT, [1, 2, 1])):
        trees = linked([stump(kind, 0.5)], np.zeros(1, dtype=int), sets=(), n_outputs=1)
        np.testing.assert_array_equal(trees.outputs(inputs)[:, 0], wanted)


def test_parts_that_are_joined_say_what_each_says() -> None:
    columns = np.zeros(1, dtype=int)
    first = linked([stump(BY_SET, 0.0)], columns, sets=[np.array([True, False, True])], n_outputs=1)
    second = linked([stump(0, 1.5)], columns, sets=(), n_outputs=1)
    third = linked([stump(BY_SET, 0.0)], columns, sets=[np.array([False, True])], n_outputs=1)
    together = joined([first, second, third])
    inputs = np.array([[0.0], [1.0], [2.0], [9.0]])
    for number, part in enumerate((first, second, third)):
        own = together.outputs(inputs, slice(number, number + 1))
        np.testing.assert_array_equal(own, part.outputs(inputs))
    wanted = first.outputs(inputs) + second.outputs(inputs) + third.outputs(inputs)
    np.testing.assert_array_equal(together.outputs(inputs), wanted)


def test_rows_and_trees_some_at_a_time_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(90, 2)).astype(np.float32).astype(np.float64)
    forest = ExtraTreesRegressor(7, random_state=0).fit(inputs, inputs[:, 0] * inputs[:, 1])
    trees = of_forest(forest, None, 1)
    whole = trees.outputs(inputs)
    monkeypatch.setattr(tree_arrays, "ROWS_AT_ONCE", 40)
    monkeypatch.setattr(tree_arrays, "WALKERS", 100)
    np.testing.assert_allclose(trees.outputs(inputs), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("children", [[0, 0, 1], [1, 2, 1], [2, 0, 1], [-1, 0, 1]])
def test_trees_in_which_a_walk_would_not_end_are_refused(children: list[int]) -> None:
    trees = linked([stump(0, 0.5)], np.zeros(1, dtype=int), sets=(), n_outputs=1)
    assert trees.children.tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="not where they say"):
        replace(trees, children=np.array(children, dtype=np.int32))
