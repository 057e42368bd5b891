"""What one would write without softshare: loops over the tasks that compose weights, or let the
input join the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from benchmarks.steps import Forward, Setting, Training
from softshare.network.layers import parameters_of
from softshare.sharing.algebra.contraction import carry_out, cheapest_order
from softshare.sharing.base import Sharing
from softshare.sharing.weights.factorised import FactorisedWeight

Shapes = tuple[tuple[int, ...], ...]

Contract = Callable[[Sequence[Tensor]], Tensor]

Order = Callable[[str, Shapes], Contract]
"""An equation and its operands' shapes → what contracts such operands."""


def as_written(equation: str, shapes: Shapes) -> Contract:
    """By one einsum, which goes from left to right."""
    return partial(torch.einsum, equation) if len(shapes) > 1 else lambda operands: operands[0]


def cheapest(equation: str, shapes: Shapes) -> Contract:
    """In the cheapest order, found beforehand."""
    return partial(carry_out, cheapest_order(equation, shapes))


def composing_per_task(setting: Setting, sharing: Sharing, order: Order) -> Training:
    """A loop over the tasks, each composing its own weights."""
    weights = {path: _OfTasks(weight) for path, weight in _same_start(setting, sharing).items()}
    compose = {path: order(weight.equation, weight.shapes) for path, weight in weights.items()}

    def stacks() -> Iterator[dict[str, Tensor]]:
        for operands in _by_task(weights):
            yield {
                path: compose[path](own).reshape(weights[path].shape)
                for path, own in operands.items()
            }

    return setting.loop(_modules(setting, stacks), _parameters(weights))


def composing_once(setting: Setting, sharing: Sharing) -> Training:
    """Weights composed for all tasks by our own contraction, then a loop over the tasks."""
    weights = _same_start(setting, sharing)

    def stacks() -> Iterator[dict[str, Tensor]]:
        stacked = [weight.stacked().unbind(0) for weight in weights.values()]
        return (dict(zip(weights, own, strict=True)) for own in zip(*stacked, strict=True))

    return setting.loop(_modules(setting, stacks), nn.ModuleList(weights.values()).parameters())


def factors_per_task(setting: Setting, sharing: Sharing) -> Training:
    """A loop over the tasks of multilayer perceptrons whose layers take the input into the
    contraction, in the cheapest order.
    """
    weights = {path: _OfTasks(weight) for path, weight in _same_start(setting, sharing).items()}
    batch_size = setting.rows()[0].shape[0]
    layers = list(dict.fromkeys(path.rpartition(".")[0] for path in weights))
    products = {layer: weights[f"{layer}.weight"].product(batch_size) for layer in layers}

    def forward(operands: dict[str, tuple[Tensor, ...]], x: Tensor) -> Tensor:
        for layer in layers:
            x = products[layer]([*operands[f"{layer}.weight"], x]) + operands[f"{layer}.bias"][0]
            x = x if layer == layers[-1] else functional.relu(x)
        return x

    return setting.loop(
        lambda: (partial(forward, operands) for operands in _by_task(weights)), _parameters(weights)
    )


class _OfTasks:
    """One weight's factors, task by task.

    Args:
        weight: of all tasks.
    """

    def __init__(self, weight: FactorisedWeight) -> None:
        inputs, output = weight.equation.split("->")
        terms = inputs.split(",")
        self.weight, self.shape = weight, weight.shape
        self._own = [term.startswith("t") for term in terms]
        self.equation = (
            f"{','.join(term.removeprefix('t') for term in terms)}->{output.removeprefix('t')}"
        )
        self.shapes: Shapes = tuple(tuple(factor.shape) for factor in next(iter(self.operands())))

    def operands(self) -> Iterator[tuple[Tensor, ...]]:
        """Each task's factors.

        The task axis is unbound once: each index would cost a gradient of the axis's whole length.
        """
        factors = self.weight.contraction()[1]
        columns = [
            f.unbind(0) if own else [f] * self.weight.n_tasks
            for f, own in zip(factors, self._own, strict=True)
        ]
        return zip(*columns, strict=True)

    def product(self, batch_size: int) -> Contract:
        """The layer's product: of the factors and an input ``(batch_size, in)``."""
        inputs, output = self.equation.split("->")
        return cheapest(
            f"{inputs},z{output[0]}->z{output[1]}", (*self.shapes, (batch_size, self.shape[0]))
        )


def _same_start(setting: Setting, sharing: Sharing) -> dict[str, FactorisedWeight]:
    weights = setting.network(sharing).shared_weights
    return {
        path: weight for path, weight in weights.items() if isinstance(weight, FactorisedWeight)
    }


def _parameters(weights: dict[str, _OfTasks]) -> Iterator[nn.Parameter]:
    return nn.ModuleList(weight.weight for weight in weights.values()).parameters()


def _by_task(weights: dict[str, _OfTasks]) -> Iterator[dict[str, tuple[Tensor, ...]]]:
    return (
        dict(zip(weights, own, strict=True))
        for own in zip(*(weight.operands() for weight in weights.values()), strict=True)
    )


def _modules(
    setting: Setting, stacks: Callable[[], Iterator[dict[str, Tensor]]]
) -> Callable[[], Iterator[Forward]]:
    """The template with each task's weights."""
    template = setting.template(setting.input_shape, setting.n_outputs)
    places = parameters_of(template)

    def networks() -> Iterator[Forward]:
        for weights in stacks():
            yield partial(
                functional_call,
                template,
                {path: places[path].to_torch(value) for path, value in weights.items()},
            )

    return networks
