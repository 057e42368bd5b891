"""The shared weight behind every parameter of a template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from softshare.network.execution.task_module import TaskModule
from softshare.network.forms import Stack, Stacks, layer_shapes
from softshare.network.layers import Parameter, assign_sharings
from softshare.network.start import Start, is_one_value
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
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
    by_layer: dict[str, str] = {}  # layer → its weight's full name
    frozen = set()
    for path, parameter in parameters.items():
        if not parameter.is_weight:
            continue
        by_layer[parameter.layer] = path
        if parameter.is_frozen:
            frozen.add(parameter.layer)
    own = _own_layers(parameters, stacks)
    weights: dict[str, SharedWeight] = {}
    chosen: dict[str, Sharing] = {}
    for given, layers in assign_sharings(list(by_layer), own, sharing).items():
        value = given.for_tasks(streams.names)
        trained: dict[str, Parameter] = {}
        for layer in layers:
            path = by_layer[layer]
            # An ordering of frozen layers is learned all the same, and what stands beside them.
            learns = value.orders_layers or value.learns_beside_frozen
            if layer not in frozen or learns:
                chosen[layer] = value
                trained[layer] = parameters[path]
            else:
                chosen[layer], weights[path] = _frozen(
                    stacks[path],
                    ties_bias=value.ties_bias,
                )
        # All of a sharing's layers are made at once: some sharings span layers.
        made = _made(value, trained, start, streams)
        for layer, weight in made.items():
            path = by_layer[layer]
            weights[path] = weight
    weights |= _weights_of_the_rest(parameters, start, chosen, streams)
    for path, parameter in parameters.items():
        if parameter.padding_row is not None:
            _clear_row(weights[path], parameter.padding_row)
    return chosen, {path: weights[path] for path in parameters}


def _own_layers(parameters: Mapping[str, Parameter], stacks: Stacks) -> set[str]:
    """Layers that stay each task's own unless a pattern names them: the output layer, those of
    several shapes, and those whose module says so.
    """
    layers = [p.layer for p in parameters.values() if p.is_weight]
    own = set(layers[-1:])
    for path, parameter in parameters.items():
        has_several_shapes = not isinstance(stacks[path], Tensor)
        if parameter.each_tasks_own or has_several_shapes:
            own.add(parameter.layer)
    return own


def _made(
    value: Sharing,
    layers: Mapping[str, Parameter],
    start: Start,
    streams: RandomStreams,
) -> dict[str, SharedWeight]:
    """One sharing's layers: drawn, or made of the values that they keep."""
    drawn: dict[str, LayerShapes] = {}
    kept: dict[str, Stack] = {}
    for layer, parameter in layers.items():
        if value.orders_layers and not parameter.is_scales:
            name = type(value).__name__
            raise ValueError(
                f"layer {layer!r}: {name} is for the scales of a SoftOrdering, not for "
                "weights; name the scales only"
            )
        stack = start.stacks[parameter.path]
        draws = start.draws_orders
        if not value.orders_layers:
            keeps = parameter.is_scales or parameter.path in start.kept
            draws = not keeps
        if draws:
            drawn[layer] = layer_shapes(stack)
        else:
            kept[layer] = stack
    made: dict[str, SharedWeight] = {}
    if drawn:
        made |= value.draw(drawn, streams)
    if kept:
        made |= value.start(kept, streams, examples=start.examples)
    return made


def _frozen(stack: Stack, *, ties_bias: bool) -> tuple[Sharing, SharedWeight]:
    """What keeps values exactly: one copy where all tasks have the same, else each task's own."""
    sharing: Sharing = Independent()
    if isinstance(stack, Tensor) and is_one_value(stack):
        bias: Literal["tied", "own"] = "tied" if ties_bias else "own"
        sharing = Tied(bias=bias)
        # Of views of one copy a sharing takes the copy, bit for bit, and no mean.
        stack = stack[:1].expand_as(stack)  # (T, *weight)
    shared = sharing.share({"": stack})
    return sharing, shared[""]


@torch.no_grad()
def _clear_row(weight: SharedWeight, row: int) -> None:
    """Zeros in the row of the padding where the parameter is the weight itself; composed ones are
    cleared wherever they are used.
    """
    network = weight.contraction()
    if network is None:
        return
    _, factors = network
    if len(factors) == 1:  # one factor is the weight itself
        rows = factors[0].select(-2, row)
        rows.zero_()


def _weights_of_the_rest(
    parameters: Mapping[str, Parameter],
    start: Start,
    chosen: Mapping[str, Sharing],
    streams: RandomStreams,
) -> dict[str, SharedWeight]:
    """Biases go with their layer and norm parameters with the layer before: as its sharing says,
    else each task's own; frozen ones keep their values.
    """
    weights: dict[str, SharedWeight] = {}
    layer = None
    for path, parameter in parameters.items():
        if parameter.is_weight:
            layer = parameter.layer
            continue
        stack = start.stacks[path]
        if parameter.is_frozen:
            _, weights[path] = _frozen(stack, ties_bias=False)
            continue
        sharing = None if layer is None else chosen[layer].of_biases
        if sharing is None or not isinstance(stack, Tensor):
            sharing = Independent()
        weights |= sharing.start({path: stack}, streams, examples=start.examples)
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
            tasks = range(weight.n_tasks)
            stacks[path] = [weight.of(task).clone() for task in tasks]
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
        if not isinstance(layer, TaskModule) or not layer.is_frozen:
            continue
        if not chosen.isdisjoint(layer.paths):
            layer.keep_statistics(n_tasks)
