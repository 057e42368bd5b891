"""What every sharing promises its users, whichever it is."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, prod

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.canonical_polyadic import CP
from softshare.sharing.fixed_order import FixedOrder
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.sum import Sum
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

N_TASKS = 5
LAYERS = {"fc": (6, 5), "conv": (3, 2, 4, 3)}
RING_CORES = {(6, 5): (3, 2, 1, 5), (3, 2, 4, 3): (6, 2, 2, 3)}
"""Sizes of the modes of each core, four a layer: 6 = 3·2·1·1 beside 5 = 1·1·1·5; the window 3·2,
and 4 = 2·2·1 beside 3 = 1·1·3.
"""


def independent_size(shape: Sequence[int]) -> int:
    return N_TASKS * prod(shape)


def tucker_size(shape: Sequence[int]) -> int:
    """A core, and a basis for each mode."""
    modes = (*shape, N_TASKS)
    ranks = [ceil(min(size, prod(modes) // size) / 2) for size in modes]
    return prod(ranks) + sum(size * rank for size, rank in zip(modes, ranks, strict=True))


def tensor_train_size(shape: Sequence[int]) -> int:
    """A core for each mode, between ranks that are half of the largest."""
    modes = (*shape, N_TASKS)
    ranks = [
        1,
        *(ceil(min(prod(modes[:cut]), prod(modes[cut:])) / 2) for cut in range(1, len(modes))),
        1,
    ]
    return sum(
        left * size * right for left, size, right in zip(ranks, modes, ranks[1:], strict=False)
    )


def cp_size(shape: Sequence[int]) -> int:
    """A number for each place of each mode, for each of a fifth of the most products."""
    modes = (*shape, N_TASKS)
    return ceil(prod(modes) // max(modes) / 5) * sum(modes)


def tensor_ring_size(shape: Sequence[int]) -> int:
    """Cores between ranks of 2, all shared but the last."""
    *shared, own = RING_CORES[tuple(shape)]
    return 2 * 2 * (sum(shared) + N_TASKS * own)


def plus_own(own_size: Callable[[Sequence[int]], int]) -> Callable[[Sequence[int]], int]:
    """The common weight's size, and the own parts'."""
    return lambda shape: prod(shape) + own_size(shape)


def laf_size(shape: Sequence[int]) -> int:
    """Two products of factors, each an element of the weight and one of the task."""
    return 2 * (prod(shape) + N_TASKS)


SHARINGS = {
    Independent(): independent_size,
    Tied(): prod,
    Tied(bias="own"): prod,
    LastAxisFlattening(0.4): laf_size,
    Tucker(0.5): tucker_size,
    TensorTrain(0.5): tensor_train_size,
    CP(0.2): cp_size,
    TensorRing(2): tensor_ring_size,
    TraceNorm("tucker"): independent_size,
    TensorNormal(("in", "out", "task"), warm_up=0, every=1): independent_size,
    Tied() + Independent(): plus_own(independent_size),
    Tied() + LastAxisFlattening(0.4): plus_own(laf_size),
    Tied() + Tucker(0.5): plus_own(tucker_size),
    Tied() + TensorTrain(0.5): plus_own(tensor_train_size),
    Tied() + TensorNormal(warm_up=0, every=1): plus_own(independent_size),
}
"""Sharing → the number of parameters that all tasks have together in a layer of this shape."""

RANDOM_ONLY = (TensorRing,)
"""Those that refuse to start from trained weights."""

REGULARISED = (TraceNorm, TensorNormal, Sum)
"""Those that add a penalty to the loss."""


def label(sharing: Sharing) -> str:
    if isinstance(sharing, Sum):
        return f"{label(sharing.common)} + {label(sharing.own)}"
    return "Tied but for biases" if sharing == Tied(bias="own") else type(sharing).__name__


@pytest.fixture(params=SHARINGS, ids=label)
def sharing(request: pytest.FixtureRequest) -> Sharing:
    return request.param


def drawn(
    sharing: Sharing, names: tuple[str, ...] = ("a", "b", "c", "d", "e"), *, seed: int = 0
) -> dict[str, SharedWeight]:
    return sharing.draw(
        {name: LayerShapes((shape,), 0.2) for name, shape in LAYERS.items()},
        RandomStreams(seed, names),
    )


def shared(sharing: Sharing) -> dict[str, SharedWeight]:
    if isinstance(sharing, RANDOM_ONLY):
        return {name: weight.double() for name, weight in drawn(sharing).items()}
    return sharing.share(
        {name: torch.randn(N_TASKS, *shape, dtype=torch.float64) for name, shape in LAYERS.items()}
    )


def require_start_from_trained_weights(sharing: Sharing) -> None:
    if isinstance(sharing, RANDOM_ONLY):
        pytest.skip(f"{type(sharing).__name__} starts at random only")


@torch.no_grad()
def leave_zero(weight: SharedWeight) -> None:
    """Move all parameters away from where they start: a sum's own parts start at zero."""
    for parameter in weight.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))


