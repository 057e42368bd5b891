"""Random orders that take no memory: what stands at a place of an order is computed when it is
asked for.
"""

from __future__ import annotations

import numpy as np

from softshare.tasks.columns import places_in_runs
from softshare.tasks.random_keys import numbered

ROUNDS = 8
"""Of the Feistel network; an even number, so that its halves end in place. Orders of ten items by
six rounds are measurably uneven.
"""


class Orders:
    """Endless random orders of the items of several lists, each list gone through pass after pass.

    Every pass over a list is a permutation of its own, made from the list's key and the number of
    the pass. All that is kept is how many items of each list have been taken.

    Args:
        sizes: items of every list, at least one.
        keys: a 64-bit key for every list.

    Shape:
        sizes and keys ``(lists,)``.
    """

    def __init__(self, sizes: np.ndarray, keys: np.ndarray) -> None:
        self._sizes, self._keys = sizes, keys
        self._taken = np.zeros(len(sizes), dtype=np.int64)

    def take(self, lists: np.ndarray, count: int) -> np.ndarray:
        """The next ``count`` items of these lists; a list named twice gives its next items twice.

        Shape:
            lists ``(n,)``, the result ``(n, count)``.
        """
        begin = self._taken[lists] + count * earlier(lists)
        np.add.at(self._taken, lists, count)
        sizes = self._sizes[lists]
        first, place = np.divmod(begin, sizes)
        places = place[:, None] + np.arange(count)
        passes = quotients(places, sizes[:, None])
        width = passes.max(initial=0) + 1
        keys = numbered(self._keys[lists][:, None], first[:, None] + np.arange(width))
        return permuted(
            places - passes * sizes[:, None],
            sizes[:, None],
            keys.ravel()[passes + width * np.arange(len(lists))[:, None]],
        )

    def make_room(self, count: int) -> None:
        """Begin a new pass of every list of which fewer than ``count`` items are left in the one it
        is in.
        """
        left = -self._taken % self._sizes
        self._taken += np.where(left < count, left, 0)


def permuted(places: np.ndarray, sizes: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """What stands at these places of random orders of ``0 … size − 1``.

    A Feistel network permutes the pairs ``a × b``, ``a ≈ b ≈ √size``, which are a few more than
    ``size``; what falls beyond is permuted again until it is within (cycle walking: Black &
    Rogaway, "Ciphers with arbitrary finite domains", 2002), so every item stands at one place.

    Args:
        places: below ``sizes``.
        sizes: items of each order, below 2³².
        keys: 64 bits an order; equal keys and sizes give one order.

    Shape:
        places and keys ``(n, count)``, sizes ``(n, 1)``, the result ``(n, count)``.
    """
    a = np.ceil(np.sqrt(sizes)).astype(np.int64)
    b = -(-sizes // a)
    items = _feistel(places, a, b, keys).ravel()
    beyond = np.flatnonzero(items >= np.broadcast_to(sizes, places.shape).ravel())
    while len(beyond):
        row = beyond // places.shape[1]
        items[beyond] = _feistel(items[beyond], a[row, 0], b[row, 0], keys.ravel()[beyond])
        beyond = beyond[items[beyond] >= sizes[row, 0]]
    return items.reshape(places.shape)


def quotients(numbers: np.ndarray, divisors: np.ndarray) -> np.ndarray:
    """Numbers below 2⁵² divided, rounded down; several times as fast as the division of integers."""
    return (numbers / divisors).astype(np.int64)


def earlier(lists: np.ndarray) -> np.ndarray:
    """How often every element has stood before: 0 where it is the first of its value, shape
    ``(n,)``.
    """
    order = np.argsort(lists, kind="stable")
    counts = np.empty(len(lists), dtype=np.int64)
    counts[order] = places_in_runs(lists[order])
    return counts


def _feistel(numbers: np.ndarray, a: np.ndarray, b: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """A permutation of ``0 … a·b − 1``: each half in turn is moved round by an amount that the
    other half and the key tell.
    """
    left = quotients(numbers, b)
    left, right = left.astype(np.uint32), (numbers - left * b).astype(np.uint32)
    extent, other = a.astype(np.uint32), b.astype(np.uint32)
    key, step = keys.astype(np.uint32), (keys >> np.uint64(32)).astype(np.uint32)
    for _ in range(ROUNDS):
        key = key + step
        moved = left + _hashed(right, key, extent)
        left, right, extent, other = (
            right,
            np.minimum(moved, moved - extent),
            other,
            extent,
        )  # a difference below 0 is a huge number
    return left.astype(np.int64) * b + right


def _hashed(half: np.ndarray, key: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A random number below a bound of at most 2¹⁶, for every half and key: multiplied and folded
    twice, the upper bits scaled.
    """
    state = half * np.uint32(0x9E3779B1) + key
    for shift in (16, 15):
        state ^= state >> np.uint32(shift)
        state *= np.uint32(0x85EBCA6B)
    state >>= np.uint32(16)
    state *= below
    state >>= np.uint32(16)
    return state
