"""Trace norms and their subgradients against float64 SVDs; the penalty, its interval and its
strength.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import tensorly
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra.trace_norms import tensor_trace_norms, trace_norm
from softshare.sharing.base import LayerShapes, RandomStreams
from softshare.sharing.trace_norm import TraceNorm, TraceNormWeight, trace_norm_strength

EXAMPLES = torch.tensor([10, 20, 30, 40])


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


def weight_of(sharing: TraceNorm, stack: Tensor) -> TraceNormWeight:
    weight = sharing.share({"layer": stack})["layer"]
    assert isinstance(weight, TraceNormWeight)
    return weight


def nuclear(stack: Tensor, rows: tuple[int, ...]) -> float:
    """Trace norm of the unfolding with these axes of the stack as rows."""
    others = [axis for axis in range(stack.ndim) if axis not in rows]
    matrix = stack.detach().permute(*rows, *others).flatten(len(rows)).flatten(0, len(rows) - 1)
    return float(np.linalg.norm(matrix.numpy(), "nuc"))


def test_the_penalty_weighs_every_unfolding_in_the_papers_order() -> None:
    stack = random(4, 6, 5)  # task, in, out
    tucker = weight_of(TraceNorm("tucker", gamma=(0.5, 2.0, 0.25)), stack).penalty(EXAMPLES)
    assert tucker.item() == pytest.approx(
        0.5 * nuclear(stack, (1,)) + 2.0 * nuclear(stack, (2,)) + 0.25 * nuclear(stack, (0,))
    )
    tt = weight_of(TraceNorm("tt", gamma=(0.5, 0.25)), stack).penalty(EXAMPLES)
    assert tt.item() == pytest.approx(0.5 * nuclear(stack, (1,)) + 0.25 * nuclear(stack, (0,)))
    laf = weight_of(TraceNorm("laf", gamma=2), stack).penalty(EXAMPLES)
    assert laf.item() == pytest.approx(2 * nuclear(stack, (0,)))


def test_a_matrix_of_weights_counts_its_two_unfoldings_twice() -> None:
    stack = random(4, 6)
    assert weight_of(TraceNorm("tucker", gamma=1.0), stack).penalty(
        EXAMPLES
    ).item() == pytest.approx(2 * nuclear(stack, (0,)))


def test_per_example_divides_by_the_mean_number_of_examples() -> None:
    stack = random(4, 6, 5)
    beside_means = weight_of(TraceNorm(), stack).penalty(EXAMPLES).item()
    assert weight_of(TraceNorm(per_example=True), stack).penalty(EXAMPLES).item() == pytest.approx(
        beside_means / 25
    )


def test_penalty_gradients_equal_finite_differences() -> None:
    for norm in ("laf", "tucker", "tt"):
        weight = weight_of(TraceNorm(norm, gamma=0.7), random(4, 3, 5))

        def penalty(values: Tensor, weight: TraceNormWeight = weight) -> Tensor:
            return torch.func.functional_call(weight, {"weight": values}, (EXAMPLES,))

        weight.forward = weight.penalty  # type: ignore[method-assign]
        assert torch.autograd.gradcheck(penalty, random(4, 3, 5, seed=3).requires_grad_())


def test_between_evaluations_the_penalty_is_the_tangent() -> None:
    often, seldom = (
        weight_of(TraceNorm("tucker", gamma=0.3, every=every), random(4, 6, 5)) for every in (1, 3)
    )
    start = seldom.weight.detach().clone()
    tangents = []
    for step in range(7):
        moved = start + step * random(4, 6, 5, seed=step)
        with torch.no_grad():
            often.weight.copy_(moved)
            seldom.weight.copy_(moved)
        exact, value = often.penalty(EXAMPLES), seldom.penalty(EXAMPLES)
        (gradient,) = torch.autograd.grad(value, seldom.weight)
        if step % 3 == 0:
            assert_close(value, exact)
            assert_close(gradient, torch.autograd.grad(exact, often.weight)[0])
        else:
            assert value < exact  # the norm is convex
        tangents.append(seldom.tangent.clone())
        seldom.after_step()
    assert [
        torch.equal(now, before) for now, before in zip(tangents[1:], tangents, strict=False)
    ] == [True, True, False, True, True, False]


def test_the_interval_goes_on_where_a_saved_state_left_it() -> None:
    first, second = (
        weight_of(TraceNorm("tt", every=5), random(4, 6, 5, seed=seed)) for seed in (0, 1)
    )
    first.penalty(EXAMPLES)
    for _ in range(2):
        first.after_step()
    with torch.no_grad():
        first.weight.add_(1)
    second.load_state_dict(first.state_dict())
    assert second.penalty(EXAMPLES).item() == first.penalty(EXAMPLES).item()


def test_a_random_start_is_independent_learnings() -> None:
    streams = RandomStreams(0, range(4))
    stack = TraceNorm().draw({"fc": LayerShapes(((50, 40),), 0.2)}, streams)["fc"].stacked()
    assert stack.std().item() == pytest.approx(0.2, rel=0.02)
    assert not torch.equal(stack[0], stack[1])


def test_strength_is_the_share_of_the_norm_that_training_took() -> None:
    before, after = random(4, 6, 5), random(4, 6, 5, seed=1)
    strength = trace_norm_strength(before, after)
    first, last = (tensor_trace_norms(stack.movedim(0, -1)) for stack in (before, after))
    assert strength == {
        norm: pytest.approx(1 - float(last[norm] / first[norm])) for norm in ("laf", "tucker", "tt")
    }
    assert trace_norm_strength(before, before / 4) == dict.fromkeys(
        ("laf", "tucker", "tt"), pytest.approx(0.75)
    )
    common = random(1, 6, 5).expand(4, 6, 5)
    assert (
        trace_norm_strength(common, common + 0.1 * before)["laf"] < 0
    )  # from a common start the norm can only grow
    assert np.isnan(trace_norm_strength(torch.zeros(2, 3, 3), before[:2, :3, :3])["laf"])


def test_strength_needs_stacks_of_one_shape() -> None:
    with pytest.raises(ValueError, match=r"one shape .* got \(2, 3, 3\) and \(2, 3, 4\)"):
        trace_norm_strength(torch.zeros(2, 3, 3), torch.zeros(2, 3, 4))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"norm": "nuclear"}, "norm must be one of .*'nuclear'"),
        ({"gamma": -0.1}, "gamma is a number of at least 0.*-0.1"),
        ({"gamma": float("nan")}, "gamma is a number"),
        ({"gamma": (0.1, -1.0)}, "gamma is a number"),
        ({"gamma": ()}, "gamma is a number"),
        ({"gamma": "strong"}, "gamma is a number.*'strong'"),
        ({"gamma": True}, "gamma is a number"),
        ({"every": 0}, "every is a number of steps of at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TraceNorm(**settings)  # type: ignore[arg-type]


def test_numbers_may_be_numpys() -> None:
    assert [TraceNorm(gamma=gamma) for gamma in np.logspace(-3, 0, 4)] == [
        TraceNorm(gamma=gamma) for gamma in (0.001, 0.01, 0.1, 1.0)
    ]
    assert TraceNorm("tt", gamma=(np.float32(0.5), 0.25), every=np.int64(2)) == TraceNorm(
        "tt", gamma=(0.5, 0.25), every=2
    )  # type: ignore[arg-type]


def test_a_wrong_count_of_gammas_names_the_layer_and_its_axes() -> None:
    sharing = TraceNorm("tucker", gamma=(0.1, 0.2, 0.3))
    with pytest.raises(
        ValueError,
        match=r"layer 'conv0': .* 5 unfolding\(s\) here \(axes height, width, in, out, task\), "
        r"gamma has 3",
    ):
        sharing.share({"fc": random(4, 6, 5), "conv0": random(4, 3, 3, 2, 5)})


def test_tasks_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="layer 'fc': TraceNorm needs one shape"):
        TraceNorm().share({"fc": [random(3, 2), random(4, 2)]})
