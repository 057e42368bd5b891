"""Random numbers that are computed from what they are for: no generator object a task, no state to keep."""

from __future__ import annotations

import hashlib

import numpy as np


def key_of(seed: object, name: object) -> int:
    """A 64-bit key for a name under a seed."""
    return int.from_bytes(hashlib.blake2b(f"{seed}\0{name!r}".encode(), digest_size=8).digest(), "big")


def numbered(keys: np.ndarray | np.uint64, numbers: np.ndarray) -> np.ndarray:
    """The random 64-bit number that stands at these places of the keys' streams, of the arrays' common shape."""
    return mixed(keys + numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def mixed(state: np.ndarray) -> np.ndarray:
    """SplitMix64's output function (Steele et al. 2014)."""
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
