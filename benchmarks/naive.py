"""What one would write without softshare: a loop over the tasks that composes each one's weights, or applies its factors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from benchmarks.measure import Step
from benchmarks.steps import Setting
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import Sharing
from softshare.sharing.factorised import FactorisedWeight

Weights = dict[str, FactorisedWeight]

Forward = Callable[[Tensor], Tensor]


def composing_per_task(setting: Setting, sharing: Sharing) -> Step:
    """A loop over the tasks, each composing its own weights by one einsum a layer."""
    network, weights = _same_start(setting, sharing)
    template = setting.template(setting.input_shape, setting.n_outputs).to(setting.device)
    places = parameters_of(template)

    def module(task: int) -> Forward:
        def forward(x: Tensor) -> Tensor:
            state = {path: places[path].to_torch(_composed(weight, task)) for path, weight in weights.items()}
            outputs: Tensor = functional_call(template, state, (x,))
            return outputs

        return forward

    return setting.loop([module(task) for task in range(network.n_tasks)], network.parameters())


def factors_per_task(setting: Setting, sharing: Sharing) -> Step:
    """A loop over the tasks of multilayer perceptrons whose layers apply the factors one by one, the input's first."""
    network, weights = _same_start(setting, sharing)
    layers = list(dict.fromkeys(path.rpartition(".")[0] for path in weights))

    def module(task: int) -> Forward:
        def forward(x: Tensor) -> Tensor:
            for number, layer in enumerate(layers):
                x = _applied(weights[f"{layer}.weight"], task, x) + _composed(weights[f"{layer}.bias"], task)
                x = x if number == len(layers) - 1 else functional.relu(x)
            return x

        return forward

    return setting.loop([module(task) for task in range(network.n_tasks)], network.parameters())


class _Network(nn.ModuleList):
    """The shared weights alone."""

    n_tasks: int


def _same_start(setting: Setting, sharing: Sharing) -> tuple[_Network, Weights]:
    ours: MultiTaskNetwork = setting.network(sharing)
    weights = {path: weight for path, weight in ours.shared_weights.items() if isinstance(weight, FactorisedWeight)}
    network = _Network(weights.values())
    network.n_tasks = len(ours.tasks)
    return network, weights


def _of_task(weight: FactorisedWeight, task: int) -> tuple[list[str], list[Tensor]]:
    terms = weight.equation.split("->")[0].split(",")
    factors = weight.factors.values()
    return [term.removeprefix("t") for term in terms], [f[task] if term[0] == "t" else f for f, term in zip(factors, terms, strict=True)]


def _composed(weight: FactorisedWeight, task: int) -> Tensor:
    terms, factors = _of_task(weight, task)
    if len(factors) == 1:
        return factors[0]
    return torch.einsum(f"{','.join(terms)}->{weight.equation.split('->t')[1]}", *factors).reshape(weight.shape)


def _applied(weight: FactorisedWeight, task: int, x: Tensor) -> Tensor:
    """The input goes through the factor of the input mode, then through what is left, composed for the task."""
    terms, factors = _of_task(weight, task)
    if len(factors) == 1:
        return x @ factors[0]
    n_in, n_out = tuple(weight.equation.split("->t")[1])
    first = next(place for place, term in enumerate(terms) if n_in in term)
    if n_out in terms[first] or len(terms[first]) != 2:
        return x @ _composed(weight, task)
    rank = terms[first].replace(n_in, "")
    others = [place for place in range(len(terms)) if place != first]
    middle = torch.einsum(f"{','.join(terms[place] for place in others)}->{rank}{n_out}", *(factors[place] for place in others))
    return (x @ factors[first]) @ middle
