"""Orders computed place by place: permutations, uniform, and the same whichever are asked for
together.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from softshare.tasks.orders import Orders, earlier, permuted
from softshare.tasks.random_keys import numbered


def orders_of(size: int, count: int) -> np.ndarray:
    keys = np.repeat(numbered(np.uint64(7), np.arange(count))[:, None], size, axis=1)
    return permuted(np.tile(np.arange(size), (count, 1)), np.full((count, 1), size), keys)


@given(st.integers(1, 5000))
def test_every_item_stands_at_one_place(size: int) -> None:
    assert (np.sort(orders_of(size, 2), axis=1) == np.arange(size)).all()


@pytest.mark.parametrize("size", [2**31 + 11, 2**32 - 1])
def test_long_orders_stay_within_their_size(size: int) -> None:
    places = np.linspace(0, size - 1, 1000).astype(np.int64)[None]
    items = permuted(places, np.array([[size]]), np.full(places.shape, 5, dtype=np.uint64))
    assert 0 <= items.min() <= items.max() < size
    assert len(np.unique(items)) == 1000


@pytest.mark.parametrize("size", [2, 3, 6, 10, 17, 40])
def test_items_and_neighbours_are_spread_evenly(size: int) -> None:
    count = 4000
    orders = orders_of(size, count)
    seen = np.stack([np.bincount(column, minlength=size) for column in orders.T])
    assert chi2.sf(((seen - count / size) ** 2 / (count / size)).sum(), (size - 1) ** 2) > 1e-4
    steps = np.bincount((np.diff(orders, axis=1) % size).ravel(), minlength=size)[1:]
    assert np.abs(steps / steps.mean() - 1).max() < 5 / np.sqrt(steps.mean())


def test_a_list_goes_on_where_it_was_whatever_is_taken_with_it() -> None:
    sizes, keys = np.array([5, 3, 1000]), np.array([1, 2, 3], dtype=np.uint64)
    at_once = Orders(sizes, keys).take(np.arange(3), 24)
    bit_by_bit, twice = Orders(sizes, keys), Orders(sizes, keys)
    parts = [[bit_by_bit.take(np.array([place]), 6)[0] for _ in range(4)] for place in (2, 0, 1)]
    assert np.array_equal(np.concatenate(parts[0]), at_once[2])
    assert np.array_equal(np.concatenate(parts[1]), at_once[0])
    assert np.array_equal(
        twice.take(np.array([1, 0, 1, 1, 1]), 6)[[0, 2, 3, 4]].ravel(), at_once[1]
    )


def test_earlier_counts_equal_ones_before() -> None:
    assert earlier(np.array([4, 1, 4, 4, 0, 1])).tolist() == [0, 0, 1, 2, 0, 1]
