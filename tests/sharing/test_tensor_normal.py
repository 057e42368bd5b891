"""The tensor normal prior against SciPy's densities and its updates against what they minimise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from math import log, pi

import numpy as np
import pytest
import torch
from scipy.stats import matrix_normal, multivariate_normal
from torch import Tensor, nn
from torch.testing import assert_close

import softshare as ss
from softshare.sharing.algebra.tensor_normal_density import (
    Covariance,
    negative_log_density,
    scatter,
    smoothed,
)
from softshare.sharing.base import LayerShapes, Sharing
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_normal import TensorNormal, TensorNormalWeight

EXAMPLES = torch.tensor([10, 20, 30, 40])


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(size: int, seed: int = 0) -> Tensor:
    root = random(size, size + 2, seed=seed)
    return root @ root.T / (size + 2)


def minus_log_density(stack: Tensor, covariances: Mapping[int, Tensor]) -> Tensor:
    precisions = {axis: torch.linalg.inv(sigma) for axis, sigma in covariances.items()}
    return negative_log_density(
        stack, precisions, {axis: torch.logdet(sigma) for axis, sigma in covariances.items()}
    )


def constant(stack: Tensor) -> float:
    return stack.numel() / 2 * log(2 * pi)


def weight_of(sharing: Sharing, stack: Tensor) -> TensorNormalWeight:
    weight = sharing.share({"layer": stack})["layer"]
    assert isinstance(weight, TensorNormalWeight)
    return weight


# --- the density ---------------------------------------------------------------------------------


def test_order_2_equals_scipys_matrix_normal() -> None:
    stack, rows, columns = random(4, 6), covariance(4), covariance(6)
    expected = matrix_normal(rowcov=rows.numpy(), colcov=columns.numpy()).logpdf(stack.numpy())
    assert minus_log_density(stack, {0: rows, 1: columns}).item() + constant(
        stack
    ) == pytest.approx(-expected)


def test_order_3_equals_the_dense_normal_of_the_kronecker_product() -> None:
    stack, covariances = random(3, 4, 5), [covariance(size, seed=size) for size in (3, 4, 5)]
    dense = multivariate_normal(cov=reduce(np.kron, [sigma.numpy() for sigma in covariances]))
    expected = dense.logpdf(
        stack.flatten().numpy()
    )  # row-major, as the Kronecker product in ascending order of modes
    assert minus_log_density(stack, dict(enumerate(covariances))).item() + constant(
        stack
    ) == pytest.approx(-expected)


def test_a_mode_left_out_has_the_identity() -> None:
    stack, of_tasks = random(3, 4, 5), covariance(3)
    named = minus_log_density(
        stack,
        {0: of_tasks, 1: torch.eye(4, dtype=torch.float64), 2: torch.eye(5, dtype=torch.float64)},
    )
    assert_close(minus_log_density(stack, {0: of_tasks}), named)


def test_identity_covariances_give_half_the_squared_norm() -> None:
    stack = random(4, 3, 5)
    for modes in ((), ("in", "out")):
        weight = weight_of(TensorNormal(modes, scale=1), stack)
        assert (25 * weight.penalty(EXAMPLES)).item() == pytest.approx(
            0.5 * float(stack.square().sum())
        )


def test_before_its_first_update_the_prior_is_half_the_squared_norm_but_for_the_tasks_trace() -> (
    None
):
    """``Σ_task = I/T`` there, of trace 1: the norm counts T times, and the log determinants are
    ``−½ d ln T``.
    """
    stack = random(4, 3, 5)
    expected = 0.5 * 4 * float(stack.square().sum()) - 0.5 * stack.numel() * log(4)
    for modes in (("task",), ("in", "out", "task")):
        weight = weight_of(TensorNormal(modes, scale=1), stack)
        assert (25 * weight.penalty(EXAMPLES)).item() == pytest.approx(expected)


def test_gradients_equal_finite_differences() -> None:
    covariances = {0: covariance(3), 2: covariance(5)}
    assert torch.autograd.gradcheck(
        lambda stack: minus_log_density(stack, covariances), random(3, 4, 5).requires_grad_()
    )


# --- the updates ---------------------------------------------------------------------------------


def test_the_task_covariance_is_the_minimiser_beside_the_others() -> None:
    """Among DRN's alternating steps: the gradient is zero there, and every other covariance is
    worse.
    """
    stack = random(4, 6, 5)
    best = (scatter(stack, 0, {}) / 30).requires_grad_()
    least = minus_log_density_of(best, stack)
    (gradient,) = torch.autograd.grad(least, best)
    assert gradient.abs().max() < 1e-10
    for seed in range(20):
        assert minus_log_density_of(best.detach() + 0.05 * covariance(4, seed=seed), stack) > least
        assert minus_log_density_of(covariance(4, seed=seed), stack) > least


def minus_log_density_of(sigma: Tensor, stack: Tensor) -> Tensor:
    """Of the task covariance alone, so that autograd reaches it."""
    unfolded = stack.flatten(1)
    return (
        torch.trace(unfolded.T @ torch.linalg.solve(sigma, unfolded))
        + unfolded.shape[1] * torch.logdet(sigma)
    ) / 2


def test_epsilon_is_the_minimiser_of_the_penalised_density() -> None:
    """``S + εI`` minimises the density plus ``½ (d/T) ε tr Σ⁻¹``; the update is that, scaled to
    trace 1.
    """
    stack = random(4, 6, 5)
    estimate = scatter(stack, 0, {}) / 30
    epsilon = 0.1 * estimate.diagonal().mean()
    sigma = (estimate + epsilon * torch.eye(4, dtype=torch.float64)).requires_grad_()
    objective = minus_log_density_of(sigma, stack) + 15 * epsilon * torch.trace(
        torch.linalg.inv(sigma)
    )
    assert torch.autograd.grad(objective, sigma)[0].abs().max() < 1e-10
    weight = weight_of(TensorNormal(warm_up=0, every=1, epsilon=0.1), stack)
    weight.after_step()
    assert_close(weight.task_covariance(), sigma.detach() / sigma.detach().trace())


def test_the_update_raises_the_density_whatever_the_scale() -> None:
    """The trace is fixed, so covariances are compared at the scale that suits each best: ``tr(Σ⁻¹S)
    T ≥ …``.
    """

    def at_best_scale(sigma: Tensor, stack: Tensor) -> float:
        squares = torch.trace(stack.flatten(1).T @ torch.linalg.solve(sigma, stack.flatten(1)))
        return minus_log_density_of(sigma * squares / stack.numel(), stack).item()

    for seed in range(5):
        stack = random(4, 6, 5, seed=seed)
        weight = weight_of(TensorNormal(warm_up=0, every=1, epsilon=1e-9), stack)
        before = at_best_scale(weight.task_covariance().clone(), stack)
        weight.after_step()
        after = at_best_scale(weight.task_covariance(), stack)
        assert after < before
        assert all(after <= at_best_scale(covariance(4, seed=other), stack) for other in range(10))


@pytest.mark.parametrize("size", [0.05, 0.3, 0.5, 1.0, 3.0])
def test_with_its_trace_fixed_the_update_lowers_the_trained_penalty_where_that_is_promised(
    size: float,
) -> None:
    """At the first update, and where ``tr(Σ⁻¹ Σ_new) − T`` has the sign of ``tr S − 1`` or one of
    them is 0, S being the estimate.
    """
    kept = []
    for seed in range(10):
        weight = weight_of(
            TensorNormal(warm_up=0, every=1, epsilon=1e-10, scale=1),
            size * random(4, 6, 5, seed=seed),
        )
        assert updated(weight)[1]
        factors = 0.2 + 2 * random(4, 1, 1, seed=100 + seed).abs()
        with torch.no_grad():
            weight.weight.mul_(factors)
            promised, falls = updated(weight)
            assert falls or not promised
            kept.append(promised)
            weight.weight.mul_(factors).div_(
                weight.weight.square().mean((1, 2)).sum().sqrt()
            )  # tr S = 1
            assert updated(weight) == (True, True)
    assert any(kept)


def test_with_its_trace_fixed_the_update_may_raise_the_trained_penalty_elsewhere() -> None:
    weight = weight_of(
        TensorNormal(warm_up=0, every=1, epsilon=1e-6, scale=1),
        torch.tensor([1, 2]).view(2, 1, 1) * random(2, 40, 30),
    )
    weight.after_step()
    with torch.no_grad():
        weight.weight[1] *= 2
    assert updated(weight) == (False, False)


def updated(weight: TensorNormalWeight) -> tuple[bool, bool]:
    """Whether an update was sure to lower the penalty, and whether it did."""
    sigma, stack = weight.task_covariance(), weight.weight.detach().flatten(1)
    assert sigma is not None
    estimate = stack @ stack.T / stack.shape[1]
    excess = torch.trace(torch.linalg.solve(sigma, estimate / estimate.trace())) - len(stack)
    before = weight.penalty(torch.ones(len(stack))).item()
    weight.after_step()
    after = weight.penalty(torch.ones(len(stack))).item()
    return bool((estimate.trace() - 1) * excess >= -1e-9), after <= before + 1e-9 * abs(before)


def test_a_sweep_through_all_modes_never_lowers_the_density() -> None:
    stack = random(4, 6, 5)
    covariances = {
        axis: torch.eye(size, dtype=torch.float64) for axis, size in enumerate(stack.shape)
    }
    values = [minus_log_density(stack, covariances).item()]
    for _ in range(5):
        for axis in (1, 2, 0):
            precisions = {other: torch.linalg.inv(sigma) for other, sigma in covariances.items()}
            covariances[axis] = scatter(stack, axis, precisions) / (
                stack.numel() / stack.shape[axis]
            )
            values.append(minus_log_density(stack, covariances).item())
    assert all(after <= before + 1e-9 for before, after in pairwise(values))
    assert values[-1] < values[0] - 1


def test_a_sweep_is_flip_flop_by_dense_kronecker_products() -> None:
    stack = random(4, 3, 5)
    weight = weight_of(TensorNormal(("in", "out", "task"), warm_up=0, every=1, epsilon=0.05), stack)
    weight.after_step()
    expected = {"in": np.eye(3), "out": np.eye(5), "task": np.eye(4) / 4}
    axes, traces = {"task": 0, "in": 1, "out": 2}, {"task": 1.0, "in": 3.0, "out": 5.0}
    for mode in ("in", "out", "task"):
        others = [other for other in ("task", "in", "out") if other != mode]
        unfolded = np.moveaxis(stack.numpy(), axes[mode], 0).reshape(stack.shape[axes[mode]], -1)
        middle = np.linalg.inv(np.kron(expected[others[0]], expected[others[1]]))
        sigma = unfolded @ middle @ unfolded.T / unfolded.shape[1]
        sigma += 0.05 * np.trace(sigma) / len(sigma) * np.eye(len(sigma))
        expected[mode] = traces[mode] * sigma / np.trace(sigma)
    for mode in expected:
        assert_close(weight.covariances[mode].covariance.numpy(), expected[mode])


def test_precision_and_log_determinant_are_the_covariances() -> None:
    weight = weight_of(TensorNormal(("in", "task"), warm_up=0, every=1), random(4, 6, 5))
    for _ in range(2):
        for mode in weight.covariances.values():
            assert_close(
                mode.precision @ mode.covariance,
                torch.eye(len(mode.covariance), dtype=torch.float64),
            )
            assert_close(mode.log_determinant, torch.logdet(mode.covariance))
        weight.after_step()


def test_smoothing_applies_the_inverse_of_the_kronecker_product() -> None:
    stack, covariances = random(3, 4, 5), [covariance(size, seed=size) for size in (3, 4, 5)]
    dense = np.linalg.inv(reduce(np.kron, [sigma.numpy() for sigma in covariances]))
    applied = smoothed(
        stack, {axis: torch.linalg.inv(sigma) for axis, sigma in enumerate(covariances)}
    )
    assert_close(applied.flatten().numpy(), dense @ stack.flatten().numpy())


def test_related_tasks_are_correlated() -> None:
    base, other = random(1, 40, 30), random(1, 40, 30, seed=1)
    stack = torch.cat([base, base + 0.1 * other, -base, other])
    weight = weight_of(TensorNormal(warm_up=0, every=1, epsilon=1e-3), stack)
    weight.after_step()
    correlation = weight.task_correlation()
    assert correlation is not None
    assert_close(correlation.diagonal(), torch.ones(4, dtype=torch.float64))
    assert correlation[0, 1] > 0.95
    assert correlation[0, 2] < -0.95
    assert abs(correlation[0, 3]) < 0.1


# --- when, and over which layers ------------------------------------------------------------------


def test_covariances_wait_for_the_warm_up_and_keep_their_interval() -> None:
    weight = weight_of(TensorNormal(warm_up=4, every=3), random(4, 6, 5))
    changed = []
    for step in range(1, 11):
        before = weight.task_covariance().clone()
        with torch.no_grad():
            weight.weight.add_(random(4, 6, 5, seed=step))
        weight.after_step()
        if not torch.equal(weight.task_covariance(), before):
            changed.append(step)
    assert changed == [4, 7, 10]


def test_the_step_and_the_covariances_are_saved_and_loaded() -> None:
    first, second = (
        weight_of(TensorNormal(("in", "task"), warm_up=2, every=5), random(4, 6, 5, seed=seed))
        for seed in (0, 1)
    )
    for _ in range(3):
        first.after_step()
    second.load_state_dict(first.state_dict())
    assert second.step.item() == 3
    assert torch.equal(second.penalty(EXAMPLES), first.penalty(EXAMPLES))
    for _ in range(4):
        first.after_step()
        second.after_step()
    assert torch.equal(second.task_covariance(), first.task_covariance())


def test_one_covariance_for_all_layers_pools_their_weights() -> None:
    stacks = {"fc": random(4, 6, 5), "conv": random(4, 3, 3, 2, 7, seed=1)}
    weights = TensorNormal(shared_covariance=True, warm_up=0, every=1, epsilon=0.1).share(stacks)
    for weight in weights.values():
        weight.after_step()
    pooled = torch.cat([stack.flatten(1) for stack in stacks.values()], dim=1)
    expected = weight_of(TensorNormal(warm_up=0, every=1, epsilon=0.1), pooled.unsqueeze(-1))
    expected.after_step()
    for weight in weights.values():
        assert_close(weight.task_covariance(), expected.task_covariance())


def test_layers_have_their_own_covariances_otherwise() -> None:
    weights = TensorNormal(warm_up=0, every=1).share(
        {"a": random(4, 6, 5), "b": random(4, 6, 5, seed=1)}
    )
    for weight in weights.values():
        weight.after_step()
    assert not torch.allclose(weights["a"].task_covariance(), weights["b"].task_covariance())


def test_scale_is_a_factor_on_the_penalty() -> None:
    stack = random(4, 6, 5)
    one, tenth = (
        weight_of(TensorNormal(scale=scale), stack).penalty(EXAMPLES) for scale in (1.0, 0.1)
    )
    assert_close(tenth, one / 10)
    assert_close(one, minus_log_density(stack, {0: torch.eye(4, dtype=torch.float64) / 4}) / 25)


def test_weights_of_zero_leave_the_covariance_alone() -> None:
    weight = weight_of(TensorNormal(warm_up=0, every=1), torch.zeros(4, 6, 5))
    weight.after_step()
    assert_close(weight.task_covariance(), torch.eye(4).double() / 4)


def test_weights_that_are_not_finite_leave_the_covariance_alone() -> None:
    weight = weight_of(TensorNormal(warm_up=0, every=1), torch.full((4, 6, 5), torch.nan))
    weight.after_step()
    assert_close(weight.task_covariance(), torch.eye(4).double() / 4)


def test_only_a_learned_task_covariance_is_reported() -> None:
    assert weight_of(TensorNormal(("in",)), random(4, 6, 5)).task_correlation() is None
    assert ss.Independent().share({"layer": random(4, 6, 5)})["layer"].task_correlation() is None


def test_a_random_start_is_independent_learnings() -> None:
    stack = (
        TensorNormal()
        .draw({"fc": LayerShapes(((50, 40),), 0.2)}, RandomStreams(0, range(4)))["fc"]
        .stacked()
    )
    assert stack.std().item() == pytest.approx(0.2, rel=0.02)
    assert not torch.equal(stack[0], stack[1])


def trained(sharing: Sharing) -> TensorNormalWeight:
    """The output layer of a network trained on four noisy tasks: one asked twice, then its
    opposite, and an unrelated one.
    """
    numbers = np.random.default_rng(0)
    directions = numbers.normal(size=(2, 12))
    data = {}
    for task, sign in enumerate(((1, 0), (1, 0), (-1, 0), (0, 1))):
        inputs = numbers.normal(size=(60, 12))
        data[f"task {task}"] = (
            inputs,
            (inputs @ (np.array(sign) @ directions) + numbers.normal(size=60) > 0).astype(int),
        )
    tasks = ss.TaskSet.from_arrays(data, kinds="binary")
    template = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 1))
    network = ss.MultiTaskNetwork(
        template, tasks, sharing={"0": ss.Tied(), "2": sharing}, seed=0, initial="independent"
    )
    ss.fit(network, tasks, steps=400, learning_rate=1e-2)
    weight = network.layers["2"]
    assert isinstance(weight, TensorNormalWeight)
    return weight


def largest_share(weight: TensorNormalWeight) -> float:
    values = torch.linalg.eigvalsh(weight.task_covariance())
    return float(values[-1] / values.sum())


def test_training_finds_which_tasks_are_related_and_keeps_the_covariance_from_collapsing() -> None:
    """Three of four tasks lie on one line, so one eigenvalue of about 3 in 4 is right.

    At the paper's scale, almost without ε, it takes everything, whatever the fourth task is.
    """
    weight, collapsed = trained(TensorNormal()), trained(TensorNormal(scale=1.0, epsilon=1e-3))
    correlation = weight.task_correlation()
    assert correlation is not None
    assert correlation[0, 1] > 0.8
    assert correlation[0, 2] < -0.8
    assert correlation[:3, 3].abs().max() < 0.3
    assert largest_share(weight) < 0.9
    assert largest_share(collapsed) > 0.98


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"modes": ["task"]}, "modes is a tuple of different names"),
        ({"modes": ("task", "task")}, "modes is a tuple of different names"),
        ({"epsilon": 0.0}, "epsilon must be above 0.*got 0"),
        ({"epsilon": 1e-18}, "at least 1e-10, so that covariances can be inverted; got 1e-18"),
        ({"epsilon": "small"}, "epsilon must be above 0.*got 'small'"),
        ({"every": 2.5}, "whole numbers; got 2.5 and 100"),
        ({"scale": -1.0}, "scale must be at least 0, got -1"),
        ({"every": 0}, "every must be at least 1 and warm_up at least 0 steps, .*got 0 and 100"),
        ({"warm_up": -1}, "every must be at least 1 and warm_up at least 0 steps, .*got 10 and -1"),
        ({"modes": ("in",), "shared_covariance": True}, '"task" is not among the modes'),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TensorNormal(**settings)  # type: ignore[arg-type]


def test_the_least_epsilon_inverts_a_covariance_of_more_tasks_than_weights() -> None:
    weight = weight_of(TensorNormal(warm_up=0, every=1, epsilon=1e-10), random(300, 3, 2).float())
    weight.after_step()
    assert torch.isfinite(weight.penalty(torch.ones(300)))


def test_a_covariance_that_cannot_be_inverted_says_what_to_change() -> None:
    covariance = Covariance(3, trace=1.0, epsilon=1e-10, n_weights=1, like=torch.zeros(1))
    with pytest.raises(
        ValueError, match="cannot be inverted with epsilon=1e-10; take a larger one"
    ):
        covariance.add(torch.diag(torch.tensor([1.0, 1.0, -0.5], dtype=torch.float64)), 1)


def test_a_mode_that_a_layer_has_not_names_the_layer_and_its_modes() -> None:
    with pytest.raises(
        ValueError,
        match="layer 'fc': TensorNormal has no mode 'height' here; the modes are in, out, task",
    ):
        TensorNormal(("height", "task")).share(
            {"conv": random(4, 3, 3, 2, 5), "fc": random(4, 6, 5)}
        )


def test_tasks_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="layer 'fc': TensorNormal needs one shape"):
        TensorNormal().share({"fc": [random(3, 2), random(4, 2)]})


@pytest.mark.parametrize("epsilon", [1e-8, 1e-6, 1e-3, 0.1])
@pytest.mark.parametrize("modes", [("task",), ("in", "out", "task")])
def test_in_single_precision_the_gradient_is_that_of_double(
    epsilon: float, modes: tuple[str, ...]
) -> None:
    # More tasks than weights: the covariance has no rank but what epsilon gives it.
    stack = 0.1 * random(30, 3, 2).float()
    settings = TensorNormal(modes, epsilon=epsilon, warm_up=0, every=1)
    weight, exact = weight_of(settings, stack), weight_of(settings, stack.double())
    weight.after_step()
    exact.after_step()
    penalty, expected = (
        weight.penalty(torch.full((30,), 4.0)),
        exact.penalty(torch.full((30,), 4.0)),
    )
    penalty.backward()
    expected.backward()
    assert penalty.dtype == weight.weight.grad.dtype == torch.float32
    torch.testing.assert_close(penalty.double(), expected, rtol=1e-5, atol=0)
    error = (weight.weight.grad - exact.weight.grad).norm() / exact.weight.grad.norm()
    assert float(error) < 1e-4


def test_covariances_keep_their_precision_when_the_network_changes_its_own() -> None:
    weight = weight_of(TensorNormal(warm_up=0, every=1, epsilon=1e-8), random(30, 3, 2))
    weight.after_step()
    before = weight.task_covariance().clone()
    assert torch.equal(weight.float().double().task_covariance(), before)
    assert weight.to("meta").task_covariance().is_meta


def test_a_loaded_covariance_is_as_ill_conditioned_as_the_saved_one() -> None:
    settings = TensorNormal(warm_up=0, every=1, epsilon=1e-8)
    first, second = (weight_of(settings, random(30, 3, 2).float()) for _ in range(2))
    first.after_step()
    second.load_state_dict(first.state_dict())
    examples = torch.full((30,), 4.0)
    assert torch.equal(second.penalty(examples), first.penalty(examples))


def test_steps_are_counted_beyond_what_single_precision_can_count() -> None:
    weight = weight_of(TensorNormal(), random(4, 6, 5))
    weight.step.fill_(2**24)
    weight.after_step()
    assert weight.step.item() == 2**24 + 1