both_starts = pytest.mark.parametrize("start", [drawn, shared])


@both_starts
def test_composed_weights_have_the_layers_shape(sharing: Sharing, start: object) -> None:
    weights = start(sharing)  # type: ignore[operator]
    assert {name: tuple(weight.stacked().shape) for name, weight in weights.items()} == {
        n: (N_TASKS, *s) for n, s in LAYERS.items()
    }


@both_starts
def test_a_subset_of_tasks_is_rows_of_the_whole(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        whole, tasks = weight.stacked(), torch.tensor([3, 0, 3])
        assert_close(weight.stacked(tasks), whole[tasks])
        assert_close(weight.padded(tasks), whole[tasks])
        assert_close(torch.stack([weight.of(task) for task in range(N_TASKS)]), whole)


@both_starts
def test_the_contraction_is_the_composed_weight(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        for tasks in (None, torch.tensor([1, 4])):
            network = weight.contraction(tasks)
            if network is None:
                continue
            equation, operands = network
            inputs, output = equation.split("->")
            assert output[0] == "t"
            has_task = any(term.startswith("t") for term in inputs.split(","))
            composed = torch.einsum(equation if has_task else f"{inputs}->{output[1:]}", *operands)
            assert_close(
                composed.reshape(-1, *weight.stacked().shape[1:]).expand_as(weight.stacked(tasks)),
                weight.stacked(tasks),
            )


def test_gradients_of_weights_and_penalties_equal_finite_differences(sharing: Sharing) -> None:
    for weight in shared(sharing).values():
        weight.after_step()
        names, values = zip(*weight.named_parameters(), strict=True)

        def composed(
            *new: Tensor, weight: SharedWeight = weight, names: tuple[str, ...] = names
        ) -> tuple[Tensor, ...]:
            replaced = {f"weight.{name}": value for name, value in zip(names, new, strict=True)}
            return torch.func.functional_call(_Evaluated(weight), replaced, ())

        assert torch.autograd.gradcheck(composed, values)


class _Evaluated(nn.Module):
    def __init__(self, weight: SharedWeight) -> None:
        super().__init__()
        self.weight = weight

    def forward(self) -> tuple[Tensor, ...]:
        penalty = self.weight.penalty(torch.full((N_TASKS,), 4.0, dtype=torch.float64))
        return (
            (self.weight.stacked(), penalty) if penalty.requires_grad else (self.weight.stacked(),)
        )


def test_the_number_of_parameters_is_that_of_the_formula(sharing: Sharing) -> None:
    for name, weight in drawn(sharing).items():
        assert sum(parameter.numel() for parameter in weight.parameters()) == SHARINGS[sharing](
            LAYERS[name]
        )  # type: ignore[operator]


@both_starts
def test_a_task_left_out_gets_no_gradient(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        weight.stacked(torch.tensor([0, 2])).square().sum().backward()
        parameters = dict(weight.named_parameters())
        for name in weight.task_parameters():
            gradient = parameters[name].grad.flatten(1)
            assert gradient.any(1).tolist() == [True, False, True, False, False]


@both_starts
def test_task_parameters_and_vectors_have_the_task_first(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        parameters = dict(weight.named_parameters())
        own = [parameters[name] for name in weight.task_parameters()]
        assert all(len(parameter) == N_TASKS for parameter in own)
        assert weight.task_vectors().shape == (
            N_TASKS,
            sum(parameter[0].numel() for parameter in own),
        )


def test_the_tasks_order_does_not_matter(sharing: Sharing) -> None:
    names, order = ("a", "b", "c", "d", "e"), torch.tensor([4, 2, 0, 1, 3])
    permuted = drawn(sharing, tuple(names[k] for k in order))
    for layer, weight in drawn(sharing, names).items():
        assert torch.equal(permuted[layer].task_vectors(), weight.task_vectors()[order])
        assert_close(permuted[layer].stacked(), weight.stacked()[order])


def test_trained_weights_permuted_are_permuted(sharing: Sharing) -> None:
    require_start_from_trained_weights(sharing)
    order = torch.tensor([4, 2, 0, 1, 3])
    stacks = {
        name: torch.randn(N_TASKS, *shape, dtype=torch.float64) for name, shape in LAYERS.items()
    }
    permuted = sharing.share({name: stack[order] for name, stack in stacks.items()})
    for layer, weight in sharing.share(stacks).items():
        assert_close(permuted[layer].stacked(), weight.stacked()[order])


def test_layers_and_seeds_draw_different_values(sharing: Sharing) -> None:
    layers = {name: LayerShapes(((6, 5),)) for name in ("first", "second")}
    weights = sharing.draw(layers, RandomStreams(0, range(N_TASKS)))
    assert not torch.equal(weights["first"].stacked(), weights["second"].stacked())
    other = sharing.draw(layers, RandomStreams(1, range(N_TASKS)))
    assert not torch.equal(weights["first"].stacked(), other["first"].stacked())


@both_starts
def test_parameters_are_saved_and_loaded(sharing: Sharing, start: object) -> None:
    weights, torch_state = start(sharing), {}  # type: ignore[operator]
    for name, weight in weights.items():
        assert all(parameter.is_contiguous() for parameter in weight.parameters())
        torch_state[name] = {key: value.clone() for key, value in weight.state_dict().items()}
        before = weight.stacked().clone()
        with torch.no_grad():
            for parameter in weight.parameters():
                parameter.zero_()
        weight.load_state_dict(torch_state[name])
        assert torch.equal(weight.stacked(), before)


def test_trained_weights_are_left_alone(sharing: Sharing) -> None:
    require_start_from_trained_weights(sharing)
    stack = torch.randn(N_TASKS, 4, 3)
    weight, before = sharing.share({"fc": stack})["fc"], stack.clone()
    with torch.no_grad():
        for parameter in weight.parameters():
            parameter.add_(1)
    assert torch.equal(stack, before)


def test_settings_are_values(sharing: Sharing) -> None:
    assert hash(sharing) == hash(sharing)
    with pytest.raises(AttributeError):
        sharing.anything = 1  # type: ignore[attr-defined]
    assert sharing in SHARINGS


@both_starts
def test_nothing_is_penalised_unless_the_sharing_says_so(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        leave_zero(weight)
        penalised = weight.penalty(torch.tensor([3, 4, 5, 6, 7])).item() != 0
        assert penalised == weight.regularises == isinstance(sharing, REGULARISED)


@both_starts
def test_what_is_not_said_to_update_itself_does_not(sharing: Sharing, start: object) -> None:
    for weight in start(sharing).values():  # type: ignore[operator]
        leave_zero(weight)
        before = {name: value.clone() for name, value in weight.state_dict().items()}
        weight.after_step()
        changed = not all(
            torch.equal(value, before[name]) for name, value in weight.state_dict().items()
        )
        assert changed == weight.updates


def test_a_sharing_says_whether_it_joins_the_tasks(sharing: Sharing) -> None:
    assert sharing.joins_tasks != isinstance(sharing, Independent)
    for weight in drawn(sharing).values():
        assert weight.shares_nothing != sharing.joins_tasks


def test_the_cores_of_a_ring_are_its_parameters(sharing: Sharing) -> None:
    for weight in drawn(sharing).values():
        found = [values for core in weight.ring_cores() for values in core.parameters]
        expected = list(weight.parameters()) if isinstance(sharing, TensorRing) else []
        assert len(found) == len(expected)
        assert all(mine is theirs for mine, theirs in zip(found, expected, strict=True))


# --- networks ----------------------------------------------------------------------------------


def small(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """A convolution, an affine layer and one with a single output."""
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(1, 3, 2),
            conv_tanh=nn.Tanh(),
            flatten=nn.Flatten(),
            hidden=nn.Linear(27, 4),
            hidden_tanh=nn.Tanh(),
            output=nn.Linear(4, n_outputs),
        )
    )


def ordered(*named: tuple[str, Sharing]) -> tuple[TemplateFactory, dict[str, Sharing]]:
    return partial(ordering_mlp, width=4, depth=2), {**dict(named), "output": Tied(), "*": Tied()}


NETWORKS: dict[str, tuple[TemplateFactory, Mapping[str, Sharing]]] = {
    **{label(sharing): (small, {"output": sharing, "*": sharing}) for sharing in SHARINGS},
    "soft ordering": ordered(),
    "permuted ordering": ordered(("core.scales", FixedOrder("permuted"))),
    "parallel ordering": ordered(("core.scales", FixedOrder("parallel"))),
}
"""Networks in which every layer is shared so, the one with a single output too."""


@pytest.fixture(params=NETWORKS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def tasks_named(names: str) -> TaskSet:
    numbers = np.random.default_rng(0)
    data = {
        name: (numbers.normal(size=(8, 1, 4, 4)).astype(np.float32), np.arange(8) % 2)
        for name in names
    }
    return TaskSet.from_arrays(data, kinds="binary")


def network_of(kind: str, names: str = "abc", *, seed: int = 0) -> MultiTaskNetwork:
    template, sharing = NETWORKS[kind]
    return MultiTaskNetwork(
        template, tasks_named(names), sharing=sharing, seed=seed, initial="independent"
    )


def batch(n_tasks: int = 3) -> Tensor:
    return torch.randn(n_tasks, 6, 1, 4, 4)


def test_a_task_alone_computes_what_it_computes_among_the_others(kind: str) -> None:
    network, rows = network_of(kind), batch()
    for task, expected, inputs in zip(network.tasks, network.run(rows), rows, strict=True):
        assert_close(network.task(task.name)(inputs), expected)


def test_one_task_alone_is_a_network_too(kind: str) -> None:
    network, rows = network_of(kind, "a"), batch(1)
    outputs = network.run(rows)
    assert outputs.shape == (1, 6, 1)
    assert_close(network.task("a")(rows[0]), outputs[0])
    network.after_step()
    assert torch.isfinite(network.penalty(torch.tensor([8.0])))


def test_permuted_tasks_compute_the_same_permuted(kind: str) -> None:
    rows = batch()
    expected = network_of(kind).run(rows)
    assert_close(network_of(kind, "cab").run(rows[[2, 0, 1]]), expected[[2, 0, 1]])


def test_a_state_goes_to_a_network_of_another_seed(kind: str) -> None:
    first, second, rows = network_of(kind), network_of(kind, seed=1), batch()
    first.after_step()
    second.load_state_dict(first.state_dict())
    examples = torch.full((3,), 8.0)
    assert torch.equal(first.run(rows), second.run(rows))
    assert torch.equal(first.penalty(examples), second.penalty(examples))


def test_a_deep_copy_is_equal_and_its_own(kind: str) -> None:
    network, rows = network_of(kind), batch()
    before = network.run(rows)
    twin = copy.deepcopy(network)
    assert torch.equal(twin.run(rows), before)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert not torch.equal(twin.run(rows), before)
    assert torch.equal(network.run(rows), before)


def test_a_network_moves_to_another_type_and_device(kind: str) -> None:
    network, rows = network_of(kind), batch()
    expected = network.run(rows)
    wide = network.double()
    assert_close(wide.run(rows.double()), expected.double(), rtol=1e-4, atol=1e-5)
    wide.after_step()
    assert wide.penalty(torch.full((3,), 8.0, dtype=torch.float64)).dtype == torch.float64
    moved = wide.to("meta")
    assert {value.device.type for value in (*moved.parameters(), *moved.buffers())} == {"meta"}
    if "FixedOrder" in repr(NETWORKS[kind]):
        return  # which layers are applied is read from the values, and there are none here
    outputs = moved.run(rows.double().to("meta"))
    assert (outputs.device.type, outputs.dtype, outputs.shape) == (
        "meta",
        torch.float64,
        expected.shape,
    )


def as_it_is_and_compiled(kind: str) -> list[tuple[Tensor, list[Tensor]]]:
    """Outputs and gradients of a network, and of the same network compiled."""
    torch._dynamo.reset()
    network, rows = network_of(kind), batch()
    outputs = []
    for run in (network.run, torch.compile(network.run, backend="aot_eager")):
        network.zero_grad()
        values = run(rows)
        values.square().sum().backward()
        outputs.append(
            (
                values.detach(),
                [value.grad for value in network.parameters() if value.grad is not None],
            )
        )
    return outputs


def test_compiled_it_computes_the_same(kind: str) -> None:
    plain, compiled = as_it_is_and_compiled(kind)
    assert_close(compiled, plain)


def test_a_task_is_exported(kind: str) -> None:
    module, rows = network_of(kind).task("b").eval(), batch(1)[0]
    assert_close(torch.export.export(module, (rows,)).module()(rows), module(rows))


WITHOUT_PENALTY = {TraceNorm: {"gamma": 0.0}, TensorNormal: {"scale": 0.0}}


def test_a_task_that_never_has_data_keeps_what_is_its_own(kind: str) -> None:
    template, named = NETWORKS[kind]
    sharing = {
        layer: replace(value, **WITHOUT_PENALTY.get(type(value), {}))
        for layer, value in named.items()
    }  # type: ignore[type-var]
    network = MultiTaskNetwork(template, tasks_named("abc"), sharing=sharing, initial="independent")
    before = [[value.clone() for value in network.own_values(task)] for task in range(3)]
    fit(network, tasks_named("ab"), steps=3)
    unchanged = [
        all(map(torch.equal, was, network.own_values(task))) for task, was in enumerate(before)
    ]
    has_nothing_own = kind in ("Tied", "permuted ordering", "parallel ordering")
    assert unchanged == [has_nothing_own, has_nothing_own, True]
