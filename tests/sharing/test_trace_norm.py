"""Trace norms and their subgradients against float64 SVDs; the penalty, its interval and its
strength.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.algebra.trace_norms import tensor_trace_norms
from softshare.sharing.base import LayerShapes
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.trace_norm import TraceNorm, TraceNormWeight, trace_norm_strength

EXAMPLES = torch.tensor([10, 20, 30, 40])


def random(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(
        shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    ).to(dtype)


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
