"""Work done ahead of its use."""

from __future__ import annotations

import threading

import pytest

from softshare.tasks.ahead import ahead


@pytest.mark.parametrize("depth", [1, 3, 20])
def test_all_is_made_in_order_whatever_the_depth(depth: int) -> None:
    assert list(ahead(lambda n: n * n, range(10), depth)) == [n * n for n in range(10)]


def test_an_error_comes_where_its_item_would_have_come() -> None:
    made = ahead(lambda n: 6 // (3 - n), range(5), 4)
    assert [next(made), next(made), next(made)] == [2, 3, 6]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_no_more_than_the_depth_is_asked_for_and_the_thread_ends() -> None:
    asked: list[int] = []

    def items() -> object:
        for number in range(100):
            asked.append(number)
            yield number

    made = ahead(lambda n: n, items(), 3)
    assert next(made) == 0
    assert len(asked) <= 1 + 3
    made.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("softshare-ahead")]
