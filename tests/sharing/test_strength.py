"""Sharing strength against its definition, closed forms and NumPy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.strength import _mean_pairwise_cosine, sharing_strength, similarity
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tucker import Tucker


def random_stack(n_tasks: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        n_tasks, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(np.abs(values))
    return powers / powers.sum(0)


def _mean_over_pairs(columns: np.ndarray) -> float:
    pairs = combinations(columns.T, 2)
    return float(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]))


@given(st.integers(2, 7), st.integers(1, 9), st.integers(0, 100))
def test_every_measure_is_its_definition(n_tasks: int, n_elements: int, seed: int) -> None:
    stack = random_stack(n_tasks, n_elements, seed=seed)
    _, values, right = np.linalg.svd(stack.numpy().T, full_matrices=False)
    task_matrix = values[:, None] * right
    strength = sharing_strength(stack)
    assert strength.rho == pytest.approx(
        _mean_over_pairs(_softmax(task_matrix / np.sqrt(np.mean(task_matrix**2))))
    )
    assert strength.cosine == pytest.approx(_mean_over_pairs(stack.numpy().T))
    shares = values / values.sum()
    assert strength.effective_rank == pytest.approx(np.exp(-np.sum(shares * np.log(shares))))


@pytest.mark.parametrize(("n_tasks", "expected"), [(6, 0.76), (10, 0.82), (50, 0.95)])
def test_the_papers_rho_of_an_identity(n_tasks: int, expected: float) -> None:
    mixture = torch.softmax(torch.eye(n_tasks, dtype=torch.float64), 0)
    assert _mean_pairwise_cosine(mixture.T) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("n_tasks", "n_elements"), [(6, 6), (10, 10), (50, 50), (6, 2), (10, 4), (7, 1)]
)
def test_the_floor_is_rho_of_tasks_with_a_direction_of_their_own(
    n_tasks: int, n_elements: int
) -> None:
    task_matrix = np.eye(n_elements)[:, np.arange(n_tasks) % n_elements]
    expected = _mean_over_pairs(_softmax(task_matrix / np.sqrt(np.mean(task_matrix**2))))
    assert sharing_strength(torch.randn(n_tasks, n_elements)).rho_floor == pytest.approx(expected)
    if n_tasks == n_elements:
        assert sharing_strength(torch.eye(n_tasks)).rho == pytest.approx(expected)


def test_the_floor_of_many_tasks_overflows_nothing() -> None:
    assert sharing_strength(torch.zeros(1200, 1200)).rho_floor == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("shape", [(4, 5), (3, 3, 2, 4), (2, 1)])
def test_tied_weights_are_fully_shared(shape: tuple[int, ...]) -> None:
    strength = sharing_strength(random_stack(1, *shape).expand(6, *shape))
    assert strength.rho == pytest.approx(1)
    assert strength.cosine == pytest.approx(1)
    assert strength.effective_rank == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("factor", [0.01, 10.0, -3.0])
def test_scale_and_mixing_of_the_modes_change_nothing(factor: float) -> None:
    stack = random_stack(5, 6, 4) + 0.5 * random_stack(1, 6, 4, seed=1)
    rotation, _ = torch.linalg.qr(random_stack(24, 24, seed=2))
    mixed = factor * (stack.flatten(1) @ rotation)
    before, after = sharing_strength(stack), sharing_strength(mixed)
    for measure in ("rho", "cosine", "effective_rank"):
        assert getattr(after, measure) == pytest.approx(getattr(before, measure))


def test_every_factorisation_of_one_stack_has_one_rho() -> None:
    stack = random_stack(5, 6, 4)
    expected = sharing_strength(stack).rho
    for sharing in (
        LastAxisFlattening(1.0),
        LastAxisFlattening(1.0, balanced=False),
        Tucker(1.0),
        TensorTrain(1.0),
    ):
        assert sharing_strength(
            sharing.share({"layer": stack})["layer"].stacked()
        ).rho == pytest.approx(expected, abs=1e-9)


def test_more_in_common_is_more_strength() -> None:
    common, own = random_stack(1, 30, 20), random_stack(8, 30, 20, seed=1)
    strengths = [sharing_strength(share * common + (1 - share) * own) for share in (0.0, 0.5, 0.9)]
    for measure in ("rho", "cosine"):
        values = [getattr(strength, measure) for strength in strengths]
        assert values == sorted(values)
    assert [round(strength.effective_rank) for strength in strengths] == sorted(
        (round(s.effective_rank) for s in strengths), reverse=True
    )


def test_a_single_task_and_zero_weights() -> None:
    single, zero = sharing_strength(random_stack(1, 4, 3)), sharing_strength(torch.zeros(3, 4))
    assert (single.rho, single.rho_floor, single.cosine, single.effective_rank) == pytest.approx(
        (1, 1, 1, 1)
    )
    assert (zero.rho, zero.cosine, zero.effective_rank) == pytest.approx((1, 0, 0))


def test_similarity_is_the_cosine_of_every_pair() -> None:
    stack = random_stack(4, 3, 5)
    stack[2] = 0
    expected = np.eye(4)
    for a, b in combinations([0, 1, 3], 2):
        u, v = stack[a].flatten().numpy(), stack[b].flatten().numpy()
        expected[a, b] = expected[b, a] = u @ v / np.linalg.norm(u) / np.linalg.norm(v)
    np.testing.assert_allclose(similarity(stack).numpy(), expected, atol=1e-12)
