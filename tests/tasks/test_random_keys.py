"""Random numbers computed from what they are for."""

from __future__ import annotations

import random

import numpy as np
import torch

from softshare.tasks.random_keys import key_of, mixed, numbered, seeded


def split_mix(state: int, count: int) -> list[int]:
    """SplitMix64 step by step in Python's whole numbers."""
    drawn, bits = [], (1 << 64) - 1
    for _ in range(count):
        value = state
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & bits
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB & bits
        drawn.append(value ^ (value >> 31))
        state = (state + 0x9E3779B97F4A7C15) & bits
    return drawn


def test_numbered_is_the_stream_of_split_mix() -> None:
    found = numbered(np.uint64(1234567), np.arange(5))
    assert found.tolist() == split_mix(1234567, 5)


def test_the_published_stream_of_seed_1234567() -> None:
    # the first value of SplitMix64 from this seed, whose state is stepped before it is mixed
    first = mixed(np.array([1234567 + 0x9E3779B97F4A7C15], dtype=np.uint64))
    assert first.tolist() == [6457827717110365317]


def test_keys_tell_seeds_and_names_apart() -> None:
    keys = {key_of(seed, name) for seed in (0, 1, "0/1") for name in ("a", ("a",), "b", 1)}
    assert len(keys) == 12


def test_all_generators_go_on_where_they_were() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002

    with seeded(5):
        expected = draw()
    before = random.getstate(), torch.get_rng_state()
    with seeded(5):
        assert draw() == expected
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
