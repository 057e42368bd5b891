"""Canonical polyadic factorisation: its definition, its fit and its limits."""

from __future__ import annotations

from itertools import product

import pytest
import tensorly
import torch
from tensorly.decomposition import parafac
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes
from softshare.sharing.canonical_polyadic import CP, alternating_least_squares
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.factorised import FactorisedWeight


def random(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def shared(sharing: CP, stack: Tensor) -> FactorisedWeight:
    weight = sharing.share({"layer": stack})["layer"]
    assert isinstance(weight, FactorisedWeight)
    return weight


def error(weight: FactorisedWeight, stack: Tensor) -> float:
    return float((weight.stacked().detach() - stack).norm() / stack.norm())


@pytest.mark.parametrize("shape", [(6, 5), (3, 2, 4, 5)])
def test_a_weight_is_the_sum_of_its_products(shape: tuple[int, ...]) -> None:
    weight = CP(3).draw({"layer": LayerShapes((shape,))}, RandomStreams(0, range(4)))["layer"]
    *modes, task = [factor.detach() for factor in weight.factors.values()]
    for number in range(4):
        expected = torch.zeros(shape)
        for r in range(3):
            for place in product(*map(range, shape)):
                element = task[number, r]
                for mode, index in zip(modes, place, strict=True):
                    element = element * mode[index, r]
                expected[place] += element
        assert_close(weight.of(number), expected)


@pytest.mark.parametrize("shape", [(7, 6), (3, 3, 4, 6)])
@pytest.mark.parametrize("rank", [1, 2, 4])
def test_a_stack_of_that_many_products_is_found(shape: tuple[int, ...], rank: int) -> None:
    factors = [random(size, rank, seed=n) for n, size in enumerate((*shape, 5))]
    stack = tensorly.cp_to_tensor((None, [factor.numpy() for factor in factors]))
    stack = torch.from_numpy(stack).movedim(-1, 0)
    assert error(shared(CP(rank), stack), stack) < 1e-3


@pytest.mark.parametrize("rank", [1, 3, 5])
def test_the_fit_is_as_good_as_tensorlys(rank: int) -> None:
    stack = random(6, 9, 8)
    tensor = stack.movedim(0, -1)
    theirs = parafac(tensor.numpy(), rank, n_iter_max=200, init="svd", tol=1e-7, random_state=0)
    expected = tensorly.cp_to_tensor(theirs) - tensor.numpy()
    ours = error(shared(CP(rank), stack), stack)
    assert ours <= 1.02 * float((expected**2).sum() ** 0.5 / tensor.norm())


def test_a_solution_is_stationary() -> None:
    # Beside the other factors every one is the best there is, so the error's gradient is zero.
    tensor = random(7, 6, 5)
    matrices = [matrix.requires_grad_() for matrix in alternating_least_squares(tensor, 2)]
    loss = (torch.einsum("ar,br,cr->abc", *matrices) - tensor).square().sum()
    for gradient in torch.autograd.grad(loss, matrices):
        assert float(gradient.abs().max()) < 1e-2 * float(tensor.norm())


def test_more_products_fit_better_and_the_most_exactly() -> None:
    stack = random(3, 4, 5)
    errors = [error(shared(CP(rank), stack), stack) for rank in (1, 4, 8, 12)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-6


def test_vectors_of_a_product_have_one_length() -> None:
    matrices = alternating_least_squares(1e-3 * random(7, 6, 5), 3)
    lengths = torch.stack([matrix.norm(dim=0) for matrix in matrices])
    assert_close(lengths, lengths[:1].expand(3, 3))


def test_tasks_on_a_grid_have_a_vector_for_each_factor() -> None:
    names = list(product("ab", "xyz"))
    left, right, cells = random(4, 2), random(5, 2, seed=1), random(2, 2, seed=2)
    rows = random(3, 2, seed=3)
    stack = torch.einsum("ir,or,ar,cr->acio", left, right, cells, rows).flatten(0, 1)
    sharing = CP(2).for_tasks(names)
    assert isinstance(sharing, CP)
    weight = shared(sharing, stack)
    assert list(weight.factors) == ["mode_1", "mode_2", "task_1", "task_2"]
    assert error(weight, stack) < 1e-3


def test_zero_weights_stay_zero_and_can_be_trained() -> None:
    weight = shared(CP(2), torch.zeros(3, 4, 5))
    weight.stacked().sum().backward()
    assert not weight.stacked().any()
    assert weight.factors["task"].grad.any()


@pytest.mark.parametrize("fraction", [0.01, 0.5, 1.0])
def test_a_fraction_is_of_the_largest_useful_rank(fraction: float) -> None:
    drawn = CP(fraction).draw({"fc": LayerShapes(((6, 5),))}, RandomStreams(0, range(4)))["fc"]
    assert drawn.ranks() == ({0.01: 1, 0.5: 10, 1.0: 20}[fraction],)


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        (0, "CP: ranks are whole numbers of at least 1"),
        (1.5, "CP: a fraction of the largest ranks is above 0 and at most 1, got 1.5"),
        (21, "layer 'fc': CP rank 21 of axis 'every mode' is above its maximum 20"),
    ],
)
def test_ranks_that_cannot_be_are_refused(rank: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CP(rank).draw({"fc": LayerShapes(((6, 5),))}, RandomStreams(0, range(4)))
