"""Unfoldings and decompositions against their definitions, NumPy, SciPy and TensorLy."""

from __future__ import annotations

from functools import partial
from math import prod, sqrt

import numpy as np
import pytest
import tensorly
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import interpolative, qr
from tensorly.decomposition import partial_tucker, tensor_train
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra import decompositions as algebra

SHAPES = [(6, 5, 4), (3, 2, 4, 5, 3), (7, 1, 2), (1, 1, 1), (4, 9)]


def random_tensor(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def decaying_matrix(rows: int, columns: int, seed: int = 0) -> Tensor:
    """A matrix whose singular values fall by a third each."""
    left, _ = torch.linalg.qr(random_tensor((rows, min(rows, columns)), seed))
    right, _ = torch.linalg.qr(random_tensor((columns, min(rows, columns)), seed + 1))
    return left * (3.0 ** -torch.arange(min(rows, columns), dtype=torch.float64)) @ right.T


@pytest.mark.parametrize("shape", SHAPES)
def test_unfoldings_equal_tensorlys(shape: tuple[int, ...]) -> None:
    tensor = random_tensor(shape)
    for mode in range(len(shape)):
        assert_close(algebra.unfold(tensor, mode).numpy(), tensorly.unfold(tensor.numpy(), mode))


def test_sequential_unfolding_puts_the_first_modes_in_the_rows() -> None:
    tensor = random_tensor((2, 3, 4, 5))
    matrix = algebra.unfold_sequentially(tensor, 2)
    assert matrix.shape == (6, 20)
    assert matrix[1 * 3 + 2, 3 * 5 + 4] == tensor[1, 2, 3, 4]


def test_task_axis_goes_last_and_back() -> None:
    stack = random_tensor((3, 4, 5))
    assert torch.equal(algebra.task_last(stack)[1, 2, 0], stack[0, 1, 2])
    assert torch.equal(algebra.task_first(algebra.task_last(stack)), stack)


def test_mode_product_multiplies_every_fibre() -> None:
    tensor, matrix = random_tensor((2, 3, 4)), random_tensor((5, 3), 1)
    assert_close(
        algebra.mode_product(tensor, matrix, 1), torch.einsum("ibc,jb->ijc", tensor, matrix)
    )


@given(
    st.integers(1, 8),
    st.integers(1, 8),
    st.floats(0.01, 0.9),
    st.integers(1, 3),
    st.integers(0, 100),
)
def test_svd_within_is_the_shortest_that_keeps_the_error(
    rows: int, columns: int, share: float, least: int, seed: int
) -> None:
    matrix = random_tensor((rows, columns), seed)
    error = share * float(matrix.norm())
    left, values, right = algebra.svd_within(matrix, error=error, least_rank=least)
    assert float((left * values @ right - matrix).norm()) <= error * (1 + 1e-12)
    rank, singular = len(values), np.linalg.svd(matrix.numpy(), compute_uv=False)
    assert rank >= min(least, rows, columns)
    if rank > least:
        assert np.linalg.norm(singular[rank - 1 :]) > error, (
            "one singular triple fewer would have done"
        )


@pytest.mark.parametrize("shape", [(12, 7), (7, 12), (5, 5), (9, 1), (1, 4)])
@pytest.mark.parametrize("epsilon", [0.5, 0.1, 1e-3])
def test_interpolative_svd_is_scipys_and_stops_by_the_pivots(
    shape: tuple[int, int], epsilon: float
) -> None:
    matrix = decaying_matrix(*shape)
    left, values, right = algebra.interpolative_svd(matrix, epsilon=epsilon, least_rank=1)
    expected = interpolative.svd(matrix.numpy(), epsilon, rand=False)
    assert_close((left * values @ right).numpy(), expected[0] * expected[1] @ expected[2].T)
    pivots = np.abs(np.diag(qr(matrix.numpy(), mode="r", pivoting=True)[0]))
    assert len(values) == int((pivots > epsilon * pivots[0]).sum())


def test_interpolative_svd_keeps_the_least_rank() -> None:
    matrix = torch.outer(torch.arange(1.0, 6.0), torch.ones(4)).double()
    left, values, right = algebra.interpolative_svd(matrix, epsilon=0.1, least_rank=2)
    assert left.shape == (5, 2)
    assert_close(left * values @ right, matrix)
    assert algebra.interpolative_svd(torch.zeros(3, 4).double(), epsilon=0.1, least_rank=2)[
        1
    ].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("shape", "ranks"), [((6, 5, 4), (3, 4, 2)), ((3, 2, 4, 5, 3), (2, 2, 3, 4, 2))]
)
def test_hosvd_equals_tensorlys(shape: tuple[int, ...], ranks: tuple[int, ...]) -> None:
    tensor = random_tensor(shape)
    core, matrices = algebra.hosvd(
        tensor, [partial(algebra.truncated_svd, rank=rank) for rank in ranks]
    )
    (other_core, other_matrices), _ = partial_tucker(
        tensor.numpy(), rank=ranks, n_iter_max=0, init="svd"
    )  # no sweeps: the HOSVD
    expected = tensorly.tucker_to_tensor((other_core, other_matrices))
    assert_close(
        tensorly.tucker_to_tensor((core.numpy(), [matrix.numpy() for matrix in matrices])), expected
    )


@pytest.mark.parametrize(("shape", "ranks"), [((6, 5, 4), (4, 3)), ((3, 2, 4, 5, 3), (3, 4, 5, 2))])
def test_tt_svd_equals_tensorlys(shape: tuple[int, ...], ranks: tuple[int, ...]) -> None:
    tensor = random_tensor(shape)
    cores = algebra.tt_svd(tensor, [partial(algebra.truncated_svd, rank=rank) for rank in ranks])
    closed = [cores[0].unsqueeze(0), *cores[1:-1], cores[-1].unsqueeze(-1)]
    expected = tensorly.tt_to_tensor(tensor_train(tensor.numpy(), rank=[1, *ranks, 1]))
    assert_close(tensorly.tt_to_tensor([core.numpy() for core in closed]), expected)


def test_frobenius_budget_is_split_by_the_number_of_svds() -> None:
    tensor = random_tensor((4, 5, 6))
    cut, *_ = algebra.truncations(tensor, 3, epsilon=0.3, rule="frobenius", least_rank=1)
    assert cut.keywords["error"] == pytest.approx(0.3 * np.linalg.norm(tensor.numpy()) / sqrt(3))  # type: ignore[attr-defined]


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 2, 4, 5)])
def test_reference_rule_cuts_every_unfolding_by_itself(shape: tuple[int, ...]) -> None:
    tensor, epsilon = random_tensor(shape), 0.5
    core, matrices = algebra.hosvd(
        tensor,
        algebra.truncations(tensor, len(shape), epsilon=epsilon, rule="reference", least_rank=1),
    )
    expected = tensor.numpy()
    for mode, matrix in enumerate(matrices):
        left = interpolative.svd(
            np.ascontiguousarray(tensorly.unfold(tensor.numpy(), mode)), epsilon, rand=False
        )[0]
        assert left.shape == matrix.shape
        expected = tensorly.tenalg.mode_dot(expected, left @ left.T, mode)
    assert prod(core.shape) < prod(shape), "at this epsilon something is cut off"
    assert_close(
        tensorly.tucker_to_tensor((core.numpy(), [matrix.numpy() for matrix in matrices])), expected
    )
