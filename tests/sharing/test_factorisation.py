"""Last-axis flattening, Tucker and tensor train: what they promise, at both starts."""

from __future__ import annotations

from math import ceil, prod

import numpy as np
import pytest
import tensorly
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import interpolative
from tensorly.decomposition import partial_tucker, tensor_train
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra.decompositions import Rule
from softshare.sharing.base import LayerShapes
from softshare.sharing.factorisation import Factorisation
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.factorised import FactorisedWeight

KINDS = [LastAxisFlattening, Tucker, TensorTrain]
SHAPES = [(7, 5), (5, 1), (1, 6), (3, 2, 4, 6), (3, 4, 5)]
each_kind = pytest.mark.parametrize("kind", KINDS)
each_shape = pytest.mark.parametrize("shape", SHAPES)


def random_stack(n_tasks: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randn(
        n_tasks, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def factorise(sharing: Factorisation, stack: Tensor) -> FactorisedWeight:
    weight = sharing.share({"layer": stack})["layer"]
    assert isinstance(weight, FactorisedWeight)
    return weight


def draw(
    sharing: Factorisation | Tied,
    shape: tuple[int, ...],
    names: list[object],
    *,
    seed: int = 0,
    std: float = 1.0,
) -> Tensor:
    layer = LayerShapes((shape,), std)
    return sharing.draw({"layer": layer}, RandomStreams(seed, names))["layer"].stacked().detach()


def relative_error(weight: FactorisedWeight, stack: Tensor) -> float:
    return float((weight.stacked().detach() - stack).norm() / stack.norm())


@st.composite
def stacks(draw_value: st.DrawFn) -> Tensor:
    """Stacks of few tasks, many of them of low multilinear rank, with one common part, or zero."""
    n_tasks, seed = draw_value(st.integers(1, 6)), draw_value(st.integers(0, 1000))
    shape = draw_value(st.sampled_from(SHAPES))
    kind = draw_value(st.sampled_from(["full", "low rank", "common", "zero"]))
    if kind == "low rank":
        return torch.einsum(
            "tk,kd->td",
            random_stack(n_tasks, 2, seed=seed),
            random_stack(2, prod(shape), seed=seed + 1),
        ).reshape(-1, *shape)
    if kind == "common":
        return random_stack(1, *shape, seed=seed) + 0.05 * random_stack(
            n_tasks, *shape, seed=seed + 1
        )
    return random_stack(n_tasks, *shape, seed=seed) * (kind != "zero")


# --- trained weights ---------------------------------------------------------------------------


@each_kind
@each_shape
@pytest.mark.parametrize("balanced", [True, False])
def test_full_ranks_are_exact(kind: type, shape: tuple[int, ...], balanced: bool) -> None:
    stack = random_stack(4, *shape)
    assert_close(
        factorise(kind(1.0, balanced=balanced), stack).stacked(), stack, rtol=0, atol=1e-10
    )


@each_kind
@given(stack=stacks(), epsilon=st.sampled_from([0.01, 0.1, 0.3, 0.7]))
@settings(max_examples=60)
def test_frobenius_rule_keeps_epsilon(kind: type, stack: Tensor, epsilon: float) -> None:
    weight = factorise(kind(epsilon=epsilon), stack)
    assert (
        float((weight.stacked() - stack).detach().norm()) <= epsilon * float(stack.norm()) + 1e-12
    )


@each_kind
def test_epsilon_finds_the_rank_of_a_stack_of_low_rank(kind: type) -> None:
    stack = torch.einsum(
        "tc,ia,ob,abc->tio",
        *(random_stack(*shape) for shape in [(6, 2), (8, 4), (7, 3), (4, 3, 2)]),
    )
    expected = {LastAxisFlattening: (2,), Tucker: (4, 3, 2), TensorTrain: (4, 2)}[kind]
    assert factorise(kind(epsilon=1e-6), stack).ranks() == expected


@each_kind
def test_ranks_from_epsilon_have_a_floor(kind: type) -> None:
    tied = torch.outer(torch.arange(1.0, 6.0), torch.ones(4)).expand(
        3, 5, 4
    )  # one direction in every mode
    assert set(factorise(kind(epsilon=0.1), tied).ranks()) == {2}
    assert set(factorise(kind(epsilon=0.1, least_rank=1), tied).ranks()) == {1}
    assert set(factorise(kind(epsilon=0.1, rule="reference"), tied).ranks()) == {2}
    assert factorise(kind(epsilon=0.1), tied[:, :, :1]).ranks()[-1] == 2
    assert factorise(kind(epsilon=0.1), tied[:1]).ranks()[-1] == 1


def test_last_axis_flattening_is_the_truncated_svd_of_the_flattened_stack() -> None:
    stack = random_stack(6, 3, 5)
    left, values, right = np.linalg.svd(stack.flatten(1).numpy().T, full_matrices=False)
    weight = factorise(LastAxisFlattening(2), stack)
    assert_close(
        weight.stacked().detach().flatten(1).T.numpy(), (left[:, :2] * values[:2]) @ right[:2]
    )
    raw = factorise(LastAxisFlattening(2, balanced=False), stack).factors
    assert_close(raw["basis"].flatten(0, 1).T @ raw["basis"].flatten(0, 1), torch.eye(2).double())
    assert_close(raw["task"].norm(dim=0).detach().numpy(), values[:2])


@pytest.mark.parametrize(("shape", "ranks"), [((7, 5), (4, 3, 2)), ((3, 2, 4, 6), (2, 2, 3, 4, 3))])
def test_tucker_equals_tensorlys_hosvd(shape: tuple[int, ...], ranks: tuple[int, ...]) -> None:
    stack = random_stack(4, *shape)
    (core, matrices), _ = partial_tucker(
        stack.movedim(0, -1).numpy(), rank=ranks, n_iter_max=0, init="svd"
    )
    expected = np.moveaxis(tensorly.tucker_to_tensor((core, matrices)), -1, 0)
    weight = factorise(Tucker(ranks), stack)
    assert_close(weight.stacked().detach().numpy(), expected)
    assert weight.ranks() == ranks


@pytest.mark.parametrize(("shape", "ranks"), [((7, 5), (4, 3)), ((3, 2, 4, 6), (3, 5, 8, 3))])
def test_tensor_train_equals_tensorlys(shape: tuple[int, ...], ranks: tuple[int, ...]) -> None:
    stack = random_stack(4, *shape)
    expected = tensorly.tt_to_tensor(
        tensor_train(stack.movedim(0, -1).numpy(), rank=[1, *ranks, 1])
    )
    weight = factorise(TensorTrain(ranks), stack)
    assert_close(weight.stacked().detach().numpy(), np.moveaxis(expected, -1, 0))
    assert weight.ranks() == ranks


def test_the_reference_rule_is_scipys_svd_of_the_unfoldings_one_after_the_other() -> None:
    stack, epsilon = random_stack(6, 8, 7), 0.5
    rest = stack.movedim(0, -1).reshape(8, -1).numpy()
    first, values, right = interpolative.svd(rest, epsilon, rand=False)
    rest = np.ascontiguousarray((values[:, None] * right.T).reshape(len(values) * 7, 6))
    second, values, right = interpolative.svd(rest, epsilon, rand=False)
    expected = np.einsum(
        "ia,aob,bt->tio", first, second.reshape(first.shape[1], 7, -1), values[:, None] * right.T
    )
    weight = factorise(TensorTrain(epsilon=epsilon, rule="reference"), stack)
    assert weight.ranks() == (first.shape[1], second.shape[1])
    assert_close(weight.stacked().detach().numpy(), expected)


@pytest.mark.parametrize("kind", [Tucker, TensorTrain])
def test_the_reference_rule_promises_nothing_for_the_whole(kind: type) -> None:
    decay = 2.0 ** -torch.arange(12, dtype=torch.float64)
    stack = random_stack(12, 12, 12) * decay[:, None, None] * decay[:, None] * decay
    assert relative_error(factorise(kind(epsilon=0.1, rule="reference"), stack), stack) > 0.11
    assert relative_error(factorise(kind(epsilon=0.1), stack), stack) <= 0.1


@each_kind
@each_shape
def test_balanced_factors_have_one_size_and_the_same_product(
    kind: type, shape: tuple[int, ...]
) -> None:
    stack = 1e-3 * random_stack(4, *shape)
    raw, balanced = factorise(kind(0.6, balanced=False), stack), factorise(kind(0.6), stack)
    assert_close(balanced.stacked(), raw.stacked(), rtol=1e-9, atol=1e-15)
    sizes = [float(factor.detach().square().mean().sqrt()) for factor in balanced.factors.values()]
    assert sizes == pytest.approx([sizes[0]] * len(sizes))


@each_kind
def test_factors_have_the_weights_dtype(kind: type) -> None:
    stack = random_stack(4, 7, 5).float()
    weight = factorise(kind(1.0), stack)
    assert {factor.dtype for factor in weight.factors.values()} == {torch.float32}
    assert_close(weight.stacked(), stack, rtol=1e-5, atol=1e-5)


@each_kind
def test_zero_weights_stay_zero_and_can_be_trained(kind: type) -> None:
    weight = factorise(kind(epsilon=0.1), torch.zeros(3, 4, 5))
    weight.stacked().sum().backward()
    assert not weight.stacked().any()
    assert any(factor.grad is not None and factor.grad.any() for factor in weight.factors.values())


def test_one_shared_basis_weight_with_equal_columns_is_hard_sharing() -> None:
    weight = factorise(LastAxisFlattening(1), random_stack(4, 7, 5))
    with torch.no_grad():
        weight.factors["task"].fill_(0.7)
    tied = Tied().share({"layer": weight.stacked().detach()})["layer"]
    assert_close(weight.stacked(), tied.stacked(), rtol=0, atol=1e-12)
    inputs = random_stack(4, 9, 7, seed=3)
    gradients = (
        torch.autograd.grad((inputs @ weight.stacked()).square().sum(), weight.factors["basis"])[
            0
        ].squeeze(-1)
        / 0.7
    )
    tied_gradients = torch.autograd.grad(
        (inputs @ tied.stacked()).square().sum(), list(tied.parameters())
    )[0]
    assert_close(gradients, tied_gradients)


# --- random start ------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("shape", [(20, 16), (3, 3, 8, 10), (30, 1)])
def test_drawn_weights_have_the_layers_standard_deviation(
    kind: type, shape: tuple[int, ...]
) -> None:
    for seed in range(3):
        composed = draw(kind(0.5), shape, list(range(8)), seed=seed, std=0.1)
        assert float(composed.square().mean().sqrt()) == pytest.approx(0.1, rel=1e-5)


@each_kind
def test_drawn_weights_depend_on_seed_and_name_alone(kind: type) -> None:
    names: list[object] = ["a", "b", "c", "d"]
    weights = draw(kind(0.75), (6, 5), names)
    assert torch.equal(draw(kind(0.75), (6, 5), names), weights)
    assert torch.equal(draw(kind(0.75), (6, 5), names[::-1]), weights.flip(0))
    assert not torch.equal(draw(kind(0.75), (6, 5), names, seed=1), weights)


@each_kind
def test_epsilon_cannot_start_at_random(kind: type) -> None:
    with pytest.raises(
        ValueError, match=r"epsilon=0\.1.*give ranks, or train the tasks apart first.*with_sharing"
    ):
        draw(kind(epsilon=0.1), (6, 5), [0, 1])


def test_many_tasks_draw_no_stack_of_weights() -> None:
    layer = {"layer": LayerShapes(((512, 512),))}  # the composed stack would have 5 · 10⁹ elements
    weight = LastAxisFlattening(3).draw(layer, RandomStreams(0, range(20_000)))["layer"]
    assert sum(parameter.numel() for parameter in weight.parameters()) == 3 * (512 * 512 + 20_000)


# --- both doors --------------------------------------------------------------------------------


@each_kind
@pytest.mark.parametrize("rule", ["frobenius", "reference"])
def test_permuting_the_tasks_permutes_the_weights(kind: type, rule: Rule) -> None:
    stack, order = random_stack(5, 7, 6), torch.tensor([3, 0, 4, 2, 1])
    sharing = kind(epsilon=0.4, rule=rule)
    assert_close(
        factorise(sharing, stack[order]).stacked(), factorise(sharing, stack).stacked()[order]
    )


@each_kind
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99, 1.0])
@each_shape
def test_a_share_of_the_ranks_suits_layers_of_any_shape(
    kind: type, share: float, shape: tuple[int, ...]
) -> None:
    stack = random_stack(4, *shape)
    modes = (*shape, 4)
    full = {
        LastAxisFlattening: [min(prod(shape), 4)],
        Tucker: [min(size, prod(modes) // size) for size in modes],
        TensorTrain: [min(prod(modes[:n]), prod(modes[n:])) for n in range(1, len(modes))],
    }[kind]
    expected = tuple(ceil(round(share * bound, 9)) for bound in full)
    assert factorise(kind(share), stack).ranks() == expected
    drawn = kind(share).draw({"layer": LayerShapes((shape,))}, RandomStreams(0, range(4)))["layer"]
    assert drawn.ranks() == expected


def test_a_fraction_gives_no_rank_above_the_product_of_the_others() -> None:
    shape, sharing = (10, 10), Tucker(0.1)  # 10 % of 10, 10 and 20 tasks: (1, 1, 2)
    drawn = sharing.draw({"fc": LayerShapes((shape,))}, RandomStreams(0, range(20)))["fc"]
    assert drawn.ranks() == factorise(sharing, random_stack(20, *shape)).ranks() == (1, 1, 1)


@pytest.mark.parametrize(
    ("sharing", "shape", "message"),
    [
        (
            LastAxisFlattening(5),
            (7, 5),
            "layer 'fc': LastAxisFlattening rank 5 of axis 'task' is above its maximum 4",
        ),
        (LastAxisFlattening(4), (3, 1), "rank 4 of axis 'task' is above its maximum 3"),
        (
            Tucker((8, 5, 4)),
            (7, 5),
            "layer 'fc': Tucker rank 8 of axis 'in' is above its maximum 7",
        ),
        (Tucker((7, 5, 4)), (7, 1), "Tucker rank 7 of axis 'in' is above its maximum 4"),
        (
            Tucker((3, 3, 4, 6, 4)),
            (3, 2, 4, 6),
            "Tucker rank 3 of axis 'width' is above its maximum 2",
        ),
        (Tucker((1, 1, 2)), (7, 5), "Tucker rank 2 of axis 'task' is above its maximum 1"),
        (Tucker((5, 2, 2)), (7, 5), "Tucker rank 5 of axis 'in' is above its maximum 4"),
        (
            Tucker((3, 2)),
            (7, 5),
            "Tucker needs a rank for each of the axes in, out, task, got \\(3, 2\\)",
        ),
        (TensorTrain((2, 5)), (7, 5), "TensorTrain rank 5 of axis 'out' is above its maximum 4"),
        (
            TensorTrain((1, 3, 3, 3)),
            (3, 2, 4, 6),
            "TensorTrain rank 3 of axis 'width' is above its maximum 2",
        ),
        (
            TensorTrain((3, 2, 2)),
            (7, 5),
            "TensorTrain needs a rank for each of the axes in, out, got \\(3, 2, 2\\)",
        ),
    ],
)
def test_ranks_that_do_not_suit_a_layer_are_refused(
    sharing: Factorisation, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sharing.share({"fc": random_stack(4, *shape)})
    with pytest.raises(ValueError, match=message):
        sharing.draw({"fc": LayerShapes((shape,))}, RandomStreams(0, range(4)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "Tucker: give either ranks or epsilon"),
        (
            {"ranks": (2, 2, 2), "epsilon": 0.1},
            "Tucker: give either ranks or epsilon, and not both",
        ),
        ({"epsilon": 0.0}, "epsilon is a relative error between 0 and 1, got 0.0"),
        ({"epsilon": 1.0}, "epsilon is a relative error between 0 and 1, got 1.0"),
        (
            {"epsilon": 0.1, "rule": "spectral"},
            r"rule must be one of \('frobenius', 'reference'\), got 'spectral'",
        ),
        (
            {"epsilon": 0.1, "least_rank": 0},
            "least_rank must be a whole number of at least 1, got 0",
        ),
        ({"epsilon": "small"}, "epsilon is a relative error between 0 and 1, got 'small'"),
        ({"ranks": 0.5, "task_rank": "small"}, "got 'small'"),
        ({"ranks": 0.0}, "fraction of the largest ranks is above 0 and at most 1, got 0.0"),
        ({"ranks": 1.5}, "fraction of the largest ranks is above 0 and at most 1, got 1.5"),
        (
            {"ranks": 3},
            "ranks are one whole number for each mode, such as .* got one number for all, 3",
        ),
        (
            {"ranks": [3, 2, 2]},
            r"ranks are whole numbers of at least 1, one for each mode, such as .* got \[3, 2, 2\]",
        ),
        (
            {"ranks": (3, 0, 2)},
            r"ranks are whole numbers of at least 1, one for each mode, such as .* got \(3, 0, 2\)",
        ),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tucker(**settings)  # type: ignore[arg-type]


def test_numbers_may_be_numpys() -> None:
    assert Tucker(tuple(np.array([3, 2, 2]))) == Tucker((3, 2, 2))
    assert [Tucker(share).ranks for share in np.linspace(0.2, 0.4, 2, dtype=np.float64)] == [
        0.2,
        0.4,
    ]
    assert LastAxisFlattening(np.int64(3)).share({"fc": random_stack(4, 7, 5)})["fc"].ranks() == (
        3,
    )  # type: ignore[arg-type]


@each_kind
def test_tasks_of_different_shapes_are_refused(kind: type) -> None:
    with pytest.raises(
        ValueError,
        match=rf"layer 'fc': {kind.__name__} needs one shape for all tasks, found \[\(7, 3\), "
        r"\(7, 5\)\]",
    ):
        kind(0.5).share({"fc": [torch.zeros(7, 5), torch.zeros(7, 3)]})
    with pytest.raises(ValueError, match=f"layer 'fc': {kind.__name__} needs one shape"):
        kind(0.5).draw({"fc": LayerShapes(((7, 5), (7, 3)))}, RandomStreams(0, range(2)))


@each_kind
def test_weights_that_are_not_finite_are_refused(kind: type) -> None:
    with pytest.raises(ValueError, match="layer 'fc': the weights to factorise are not finite"):
        kind(0.5).share({"fc": torch.full((3, 4, 5), torch.nan)})
