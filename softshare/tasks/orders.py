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

    def __init__(
        self,
        sizes: np.ndarray,
        keys: np.ndarray,
    ) -> None:
        self._sizes, self._keys = sizes, keys
        self._taken = np.zeros(len(sizes), dtype=np.int64)

    def take(
        self,
        lists: np.ndarray,
        count: int,
    ) -> np.ndarray:
        """The next ``count`` items of these lists; a list named twice gives its next items twice.

        Shape:
            lists ``(n,)``, the result ``(n, count)``.
        """
        begin = self._taken[lists] + count * earlier(lists)
        np.add.at(self._taken, lists, count)
        sizes = self._sizes[lists][:, None]
        # a list of 5 items of which 4 were taken, count 3: the last item of the first pass and
        # two of the second
        #     places       4 5 6   counted from where the first pass began
        #     passes       0 1 1   since then
        #     within pass  4 0 1
        first, place = np.divmod(begin, sizes[:, 0])
        places = place[:, None] + np.arange(count)
        passes = quotients(places, sizes)
        within = places - passes * sizes
        return permuted(within, sizes, self._keys_of(lists, first, passes))

    def _keys_of(
        self,
        lists: np.ndarray,
        first: np.ndarray,
        passes: np.ndarray,
    ) -> np.ndarray:
        """The key of every item's pass, ``(n, count)``; each pass' key is made once."""
        width = passes.max(initial=0) + 1
        numbers = first[:, None] + np.arange(width)
        keys = numbered(self._keys[lists][:, None], numbers)  # (n, width)
        row_begins = width * np.arange(len(lists))
        return keys.ravel()[passes + row_begins[:, None]]

    def make_room(self, count: int) -> None:
        """Begin a new pass of every list of which fewer than ``count`` items are left in the one it
        is in.
        """
        left = -self._taken % self._sizes
        self._taken += np.where(left < count, left, 0)


def permuted(
    places: np.ndarray,
    sizes: np.ndarray,
    keys: np.ndarray,
) -> np.ndarray:
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
    items = _feistel(
        places,
        a,
        b,
        keys,
    ).ravel()
    limits = np.broadcast_to(sizes, places.shape).ravel()
    flat_keys = keys.ravel()
    beyond = np.flatnonzero(items >= limits)
    while len(beyond):
        row = beyond // places.shape[1]
        again = _feistel(
            items[beyond],
            a[row, 0],
            b[row, 0],
            flat_keys[beyond],
        )
        items[beyond] = again
        beyond = beyond[again >= sizes[row, 0]]
    return items.reshape(places.shape)


def quotients(
    numbers: np.ndarray,
    divisors: np.ndarray,
) -> np.ndarray:
    """Numbers below 2⁵² divided, rounded down; several times as fast as dividing integers."""
    return (numbers / divisors).astype(np.int64)


def earlier(lists: np.ndarray) -> np.ndarray:
    """How often every element has stood before: 0 where it is the first of its value, shape
    ``(n,)``.
    """
    order = np.argsort(lists, kind="stable")
    counts = np.empty(len(lists), dtype=np.int64)
    counts[order] = places_in_runs(lists[order])
    return counts


def _feistel(
    numbers: np.ndarray,
    a: np.ndarray,
    b: np.ndarray,
    keys: np.ndarray,
) -> np.ndarray:
    """A permutation of ``0 … a·b − 1``: each half in turn is moved round by an amount that the
    other half and the key tell.

    A number is a pair ``(left, right)`` = ``(number // b, number % b)``; one round::

        (left, right)  →  (right, left + hash(right, key) mod extent of left)
    """
    left = quotients(numbers, b)
    right = (numbers - left * b).astype(np.uint32)
    left = left.astype(np.uint32)
    extent = a.astype(np.uint32)
    other = b.astype(np.uint32)
    key = keys.astype(np.uint32)
    step = (keys >> np.uint64(32)).astype(np.uint32)
    for _ in range(ROUNDS):
        key = key + step
        moved = left + _hashed(right, key, extent)
        # the remainder without a division: below 0 a difference of uint32 is a huge number
        wrapped = np.minimum(moved, moved - extent)
        left, right = right, wrapped
        extent, other = other, extent
    return left.astype(np.int64) * b + right


def _hashed(
    half: np.ndarray,
    key: np.ndarray,
    below: np.ndarray,
) -> np.ndarray:
    """A random number below a bound of at most 2¹⁶, for every half and key: multiplied and folded
    twice, the upper bits scaled.
    """
    # odd multipliers with well-mixed bits: 2³²/φ (Knuth), and that of MurmurHash3's last step
    state = half * np.uint32(0x9E3779B1) + key
    for shift in (16, 15):
        state ^= state >> np.uint32(shift)
        state *= np.uint32(0x85EBCA6B)
    # (upper 16 bits · below) / 2¹⁶, which is below the bound
    state >>= np.uint32(16)
    state *= below
    state >>= np.uint32(16)
    return state
