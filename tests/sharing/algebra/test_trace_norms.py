"""Trace norms of matrices and of tensors' unfoldings, against their singular values."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import tensorly
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra.trace_norms import tensor_trace_norms, trace_norm


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


def with_values(rows: int, columns: int, values: Tensor) -> Tensor:
    """A matrix with these singular values."""
    left, _ = torch.linalg.qr(random(rows, len(values), seed=1))
    right, _ = torch.linalg.qr(random(columns, len(values), seed=2))
    return (left * values) @ right.T


def by_svd(matrix: Tensor) -> tuple[float, Tensor]:
    """The sum of the singular values, and ``U_r V_rᵀ`` over those that are not zero, in float64."""
    left, values, right = torch.linalg.svd(matrix.detach().double(), full_matrices=False)
    kept = values > 1e-6 * values[0]
    return float(values.sum()), left[:, kept] @ right[kept]


def value_and_gradient(matrix: Tensor) -> tuple[float, Tensor]:
    matrix = matrix.clone().requires_grad_()
    value = trace_norm(matrix)
    (gradient,) = torch.autograd.grad(value, matrix)
    return value.item(), gradient


CASES = {
    "wide": random(5, 300),
    "tall": random(300, 5),
    "square": random(40, 40),
    "longer than a chunk": random(3, 50_000),
    "falling to a thousandth": with_values(10, 400, torch.logspace(0, -3, 10, dtype=torch.float64)),
    "rank deficient": with_values(10, 50, torch.tensor([3.0, 1.0, 0.2], dtype=torch.float64)),
    "repeated values": with_values(
        12, 30, torch.tensor([2.0] * 6 + [0.5] * 6, dtype=torch.float64)
    ),
    "equal rows": random(1, 60).expand(8, 60),
    "rows of zeros": torch.cat([random(3, 20), torch.zeros(4, 20, dtype=torch.float64)]),
    "one row": random(1, 9),
    "one element": random(1, 1),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES)
def test_value_and_subgradient_equal_the_svds(case: str, dtype: torch.dtype) -> None:
    matrix = CASES[case].to(dtype)
    value, gradient = value_and_gradient(matrix)
    expected, subgradient = by_svd(matrix)
    assert value == pytest.approx(expected, rel=1e-6)
    assert gradient.dtype == dtype
    assert (gradient.double() - subgradient).norm() <= 1e-4 * subgradient.norm()


def test_the_zero_matrix_has_subgradient_zero() -> None:
    value, gradient = value_and_gradient(torch.zeros(4, 7))
    assert value == 0
    assert torch.equal(gradient, torch.zeros(4, 7))


def test_a_deficient_rank_gives_the_subgradient_of_least_norm() -> None:
    _, gradient = value_and_gradient(
        with_values(6, 9, torch.tensor([5.0, 1.0], dtype=torch.float64)).float()
    )
    assert gradient.norm().item() == pytest.approx(
        sqrt(2), rel=1e-5
    )  # one for each singular value that is not zero


@pytest.mark.parametrize(
    ("size", "dtype"),
    [(1e-40, torch.float32), (1e-6, torch.float16), (1e18, torch.float32), (1e-37, torch.float32)],
)
def test_the_subgradient_of_tiny_and_huge_weights(size: float, dtype: torch.dtype) -> None:
    matrix = (size * random(4, 30, dtype=torch.float64)).to(dtype)
    _, gradient = value_and_gradient(matrix)
    assert (
        gradient.double() - by_svd(matrix)[1]
    ).norm() <= 2e-3 * 2  # to the precision of the type


def test_a_matrix_without_elements_has_norm_zero() -> None:
    value, gradient = value_and_gradient(torch.zeros(0, 7))
    assert value == 0
    assert gradient.shape == (0, 7)


def test_the_subgradient_keeps_its_precision_under_autocast() -> None:
    matrix = random(5, 40, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, gradient = value_and_gradient(matrix)
    assert_close(gradient.double(), by_svd(matrix)[1], rtol=0, atol=1e-6)


def test_a_matrix_that_is_not_finite_has_norm_nan() -> None:
    value, gradient = value_and_gradient(torch.tensor([[1.0, float("inf")], [0.0, 1.0]]))
    assert np.isnan(value)
    assert gradient.isnan().all()


def test_gradients_equal_finite_differences() -> None:
    assert torch.autograd.gradcheck(trace_norm, random(4, 6).requires_grad_())
    assert torch.autograd.gradcheck(trace_norm, random(6, 4).requires_grad_())


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 2, 4, 5, 3), (7, 4)])
def test_tensor_norms_are_sums_over_tensorlys_unfoldings(shape: tuple[int, ...]) -> None:
    tensor = random(*shape)
    values = tensor.numpy()
    modes = range(len(shape))
    sequential = [values.reshape(int(np.prod(shape[:k])), -1) for k in range(1, len(shape))]
    norms = tensor_trace_norms(tensor)
    assert norms["laf"].item() == pytest.approx(
        np.linalg.norm(tensorly.unfold(values, len(shape) - 1), "nuc")
    )
    assert norms["tucker"].item() == pytest.approx(
        sum(np.linalg.norm(tensorly.unfold(values, mode), "nuc") for mode in modes)
    )
    assert norms["tt"].item() == pytest.approx(
        sum(np.linalg.norm(matrix, "nuc") for matrix in sequential)
    )


def test_an_unfolding_that_several_norms_need_is_computed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    monkeypatch.setattr(
        "softshare.sharing.algebra.trace_norms.trace_norm",
        lambda matrix: seen.append(matrix.shape) or matrix.sum(),
    )
    tensor_trace_norms(random(3, 3, 8, 12, 5))
    assert sorted(seen) == sorted(
        [(3, 1440), (3, 1440), (8, 540), (12, 360), (864, 5), (9, 480), (72, 60)]
    )
