"""Random numbers that are computed from what they are for: no generator object a task, no state to
keep.
"""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

SPLITMIX_ROUNDS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
"""Shifts and factors of SplitMix64's output function, made once: few keys take less time than
making these.
"""

SPLITMIX_END = np.uint64(31)


def key_of(
    seed: object,
    name: object,
) -> int:
    """A 64-bit key for a name under a seed."""
    content = f"{seed}\0{name!r}".encode()
    digest = hashlib.blake2b(content, digest_size=8)
    return int.from_bytes(digest.digest(), "big")


def numbered(
    keys: np.ndarray | np.uint64,
    numbers: np.ndarray,
) -> np.ndarray:
    """The random 64-bit number that stands at these places of the keys' streams, of the arrays'
    common shape.
    """
    golden_ratio = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴/φ, made odd: SplitMix64's step
    return mixed(keys + numbers.astype(np.uint64) * golden_ratio)


def mixed(state: np.ndarray) -> np.ndarray:
    """SplitMix64's output function (Steele et al. 2014)."""
    for shift, factor in SPLITMIX_ROUNDS:
        state = (state ^ (state >> shift)) * factor
    return state ^ (state >> SPLITMIX_END)


_SHARED_GENERATORS = threading.RLock()
"""Held by whoever sets a generator that all threads share."""


@contextmanager
def seeded(key: int) -> Iterator[None]:
    """Seeds the generators that all code shares, Python's, NumPy's and PyTorch's on the processor;
    afterwards they go on where they were.

    Threads that do so wait for each other; one that draws from them without asking would still
    disturb them.
    """
    with _SHARED_GENERATORS:
        yield from _seeded(key)


@contextmanager
def torch_seeded(seed: int) -> Iterator[None]:
    """Seeds PyTorch's own generator, for code that takes no other; afterwards it goes on where it
    was. Threads wait for each other.
    """
    with _SHARED_GENERATORS, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def shared_generators() -> dict[str, Any]:
    """Where the generators stand that all code shares: Python's, NumPy's and PyTorch's on the
    processor.
    """
    with _SHARED_GENERATORS:
        version, words, normal = random.getstate()
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002
        return {
            "python": (version, np.array(words), normal),
            "numpy": numpy,
            "torch": torch.get_rng_state(),
        }


def set_shared_generators(state: Mapping[str, Any]) -> None:
    """Let them go on where :func:`shared_generators` found them."""
    with _SHARED_GENERATORS:
        version, words, normal = state["python"]
        random.setstate((version, tuple(words.tolist()), normal))
        np.random.set_state(state["numpy"])  # noqa: NPY002
        torch.set_rng_state(state["torch"])


def _seeded(key: int) -> Iterator[None]:
    python = random.getstate()
    # the legacy generator is what transformations of others draw from
    numpy = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        random.seed(key)
        np.random.seed(key % 2**32)  # noqa: NPY002
        torch.default_generator.manual_seed(key >> 1)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
