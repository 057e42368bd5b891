"""One prediction problem."""

from __future__ import annotations

from typing import Any

import pytest

from softshare.tasks.task import Task, no_such_task


def test_a_name_of_several_factors_has_one_label() -> None:
    assert Task(("aspect", "customer"), "binary").label == "aspect / customer"


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ((3, "binary"), TypeError, "text or a tuple of texts, got 3"),
        ((("a", 3), "binary"), TypeError, r"got \('a', 3\)"),
        (("a", "yes"), ValueError, "kind must be one of binary, multiclass, regression"),
        (("a", "multiclass", 1), ValueError, "needs n_outputs >= 2, got 1"),
        (("a", "regression", 2), ValueError, "a regression task has n_outputs = 1, got 2"),
    ],
)
def test_what_is_no_task_is_refused(
    given: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Task(*given)


def test_a_missing_task_is_named_beside_the_first_ten() -> None:
    tasks = [Task(f"t{number}", "binary") for number in range(12)]
    told = str(no_such_task("x", tasks))
    assert "no task 'x'" in told
    assert "t9, …" in told
    assert "t10" not in told
