"""Splits: nothing leaks, every task and class is everywhere, and nothing depends on the order of
tasks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from softshare.tasks.splits import PARTS, Split, drop_small_tasks, least_rows, small_tasks, split
from softshare.tasks.task_set import TaskSet

SIZES = st.lists(st.integers(5, 40), min_size=1, max_size=6)
SEEDS = st.integers(0, 1000)


def separate(
    sizes: Sequence[int], kind: str = "binary", order: Sequence[int] | None = None
) -> TaskSet:
    """Tasks of these sizes whose inputs say which example of which task they are."""
    data = {}
    for number in range(len(sizes)) if order is None else order:
        size = sizes[number]
        targets = np.arange(size) % 3 == 0 if kind == "binary" else np.sqrt(np.arange(size))
        data[f"t{number}"] = (np.stack([np.full(size, number), np.arange(size)], axis=1), targets)
    return TaskSet.from_arrays(data, kinds=kind)  # type: ignore[arg-type]


def shared(n_rows: int, n_tasks: int, seed: int, order: Sequence[int] | None = None) -> TaskSet:
    """Binary tasks on one input, a third of the labels missing, positives rare."""
    random = np.random.default_rng(seed)
    labels = np.where(random.random((n_rows, n_tasks)) < 0.15, 1.0, 0.0)
    labels[random.random((n_rows, n_tasks)) < 0.33] = np.nan
    labels[:10] = np.arange(10)[:, None] % 2
    columns = {
        f"t{number}": labels[:, number] for number in (range(n_tasks) if order is None else order)
    }
    return TaskSet.from_shared_inputs(np.arange(n_rows)[:, None], columns)


def rows_by_task(tasks: TaskSet, entries: np.ndarray) -> dict[object, set[tuple[int, ...]]]:
    part = tasks.select(entries)
    return {
        name: {tuple(map(int, row)) for row in part.examples(number)[0]}
        for number, name in enumerate(tasks.names)
    }


def parts_of(divided: Split) -> list[np.ndarray]:
    return [getattr(divided, part) for part in PARTS]


@given(SIZES, SEEDS, st.sampled_from(["binary", "regression"]))
def test_parts_are_disjoint_and_complete(sizes: list[int], seed: int, kind: str) -> None:
    tasks = separate(sizes, kind)
    together = np.concatenate(parts_of(split(tasks, seed=seed)))
    np.testing.assert_array_equal(np.sort(together), np.arange(len(tasks.rows)))


@given(SIZES, SEEDS)
def test_every_part_has_its_share_of_every_class(sizes: list[int], seed: int) -> None:
    tasks = separate(sizes)
    for entries, share in zip(parts_of(split(tasks, seed=seed)), (0.6, 0.2, 0.2), strict=True):
        part = tasks.select(entries)
        for number in range(len(tasks)):
            whole, here = tasks.targets[tasks.entries(number)], part.targets[part.entries(number)]
            for value in (0, 1):
                count = (whole == value).sum()
                assert abs((here == value).sum() - share * count) <= 1.2
                assert count < 3 or (here == value).any()


def test_rare_classes_go_to_training_first_and_then_to_the_test_set() -> None:
    tasks = TaskSet.from_arrays(
        {"t": (np.zeros((23, 1)), ["a"] * 20 + ["b", "b"] + ["c"])}, kinds="multiclass"
    )
    single = TaskSet.from_arrays({"t": (np.zeros((21, 1)), ["a"] * 20 + ["b"])})
    pair = TaskSet.from_arrays({"t": (np.zeros((22, 1)), ["a"] * 20 + ["b", "b"])})
    assert 20 in split(single, seed=0).train
    for part in (split(pair, seed=0).train, split(pair, seed=0).test):
        assert {20, 21} & set(part)
    assert all(
        (part >= 20).any() for part in parts_of(split(tasks, seed=0))
    )  # b and c, three together, are divided as one


@given(SIZES, SEEDS, st.permutations(range(6)))
def test_the_order_of_tasks_changes_nothing(
    sizes: list[int], seed: int, permutation: list[int]
) -> None:
    order = [number for number in permutation if number < len(sizes)]
    tasks, permuted = separate(sizes), separate(sizes, order=order)
    divided, other = (
        split(tasks, seed=seed, train_fraction=0.5),
        split(permuted, seed=seed, train_fraction=0.5),
    )
    for one, two in zip(parts_of(divided), parts_of(other), strict=True):
        assert rows_by_task(tasks, one) == rows_by_task(permuted, two)


@given(SEEDS, st.permutations(range(4)))
def test_the_order_of_tasks_on_one_input_changes_nothing(seed: int, order: list[int]) -> None:
    tasks, permuted = shared(60, 4, seed), shared(60, 4, seed, order)
    divided, other = (
        split(tasks, seed=seed, train_fraction=0.5),
        split(permuted, seed=seed, train_fraction=0.5),
    )
    for one, two in zip(parts_of(divided), parts_of(other), strict=True):
        assert rows_by_task(tasks, one) == rows_by_task(permuted, two)


@given(SEEDS)
def test_other_tasks_do_not_change_what_a_task_draws(seed: int) -> None:
    alone, among = separate([30]), separate([30, 12, 9])
    for one, two in zip(
        parts_of(split(alone, seed=seed)), parts_of(split(among, seed=seed)), strict=True
    ):
        assert rows_by_task(alone, one)["t0"] == rows_by_task(among, two)["t0"]


def test_seeds_and_names_give_different_draws() -> None:
    tasks = separate([100, 100])
    first = split(tasks, seed=0)
    assert first.digest() == split(tasks, seed=0).digest()
    assert first.digest() != split(tasks, seed=1).digest()
    assert {row for _, row in rows_by_task(tasks, first.train)["t0"]} != {
        row for _, row in rows_by_task(tasks, first.train)["t1"]
    }


@given(st.integers(30, 90), st.integers(2, 6), SEEDS)
def test_with_one_input_a_row_is_in_one_part_for_all_tasks(
    n_rows: int, n_tasks: int, seed: int
) -> None:
    tasks = shared(n_rows, n_tasks, seed)
    divided = split(tasks, seed=seed)
    rows = [set(tasks.rows[entries]) for entries in parts_of(divided)]
    assert sum(map(len, rows)) == len(set.union(*rows)) == len(set(tasks.rows))


@given(st.integers(2, 8), SEEDS)
def test_with_one_input_every_part_has_both_classes_of_every_task(n_tasks: int, seed: int) -> None:
    tasks = shared(200, n_tasks, seed)
    for entries in parts_of(split(tasks, seed=seed)):
        part = tasks.select(entries)
        assert all(
            set(part.targets[part.entries(number)]) == {0.0, 1.0} for number in range(n_tasks)
        )


def test_one_against_the_rest_is_stratified_by_the_class_behind_the_tasks() -> None:
    classes = np.repeat(np.arange(10), 50)
    tasks = TaskSet.from_shared_inputs(
        np.zeros((500, 1)), {f"{k}": classes == k for k in range(10)}
    )
    for entries, count in zip(parts_of(split(tasks, seed=0)), (30, 10, 10), strict=True):
        assert np.bincount(classes[np.unique(tasks.rows[entries])]).tolist() == [count] * 10
    thin = split(tasks, seed=0, train_fraction=0.1).train
    assert np.bincount(classes[np.unique(tasks.rows[thin])]).tolist() == [3] * 10


@given(SEEDS, st.floats(0.01, 1), st.floats(0.01, 1), st.booleans())
def test_smaller_training_parts_lie_within_larger_ones(
    seed: int, one: float, two: float, one_input: bool
) -> None:
    tasks = shared(80, 4, seed) if one_input else separate([30, 9, 5, 17])
    small, large = (
        split(tasks, seed=seed, train_fraction=fraction) for fraction in sorted([one, two])
    )
    whole = split(tasks, seed=seed)
    assert set(small.train) <= set(large.train) <= set(whole.train)
    for thinned in (small, large):
        np.testing.assert_array_equal(thinned.validation, whole.validation)
        np.testing.assert_array_equal(thinned.test, whole.test)


@given(SEEDS, st.floats(0.001, 1), st.booleans())
def test_a_thinned_training_part_keeps_every_class_of_every_task(
    seed: int, fraction: float, one_input: bool
) -> None:
    tasks = shared(80, 4, seed) if one_input else separate([30, 9, 10, 17])
    part = tasks.select(split(tasks, seed=seed, train_fraction=fraction).train)
    assert all(set(part.targets[part.entries(number)]) == {0.0, 1.0} for number in range(4))


def test_a_thinned_training_part_has_the_size_asked_for() -> None:
    tasks = separate([100, 50], "regression")
    assert [
        tasks.select(split(tasks, seed=0, train_fraction=f).train).n_examples.tolist()
        for f in (0.5, 0.1, 0.001)
    ] == [
        [30, 15],
        [6, 3],
        [2, 2],
    ]


@given(SEEDS, st.integers(6, 20))
def test_groups_stay_together_across_tasks(seed: int, n_groups: int) -> None:
    random = np.random.default_rng(seed)
    groups = np.concatenate([np.tile(np.arange(n_groups), 3), random.integers(0, n_groups, 100)])
    task = np.concatenate(
        [np.repeat(["a", "b", "c"], n_groups), random.choice(["a", "b", "c"], 100)]
    )
    tasks = TaskSet.from_task_column(
        np.zeros((len(task), 1)), random.normal(size=len(task)), task, groups=groups
    )
    divided = split(tasks, seed=seed)
    found = [set(groups[tasks.rows[entries]]) for entries in parts_of(divided)]
    assert sum(map(len, found)) == len(set.union(*found)) == n_groups
    assert all((tasks.select(entries).n_examples > 0).all() for entries in parts_of(divided))


def test_groups_of_a_wide_table_stay_together() -> None:
    groups = np.array([f"patient {k % 12}" for k in range(60)])
    labels = np.random.default_rng(0).normal(size=(60, 3))
    tasks = TaskSet.from_shared_inputs(
        np.zeros((60, 1)), {f"t{k}": labels[:, k] for k in range(3)}, groups=groups
    )
    found = [set(groups[tasks.rows[entries]]) for entries in parts_of(split(tasks, seed=0))]
    assert sum(map(len, found)) == len(set.union(*found)) == 12
    assert [len(part) for part in found] == [7, 2, 3]


@pytest.mark.parametrize("validation", [True, False])
def test_given_parts_stay(validation: bool) -> None:
    given_parts = np.array(
        (["train"] * 12 + ["test"] * 5 + (["validation"] if validation else ["train"]) * 3) * 2,
        dtype=object,
    )
    task = np.repeat(["a", "b"], 20)
    tasks = TaskSet.from_task_column(
        np.zeros((40, 1)), np.random.default_rng(0).normal(size=40), task, parts=given_parts
    )
    divided = split(tasks, seed=0)
    assert set(tasks.rows[divided.test]) == set(np.flatnonzero(given_parts == "test"))
    if validation:
        assert set(tasks.rows[divided.validation]) == set(
            np.flatnonzero(given_parts == "validation")
        )
    else:
        assert tasks.select(divided.validation).n_examples.tolist() == [
            4,
            4,
        ]  # a quarter of 15, as 0.2 / (0.6 + 0.2)


def test_groups_that_given_parts_tear_apart_are_refused() -> None:
    parts = np.array(["train", "train", "test", "train", "test"], dtype=object)
    tasks = TaskSet.from_task_column(
        np.zeros((5, 1)), np.arange(5) / 7, ["a"] * 5, parts=parts, groups=np.array([0, 1, 1, 2, 3])
    )
    with pytest.raises(ValueError, match=r"1 group\(s\) have rows in several given parts"):
        split(tasks, seed=0)


def test_fractions_decide_the_sizes_and_may_be_nothing() -> None:
    tasks = separate([40], "regression")
    assert [len(part) for part in parts_of(split(tasks, seed=0, fractions=(0.5, 0.3, 0.2)))] == [
        20,
        12,
        8,
    ]
    assert [len(part) for part in parts_of(split(tasks, seed=0, fractions=(0.75, 0, 0.25)))] == [
        30,
        0,
        10,
    ]


def test_a_split_survives_json() -> None:
    divided = split(separate([20, 30]), seed=0)
    again = Split.from_dict(json.loads(json.dumps(divided.as_dict())))
    assert again.digest() == divided.digest()
    for one, two in zip(parts_of(divided), parts_of(again), strict=True):
        np.testing.assert_array_equal(one, two)


def test_small_tasks_are_named_with_the_remedy() -> None:
    tasks = separate([20, 3, 4, 5], "regression")
    message = (
        r"2 task\(s\) too small .* 't1' \(3 rows\), 't2' \(4 rows\); a task needs at least 5 "
        r"rows.*; drop_small_tasks: leaves them out"
    )
    with pytest.raises(ValueError, match=message):
        split(tasks, seed=0)
    kept = tasks.drop_small_tasks()
    assert kept.names == ("t0", "t3")
    assert "'t1' (3 rows), 't2' (4 rows)" in kept.notes[0]
    split(kept, seed=0)
    assert drop_small_tasks(kept) is kept


def test_a_task_of_one_class_is_small_too() -> None:
    tasks = TaskSet.from_task_column(
        np.zeros((20, 1)), [0, 1] * 5 + [1] * 10, ["a"] * 10 + ["b"] * 10
    )
    assert small_tasks(tasks).tolist() == [False, True]
    with pytest.raises(ValueError, match=r"'b' \(10 rows, one class\)"):
        split(tasks, seed=0)


def test_groups_are_counted_where_there_are_some() -> None:
    task = np.repeat(["a", "b"], 20)
    groups = np.concatenate([np.arange(20), np.arange(20) % 3])
    tasks = TaskSet.from_task_column(
        np.zeros((40, 1)), np.random.default_rng(0).normal(size=40), task, groups=groups
    )
    with pytest.raises(ValueError, match=r"'b' \(20 rows\); a task needs at least 5 groups"):
        split(tasks, seed=0)


def test_tasks_without_rows_in_a_given_part_are_small() -> None:
    parts = np.array(["train"] * 8 + ["test"] * 2 + ["train"] * 10, dtype=object)
    tasks = TaskSet.from_task_column(
        np.zeros((20, 1)), np.arange(20) / 7, np.repeat(["a", "b"], 10), parts=parts
    )
    with pytest.raises(ValueError, match=r"'b' \(10 rows\); a task needs rows in every given part"):
        split(tasks, seed=0)


@pytest.mark.parametrize(
    "fractions", [(0.6, 0.2, 0.2), (0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.0, 0.3)]
)
def test_the_least_number_of_rows_fills_every_part(fractions: tuple[float, float, float]) -> None:
    least = least_rows(fractions)
    sizes = [
        len(part)
        for part in parts_of(split(separate([least], "regression"), seed=0, fractions=fractions))
    ]
    assert all(size > 0 for size, fraction in zip(sizes, fractions, strict=True) if fraction)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 8)),
        min_size=8,
        max_size=60,
    ),
    SEEDS,
)
def test_what_is_not_small_can_be_split(rows: list[tuple[str, str, int]], seed: int) -> None:
    task, target, _ = zip(*rows, strict=True)
    assume(len(set(target)) > 1)
    tasks = TaskSet.from_task_column(np.zeros((len(rows), 1)), list(target), list(task))
    assume(not small_tasks(tasks).all())
    kept = tasks.drop_small_tasks()
    assert all(
        (kept.select(entries).n_examples > 0).all() for entries in parts_of(split(kept, seed=seed))
    )


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(ValueError, match="no task is left"):
        separate([2, 2]).drop_small_tasks()


@pytest.mark.parametrize("fractions", [(0.5, 0.2, 0.2), (0, 0.5, 0.5), (1.2, -0.1, -0.1)])
def test_shares_that_are_none_are_refused(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="fractions must be three numbers"):
        split(separate([20]), seed=0, fractions=fractions)


@pytest.mark.parametrize("fraction", [0.0, -1.0, 1.5])
def test_train_fractions_out_of_range_are_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="train_fraction must be above 0 and at most 1"):
        split(separate([20]), seed=0, train_fraction=fraction)


def test_parts_of_other_names_are_refused() -> None:
    tasks = TaskSet.from_task_column(
        np.zeros((2, 1)),
        [0.5, 1.5],
        ["a", "a"],
        kind="regression",
        parts=pd.array(["train", "tset"]),
    )
    with pytest.raises(
        ValueError, match="given parts must be train, validation, test, found 'tset'"
    ):
        split(tasks, seed=0)


def test_one_given_training_row_a_class_leaves_nothing_to_validate() -> None:
    labels = np.arange(150) % 10
    parts = np.where(np.arange(150) < 10, "train", "test")
    tasks = TaskSet.from_shared_inputs(
        np.zeros((150, 2)), {"dslr": labels}, kinds="multiclass", parts=parts
    )
    with pytest.raises(
        ValueError,
        match=r"gives 'dslr' \(150 rows\) rows for validation: the first .* or divide without "
        r"validation",
    ):
        split(tasks, seed=0)
    divided = split(tasks, seed=0, fractions=(0.8, 0.0, 0.2))
    assert [len(part) for part in parts_of(divided)] == [10, 0, 140]
