"""The shared weight behind every parameter of a template."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from softshare.network.forms import Stacks, layer_shapes
from softshare.network.layers import Parameter, assign_sharings
from softshare.sharing.base import RandomStreams, SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied


def make_weights(
    parameters: Mapping[str, Parameter],
    stacks: Stacks,
    sharing: Sharing | Mapping[str, Sharing],
    streams: RandomStreams,
    *,
    random: bool,
) -> tuple[dict[str, Sharing], dict[str, SharedWeight]]:
    """Shared weights as told, layer by layer; biases and norm parameters follow their layers.

    Args:
        parameters: the template's, by full name.
        stacks: every parameter's initial values for all tasks, by full name.
        sharing: one sharing for all shareable layers, or layer-name pattern → sharing.
        streams: the random streams, which know the tasks' names.
        random: draw weights of the initial values' size, instead of sharing the initial values.
            Scales of layers always start from the initial values, unless their sharing sets them.

    Returns:
        Layer → its sharing, and parameter's full name → shared weight.

    Raises:
        ValueError: a pattern matches no layer, or a sharing cannot apply to a layer.
    """
    by_layer = {p.layer: path for path, p in parameters.items() if p.is_weight}
    own = {list(by_layer)[-1]} | {
        p.layer
        for path, p in parameters.items()
        if p.each_tasks_own or not isinstance(stacks[path], Tensor)
    }
    scales = {p.layer for p in parameters.values() if p.is_scales}
    weights: dict[str, SharedWeight] = {}
    chosen: dict[str, Sharing] = {}
    for given, layers in assign_sharings(list(by_layer), own, sharing).items():
        value = given.for_tasks(streams.names)
        chosen |= dict.fromkeys(layers, value)
        made = _made(
            value,
            {layer: stacks[by_layer[layer]] for layer in layers},
            scales,
            streams if random else None,
        )
        weights |= {by_layer[layer]: weight for layer, weight in made.items()}
    weights |= _weights_of_the_rest(parameters, stacks, chosen)
    return chosen, {path: weights[path] for path in parameters}


def _made(
    value: Sharing, initial: Stacks, scales: set[str], streams: RandomStreams | None
) -> dict[str, SharedWeight]:
    """One sharing's layers, drawn where there are streams; scales are not, unless the sharing sets
    them.
    """
    if value.orders_layers and (others := [layer for layer in initial if layer not in scales]):
        name = type(value).__name__
        raise ValueError(
            f"layer {others[0]!r}: {name} is for the scales of a SoftOrdering, not for "
            "weights; name the scales only"
        )
    at_random = [layer for layer in initial if value.orders_layers or layer not in scales]
    if streams is None or not at_random:
        return value.share(initial)
    drawn = {layer: layer_shapes(initial[layer]) for layer in at_random}
    given = {layer: stack for layer, stack in initial.items() if layer not in drawn}
    return value.draw(drawn, streams) | (value.share(given) if given else {})


def _weights_of_the_rest(
    parameters: Mapping[str, Parameter], stacks: Stacks, chosen: Mapping[str, Sharing]
) -> dict[str, SharedWeight]:
    """Biases go with their layer and norm parameters with the layer before: tied if it ties them,
    else each task's own.
    """
    weights: dict[str, SharedWeight] = {}
    layer = None
    for path, parameter in parameters.items():
        if parameter.is_weight:
            layer = parameter.layer
        else:
            tied = (
                layer is not None and chosen[layer].ties_bias and isinstance(stacks[path], Tensor)
            )
            weights |= (Tied() if tied else Independent()).share({path: stacks[path]})
    return weights
