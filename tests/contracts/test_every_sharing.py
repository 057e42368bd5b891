"""What every sharing promises its users, whichever it is."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker

SHARINGS = [
    Independent(),
    Tied(),
    LastAxisFlattening(2),
    Tucker(0.5),
    TensorTrain(0.5),
    TensorRing(2),
    TraceNorm(),
    TensorNormal(("in", "out", "task")),
]
RANDOM_ONLY = (TensorRing,)
"""Those that refuse to start from trained weights."""

REGULARISED = (TraceNorm, TensorNormal)
"""Those that add a penalty to the loss."""

LAYERS = {"fc": (6, 5), "conv": (3, 2, 4, 3)}
N_TASKS = 5

pytestmark = pytest.mark.parametrize("sharing", SHARINGS, ids=lambda sharing: type(sharing).__name__)


def drawn(sharing: Sharing, names: tuple[str, ...] = ("a", "b", "c", "d", "e"), *, seed: int = 0) -> dict[str, SharedWeight]:
    return sharing.draw({name: LayerShapes((shape,), 0.2) for name, shape in LAYERS.items()}, RandomStreams(seed, names))


def shared(sharing: Sharing) -> dict[str, SharedWeight]:
    if isinstance(sharing, RANDOM_ONLY):
        return {name: weight.double() for name, weight in drawn(sharing).items()}
    return sharing.share({name: torch.randn(N_TASKS, *shape, dtype=torch.float64) for name, shape in LAYERS.items()})


def require_start_from_trained_weights(sharing: Sharing) -> None:
    if isinstance(sharing, RANDOM_ONLY):
        pytest.skip(f"{type(sharing).__name__} starts at random only")


both_starts = pytest.mark.parametrize("start", [drawn, shared])


@both_starts
def test_composed_weights_have_the_layers_shape(sharing: Sharing, start: object) -> None:
    weights = start(sharing)  # type: ignore[operator]
    assert {name: tuple(weight.stacked().shape) for name, weight in weights.items()} == {n: (N_TASKS, *s) for n, s in LAYERS.items()}


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
            assert_close(composed.reshape(-1, *weight.stacked().shape[1:]).expand_as(weight.stacked(tasks)), weight.stacked(tasks))


def test_gradients_equal_finite_differences(sharing: Sharing) -> None:
    for weight in shared(sharing).values():
        names, values = zip(*weight.named_parameters(), strict=True)

        def compose(*new: torch.Tensor, weight: SharedWeight = weight, names: tuple[str, ...] = names) -> torch.Tensor:
            return torch.func.functional_call(
                _Stacked(weight), {f"weight.{name}": value for name, value in zip(names, new, strict=True)}, ()
            )

        assert torch.autograd.gradcheck(compose, values)


class _Stacked(torch.nn.Module):
    def __init__(self, weight: SharedWeight) -> None:
        super().__init__()
        self.weight = weight

    def forward(self) -> torch.Tensor:
        return self.weight.stacked()


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
        assert weight.task_vectors().shape == (N_TASKS, sum(parameter[0].numel() for parameter in own))


def test_the_tasks_order_does_not_matter(sharing: Sharing) -> None:
    names, order = ("a", "b", "c", "d", "e"), torch.tensor([4, 2, 0, 1, 3])
    permuted = drawn(sharing, tuple(names[k] for k in order))
    for layer, weight in drawn(sharing, names).items():
        assert torch.equal(permuted[layer].stacked(), weight.stacked()[order])


def test_trained_weights_permuted_are_permuted(sharing: Sharing) -> None:
    require_start_from_trained_weights(sharing)
    order = torch.tensor([4, 2, 0, 1, 3])
    stacks = {name: torch.randn(N_TASKS, *shape, dtype=torch.float64) for name, shape in LAYERS.items()}
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
        assert (weight.penalty(torch.tensor([3, 4, 5, 6, 7])).item() != 0) == isinstance(sharing, REGULARISED)
