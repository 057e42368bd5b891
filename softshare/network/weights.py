"""The shared weight behind every parameter of a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from softshare.network.execution.task_module import TaskModule
from softshare.network.forms import Stack, Stacks, layer_shapes
from softshare.network.layers import Parameter, assign_sharings
from softshare.network.start import Start, is_one_value
from softshare.sharing.base import SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tied import Tied


def make_weights(
    parameters: Mapping[str, Parameter],
    start: Start,
    sharing: Sharing | Mapping[str, Sharing],
    streams: RandomStreams,
) -> tuple[dict[str, Sharing], dict[str, SharedWeight]]:
    """Shared weights as told, layer by layer; biases and norm parameters follow their layers.

    Biases, norm parameters and the scales of layers start from the given values always, the scales
    unless their sharing sets them. Frozen layers have nothing to learn and so nothing to share:
    they keep their values exactly, one copy for all tasks.

    Args:
        parameters: the template's, by full name.
        start: what the weights start from.
        sharing: one sharing for all shareable layers, or layer-name pattern → sharing.
        streams: the random streams, which know the tasks' names.

    Returns:
        Layer → its sharing, and parameter's full name → shared weight.

    Raises:
        ValueError: a pattern matches no layer, or a sharing cannot apply to a layer.
    """
    stacks = start.stacks
    by_layer = {p.layer: path for path, p in parameters.items() if p.is_weight}
    frozen = {p.layer for p in parameters.values() if p.is_weight and p.is_frozen}
    own = _own_layers(parameters, stacks)
    weights: dict[str, SharedWeight] = {}
    chosen: dict[str, Sharing] = {}
    for given, layers in assign_sharings(list(by_layer), own, sharing).items():
        value = given.for_tasks(streams.names)
        trained = [layer for layer in layers if layer not in frozen or value.orders_layers]
        for layer in layers:
            path = by_layer[layer]
            if layer in trained:
                chosen[layer] = value
            else:
                chosen[layer], weights[path] = _frozen(stacks[path], ties_bias=value.ties_bias)
        if trained:
            made = _made(
                value, {layer: parameters[by_layer[layer]] for layer in trained}, start, streams
            )
            weights |= {by_layer[layer]: weight for layer, weight in made.items()}
    weights |= _weights_of_the_rest(parameters, stacks, chosen)
    for path, parameter in parameters.items():
        if parameter.padding_row is not None:
            _clear_row(weights[path], parameter.padding_row)
    return chosen, {path: weights[path] for path in parameters}


def _own_layers(parameters: Mapping[str, Parameter], stacks: Stacks) -> set[str]:
    """Layers that stay each task's own unless a pattern names them: the output layer, those of
    several shapes, and those whose module says so.
    """
    layers = [p.layer for p in parameters.values() if p.is_weight]
    return set(layers[-1:]) | {
        p.layer
        for path, p in parameters.items()
        if p.each_tasks_own or not isinstance(stacks[path], Tensor)
    }


def _made(
    value: Sharing,
    layers: Mapping[str, Parameter],
    start: Start,
    streams: RandomStreams,
) -> dict[str, SharedWeight]:
    """One sharing's layers: drawn, or made of the values that they keep."""
    if value.orders_layers and (others := [name for name, p in layers.items() if not p.is_scales]):
        name = type(value).__name__
        raise ValueError(
            f"layer {others[0]!r}: {name} is for the scales of a SoftOrdering, not for "
            "weights; name the scales only"
        )
    drawn, kept = {}, {}
    for layer, parameter in layers.items():
        stack = start.stacks[parameter.path]
        keeps = parameter.is_scales or parameter.path in start.kept
        if start.draws_orders if value.orders_layers else not keeps:
            drawn[layer] = layer_shapes(stack)
        else:
            kept[layer] = stack
    made = value.draw(drawn, streams) if drawn else {}
    return made | (value.share(kept) if kept else {})


def _frozen(stack: Stack, *, ties_bias: bool) -> tuple[Sharing, SharedWeight]:
    """What keeps values exactly: one copy where all tasks have the same, else each task's own."""
    sharing: Sharing = Independent()
    if isinstance(stack, Tensor) and is_one_value(stack):
        sharing = Tied(bias="tied" if ties_bias else "own")
        stack = stack[:1].expand_as(stack)
    return sharing, sharing.share({"": stack})[""]


@torch.no_grad()
def _clear_row(weight: SharedWeight, row: int) -> None:
    """Zeros in the row of the padding where the parameter is the weight itself; composed ones are
    cleared wherever they are used.
    """
    network = weight.contraction()
    if network is not None and len(network[1]) == 1:
        network[1][0].select(-2, row).zero_()


def _weights_of_the_rest(
    parameters: Mapping[str, Parameter], stacks: Stacks, chosen: Mapping[str, Sharing]
) -> dict[str, SharedWeight]:
    """Biases go with their layer and norm parameters with the layer before: tied if it ties them,
    else each task's own; frozen ones keep their values.
    """
    weights: dict[str, SharedWeight] = {}
    layer = None
    for path, parameter in parameters.items():
        if parameter.is_weight:
            layer = parameter.layer
            continue
        stack = stacks[path]
        if parameter.is_frozen:
            _, weights[path] = _frozen(stack, ties_bias=False)
            continue
        ties = layer is not None and chosen[layer].ties_bias and isinstance(stack, Tensor)
        weights |= (Tied() if ties else Independent()).share({path: stack})
    return weights


@torch.no_grad()
def composed_stacks(
    weights: Mapping[str, SharedWeight],
    parameters: Mapping[str, Parameter],
    templates: Sequence[nn.Module],
) -> dict[str, Tensor | list[Tensor]]:
    """All parameters' values for all tasks, by full name.

    Args:
        weights: the shared weights by their full names.
        parameters: the templates', by full name.
        templates: those of all forms.

    Shape:
        ``(T, *weight)`` in the papers' mode order; a list where shapes differ.
    """
    stacks: dict[str, Tensor | list[Tensor]] = {}
    for path, weight in weights.items():
        shapes = {template.get_parameter(path).shape for template in templates}
        if len(shapes) > 1:
            stacks[path] = [weight.of(task).clone() for task in range(weight.n_tasks)]
            continue
        stack = weight.stacked().clone()
        stacks[path] = parameters[path].without_padding(stack)
    return stacks


def leave_untrained(
    weights: Mapping[str, SharedWeight], bodies: nn.Module, paths: Iterable[str], n_tasks: int
) -> None:
    """Take parameters out of training, and with them the running statistics of modules of which all
    parameters are.

    Args:
        weights: the shared weights by their full names.
        bodies: the tasks' networks as they run.
        paths: full names of the parameters to leave out.
        n_tasks: how many tasks there are.
    """
    chosen = set(paths)
    for path in chosen:
        weights[path].requires_grad_(False)
        weights[path].zero_grad()
    for layer in bodies.modules():
        if isinstance(layer, TaskModule) and layer.is_frozen and not chosen.isdisjoint(layer.paths):
            layer.keep_statistics(n_tasks)
