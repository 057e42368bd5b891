"""The tasks' random streams: their rates, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from softshare.network.execution.noise import TaskNoise

CPU = torch.device("cpu")


def kept(
    names: str,
    shape: tuple[int, ...],
    *,
    step: int = 1,
    seed: int = 0,
    tasks: list[int] | None = None,
) -> Tensor:
    noise = TaskNoise(names)
    noise.begin_step(seed, step)
    noise.begin_pass(None if tasks is None else torch.tensor(tasks))
    return noise.keep(shape, 0.3, CPU)


def test_the_rate_is_the_probability_and_draws_are_unrelated() -> None:
    draws = kept("ab", (2, 400, 500)).double()
    # The mean of n draws has the standard deviation sqrt(p (1 - p) / n): five of them.
    assert float(draws.mean()) == pytest.approx(0.7, abs=5 * (0.21 / 400_000) ** 0.5)
    rows = draws.flatten(1)
    for other in (rows[1], rows[0].roll(1), rows[0].roll(2), rows[0].roll(500)):
        correlation = np.corrcoef(rows[0].numpy(), other.numpy())[0, 1]
        assert abs(correlation) < 5 / 200_000**0.5


@pytest.mark.parametrize("other", [{"step": 2}, {"seed": 1}], ids=str)
def test_another_step_or_seed_draws_anew(other: dict[str, int]) -> None:
    first, second = kept("ab", (2, 30, 40)), kept("ab", (2, 30, 40), **other)
    agreement = float((first == second).double().mean())
    assert agreement == pytest.approx(0.7**2 + 0.3**2, abs=0.05)


def test_a_tasks_draws_are_its_names() -> None:
    whole = kept("abc", (3, 7, 5))
    assert torch.equal(kept("cab", (3, 7, 5)), whole[[2, 0, 1]])
    assert torch.equal(kept("b", (1, 7, 5)), whole[[1]])
    assert torch.equal(kept("abc", (2, 7, 5), tasks=[2, 1]), whole[[2, 1]])


def test_a_task_that_stands_twice_in_a_pass_draws_twice() -> None:
    twice = kept("abc", (3, 7, 5), tasks=[1, 2, 1])
    assert torch.equal(twice[:2], kept("abc", (3, 7, 5))[1:])
    assert not torch.equal(twice[0], twice[2])


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_part_of_a_steps_rows_draws_its_part(first: int) -> None:
    whole = kept("ab", (2, 7, 3, 5))
    noise = TaskNoise("ab")
    noise.begin_step(0, 1)
    noise.begin_pass(None)
    noise.first_row = first
    assert torch.equal(noise.keep((2, 7 - first, 3, 5), 0.3, CPU), whole[:, first:])


def test_outside_of_training_pytorchs_generator_is_the_seed() -> None:
    noise, draws = TaskNoise("ab"), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        noise.begin_pass(None)
        draws.append(noise.keep((2, 7, 5), 0.3, CPU))
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
