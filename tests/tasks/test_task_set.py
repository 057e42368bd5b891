"""Task sets: how they are made, taken apart and told from each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

RANDOM = np.random.default_rng(0)


def of_three_forms() -> TaskSet:
    return TaskSet.from_arrays(
        {
            "a": (RANDOM.normal(size=(6, 3)), RANDOM.normal(size=6)),
            "b": (RANDOM.normal(size=(4, 2, 2)), ["x", "y", None, "x"]),
            ("c", "d"): (RANDOM.normal(size=(5, 3)), [0, 1, 0, 1, 1]),
        }
    )


def test_tasks_have_inputs_of_their_own() -> None:
    inputs, targets = RANDOM.normal(size=(2, 5, 3)).astype(np.float32), RANDOM.normal(size=(2, 5))
    tasks = TaskSet.from_arrays({"a": (inputs[0], targets[0]), "b": (inputs[1], targets[1])})
    assert len(tasks.sources) == 1
    for number in range(2):
        found = tasks.examples(number)
        np.testing.assert_array_equal(found[0], inputs[number])
        np.testing.assert_array_equal(found[1], targets[number])


def test_inputs_of_different_forms_stay_apart() -> None:
    tasks = of_three_forms()
    assert [tasks.input_shape(number) for number in range(3)] == [(3,), (2, 2), (3,)]
    assert tasks.source_of.tolist() == [0, 1, 0]
    assert tasks.n_examples.tolist() == [6, 3, 5]
    assert tasks.index(("c", "d")) == 2


def test_a_missing_label_is_no_entry() -> None:
    tasks = TaskSet.from_shared_inputs(
        np.eye(4), {"a": [1.5, np.nan, 2.5, 3.5], "b": ["x", None, None, "y"]}
    )
    assert tasks.rows.tolist() == [0, 2, 3, 0, 3]
    assert tasks.task_of.tolist() == [0, 0, 0, 1, 1]
    assert tasks.one_input


@given(
    st.lists(st.tuples(st.sampled_from("cab"), st.none() | st.integers(0, 1)), min_size=2).filter(
        lambda rows: {0, 1} <= {y for _, y in rows}
    )
)
def test_a_task_column_gives_every_task_its_rows_in_order(
    rows: list[tuple[str, int | None]],
) -> None:
    names, targets = zip(*rows, strict=True)
    tasks = TaskSet.from_task_column(np.arange(len(rows))[:, None], list(targets), list(names))
    assert tasks.names == tuple(sorted(set(names)))
    for number, name in enumerate(tasks.names):
        expected = [
            row for row, (task, target) in enumerate(rows) if task == name and target is not None
        ]
        assert tasks.rows[tasks.entries(number)].tolist() == expected
        assert tasks.targets[tasks.entries(number)].tolist() == [targets[row] for row in expected]


def test_tasks_of_one_column_have_one_form() -> None:
    tasks = TaskSet.from_task_column(np.zeros((4, 1)), ["x", "y", "z", "x"], [2.0, 10.0, 2.0, 10.0])
    assert tasks.tasks == (
        Task("2", "multiclass", 3, ("x", "y", "z")),
        Task("10", "multiclass", 3, ("x", "y", "z")),
    )


def test_tasks_named_by_several_factors() -> None:
    factors = pd.DataFrame({"aspect": ["food", "food", "staff"], "year": [2001, 1999, 2001]})
    for task in (factors, list(factors.itertuples(index=False, name=None))):
        assert TaskSet.from_task_column(np.zeros((3, 1)), [1.5, 2.5, 3.5], task).names == (
            ("food", "1999"),
            ("food", "2001"),
            ("staff", "2001"),
        )


def test_select_keeps_the_entries_asked_for() -> None:
    tasks = of_three_forms()
    chosen = tasks.select(np.array([8, 0, 5, 9]))
    assert chosen.n_examples.tolist() == [2, 1, 1]
    np.testing.assert_array_equal(chosen.targets, tasks.targets[[0, 5, 8, 9]])
    np.testing.assert_array_equal(
        tasks.select(np.arange(len(tasks.rows)) % 2 == 0).rows, tasks.rows[::2]
    )


def test_source_rows_are_those_of_each_tasks_own_array() -> None:
    own = {
        "a": np.arange(6.0)[:, None],
        "b": np.arange(4.0).reshape(4, 1, 1),
        "c": 10 + np.arange(5.0)[:, None],
    }
    labels = {"a": [0, 1, None, 0, 1, 1], "b": [0, 1, 0, 1], "c": [1, 0, None, 1, 0]}
    tasks = TaskSet.from_arrays({name: (own[name], labels[name]) for name in own})
    assert tasks.source_of.tolist() == [0, 1, 0]  # a and c stand in one source
    for number, name in enumerate(own):
        members = np.flatnonzero(tasks.task_of == number)
        rows = tasks.source_rows(members)
        assert rows.tolist() == [k for k, label in enumerate(labels[name]) if label is not None]
        np.testing.assert_array_equal(tasks.examples(number)[0], own[name][rows])
    kept = tasks.keep_tasks([2]).select(np.array([1, 3]))
    assert kept.source_rows().tolist() == [1, 4]
    assert tasks.source_rows(tasks.task_of == 2).tolist() == [0, 1, 3, 4]


def test_source_rows_of_a_table_are_its_own_rows() -> None:
    task = np.array(list("baab"))
    by_column = TaskSet.from_task_column(np.eye(4), [0, 1, 0, 1], task)
    assert by_column.source_rows().tolist() == [1, 2, 0, 3]
    shared = TaskSet.from_shared_inputs(np.eye(4), {"a": [0, None, 1, 0], "b": [1, 0, 0, 1]})
    assert shared.source_rows().tolist() == [0, 2, 3, 0, 1, 2, 3]
    of_b = shared.select(np.flatnonzero(shared.task_of == 1)[[3, 0]])
    assert of_b.source_rows().tolist() == [0, 3]


def test_keep_tasks_takes_tasks_in_the_order_asked_for() -> None:
    tasks = replace(of_three_forms(), target_scaling=np.arange(6.0).reshape(3, 2))
    kept = tasks.keep_tasks([2, 0])
    assert kept.names == (("c", "d"), "a")
    assert kept.target_scaling is not None
    np.testing.assert_array_equal(kept.target_scaling, [[4, 5], [0, 1]])
    for new, old in enumerate([2, 0]):
        torch.testing.assert_close(kept.examples(new), tasks.examples(old))


def test_fingerprint_tells_data_apart_and_nothing_else() -> None:
    def made(change: float = 0.0, name: str = "a", column: str = "x", text: str = "u") -> TaskSet:
        frame = pd.DataFrame({column: [1.0 + change, 2.0, 3.0], "c": [text, "v", "w"]})
        return TaskSet.from_shared_inputs(frame, {name: [0, 1, 1]})

    prints = {
        tasks.fingerprint()
        for tasks in (made(), made(change=1e-9), made(name="b"), made(column="y"), made(text="z"))
    }
    assert len(prints) == 5
    assert made().fingerprint() == made().fingerprint()


def test_many_tasks_are_cheap_to_name() -> None:
    n_tasks = 20_000
    tasks = TaskSet.from_task_column(
        np.zeros((2 * n_tasks, 1)), np.tile([0, 1], n_tasks), np.repeat(np.arange(n_tasks), 2)
    )
    assert len(tasks) == n_tasks
    assert tasks.index("19999") == n_tasks - 1


def test_all_tasks_of_one_class_are_named_at_once_with_a_remedy_that_works() -> None:
    labels = {f"t{task}": [task % 2] * 5 for task in range(7)} | {"both": [0, 1, 0, 1, 0]}
    labels["t6"] = [None] * 5
    inputs = np.zeros((5, 1))
    named = ", ".join(f"'t{task}'" for task in range(7))
    told = rf"7 of 8 task\(s\) have one class only, or no labels.*{named}; leave them out"
    with pytest.raises(ValueError, match=rf"{told}.*from_task_column.*drop_small_tasks"):
        TaskSet.from_arrays({name: (inputs, own) for name, own in labels.items()})
    del labels["t6"]
    names = np.repeat(list(labels), 5)
    tasks = TaskSet.from_task_column(
        np.zeros((35, 1)), np.concatenate(list(labels.values())), names
    )
    assert tasks.drop_small_tasks().names == ("both",)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: TaskSet.from_arrays({}), ValueError, "at least one task"),
        (
            lambda: TaskSet.from_arrays({"a": (np.zeros((3, 1)), [0, 1])}),
            ValueError,
            "task 'a': 3 inputs but 2 targets",
        ),
        (
            lambda: TaskSet.from_arrays({0: (np.zeros((2, 1)), [0, 1])}),
            TypeError,
            "must be text or a tuple of texts, got 0",
        ),
        (
            lambda: TaskSet.from_arrays({"a": (np.array([["x"], ["y"]]), [0, 1])}),
            ValueError,
            "inputs must be real numbers",
        ),
        (
            lambda: TaskSet.from_shared_inputs(
                np.zeros((2, 1)), {"a": [0, 1]}, kinds={"b": "binary"}
            ),
            ValueError,
            "kinds names 'b'",
        ),
        (lambda: TaskSet.from_shared_inputs(np.zeros((2, 1)), {}), ValueError, "at least one task"),
        (
            lambda: TaskSet.from_task_column(np.zeros((2, 1)), [0, 1], ["a", None]),
            ValueError,
            r"1 row\(s\) have no task, the first is row 2",
        ),
        (
            lambda: TaskSet.from_task_column(np.zeros((2, 1)), [0, 1, 0], ["a", "a", "b"]),
            ValueError,
            "one length, got 2, 3 and 3",
        ),
        (
            lambda: TaskSet.from_task_column(
                np.zeros((2, 1)), pd.Series([1, 1], name="y"), ["a", "b"]
            ),
            ValueError,
            "target 'y': .* one class only",
        ),
        (
            lambda: replace(of_three_forms(), tasks=(Task("a", "binary"),) * 3),
            ValueError,
            "two tasks are called 'a'",
        ),
        (
            lambda: TaskSet.from_shared_inputs(np.zeros((2, 1)), {"a": [0, 1]}, groups=[1]),
            ValueError,
            "got 1 for 2 rows",
        ),
        (
            lambda: TaskSet.from_shared_inputs(
                pd.DataFrame([[1, 2]] * 2, columns=["x", "x"]), {"a": [0, 1]}
            ),
            ValueError,
            "two columns are called 'x'",
        ),
        (lambda: of_three_forms().index("e"), KeyError, "no task 'e'; the tasks are a, b, c / d"),
        (
            lambda: TaskSet.from_shared_inputs(pd.DataFrame({"x": [1, 2]}), {"a": [0, 1]}).examples(
                0
            ),
            ValueError,
            r"TaskSet.split\(seed",
        ),
    ],
)
def test_what_is_no_task_set_is_refused(make: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()  # type: ignore[operator]
