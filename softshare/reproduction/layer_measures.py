"""What is measured of the layers from bottom to top, and of pairs of tasks in one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from statistics import fmean

from torch import Tensor

from softshare.reproduction.measures import Judged, network_of
from softshare.sharing.strength import similarity

ByLayer = Callable[[Judged], Mapping[str, float]]


def mean_over_layers(
    judged: Judged,
    *,
    of: ByLayer,
) -> float:
    """The mean of a measure over the layers that it has values of.

    Args:
        judged: what was learned.
        of: measures every layer.
    """
    return fmean(of(judged).values())


def fall(
    judged: Judged,
    *,
    of: ByLayer,
) -> float:
    """How much larger a measure is in the lowest layer than in the highest that it has a value of.

    Args:
        judged: what was learned.
        of: measures every layer.
    """
    values = list(of(judged).values())
    return values[0] - values[-1]


def related_pairs(
    judged: Judged,
    *,
    layer: str,
) -> list[tuple[str, str, float]]:
    """All pairs of tasks with the cosine of their weights in a layer, the most related first.

    Args:
        judged: a network.
        layer: its name; all tasks have its shape.

    Raises:
        ValueError: the tasks differ in the layer's shape.
    """
    network = network_of(judged).network
    stack = network.stacks()[network.path_of(layer)]
    if not isinstance(stack, Tensor):
        raise ValueError(f"related_pairs: the tasks have layers {layer!r} of several shapes")
    cosines = similarity(stack)
    names = [task.label for task in judged.judged.tasks]
    pairs = [
        (names[one], names[other], float(cosines[one, other]))
        for one, other in combinations(range(len(names)), 2)
    ]
    return sorted(pairs, key=_cosine, reverse=True)


def _cosine(pair: tuple[str, str, float]) -> float:
    return pair[2]
