"""What the training part decides of a method's settings before a run: layers tied, cores shared,
width.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import partial
from typing import Any

from softshare.methods.cross_validation import Learn, cross_validate
from softshare.methods.method import CROSS_VALIDATED, Method
from softshare.methods.named import METHODS, method_named
from softshare.methods.select_pattern import select_pattern
from softshare.methods.settings import RunSettings
from softshare.methods.training import start_network, train_network
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.weights.regularised import RegularisedWeight
from softshare.sharing.weights.unequal_rings import UnequalRings
from softshare.tasks.task_set import TaskSet

STEPS_OF_WIDTH = 16
"""Hidden layers are widened in steps of a sixteenth of their width."""

WIDE = 512
"""Features from which on an unfolding's or a covariance's eigenvalues take longer than the training
step.
"""


def choose_interval(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The interval ``every`` of what is expensive in wide layers: ten times the default, unless it
    is given.
    """
    if "every" in settings.method_options:
        return settings
    weights = start_network(method, settings, train).layers.values()
    widest = max(
        (
            size
            for weight in weights
            if isinstance(weight, RegularisedWeight)
            for size in weight.of(0).shape
        ),
        default=0,
    )
    return _with(settings, every=10 * method.options["every"]) if widest > WIDE else settings


def choose_first_layers(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The number of tied layers, ``first``, by cross-validation where it is to be chosen.

    Every number from one layer to all but the output is tried.
    """
    if _option(method, settings, "first") != CROSS_VALIDATED:
        return settings
    n_layers = len(_layers(settings, train))
    candidates = {first: _with(settings, first=first) for first in range(1, n_layers)} or {
        0: _with(settings, first=0)
    }
    learners = {first: _learner(method, candidate) for first, candidate in candidates.items()}
    losses = cross_validate(learners, train, seed=settings.seed)
    return candidates[min(losses, key=losses.__getitem__)]


def choose_pattern(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The pattern of shared cores, ``shared``, by greedy cross-validated search where it is to be
    chosen.

    A number of cores becomes a pattern where tasks differ in shape: no layer shares more than its
    tasks have in common.
    """
    shared, n_cores = _option(method, settings, "shared"), _cores_in_common(method, settings, train)
    if shared == CROSS_VALIDATED:
        choice = select_pattern(
            lambda pattern: _learner(method, _with(settings, shared=pattern)),
            n_cores,
            train,
            seed=settings.seed,
        )
        return _with(settings, shared=choice.pattern)
    if isinstance(shared, int) and min(n_cores) < shared <= _option(method, settings, "cores"):
        return _with(settings, shared="".join(str(min(shared, n_here)) for n_here in n_cores))
    return settings


def _cores_in_common(method: Method, settings: RunSettings, train: TaskSet) -> list[int]:
    """How many cores the tasks can share in each layer, from bottom to top."""
    rings = list(start_network(method, _with(settings, shared=0), train).layers.values())[:-1]
    return [
        len(
            ring.cores_in_common
            if isinstance(ring, UnequalRings)
            else dict(ring.named_parameters())
        )
        for ring in rings
    ]


def match_size(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Hidden layers of the width at which the method has as many parameters as the one named by its
    option ``as_many_as``.

    That one has its default options. Of LeNet, the network for images, only the affine layer is
    widened.

    Raises:
        ValueError: there is no such method, its number of parameters depends on the data, or the
            network has no widths to choose.
    """
    target = _size(_network_to_match(method, settings, train))
    size = partial(_size_at_width, method, settings, train)
    if size(2 * STEPS_OF_WIDTH) <= size(STEPS_OF_WIDTH):
        raise ValueError(
            f"{method.name}: the network's size does not grow with "
            f"hidden={settings.hidden}, so it cannot be made wider"
        )
    most = STEPS_OF_WIDTH
    while size(most) < target:
        most *= 2
    first = 1 + bisect_left(range(1, most), target, key=size)
    nearest = min(
        (width for width in (first - 1, first) if width),
        key=lambda width: abs(size(width) - target),
    )
    return replace(settings, hidden=_widened(settings, nearest))


def _network_to_match(method: Method, settings: RunSettings, train: TaskSet) -> MultiTaskNetwork:
    name = _option(method, settings, "as_many_as")
    others = {
        other.name: other
        for other in METHODS
        if other.name != method.name and CROSS_VALIDATED not in other.options.values()
    }
    if name not in others:
        raise ValueError(
            f"{method.name}: as_many_as must name another method whose size is not chosen "
            f"by cross-validation, got {name!r}; "
            f"the methods are {', '.join(others)}"
        )
    other, start = others[name], replace(settings, method=name, method_options={})
    if other.options.get("apart"):
        raise ValueError(
            f"{method.name}: as_many_as={name!r} starts from networks trained apart, and "
            "its size depends on them"
        )
    decided = other.decide(other, start, train) if other.decide else start
    return start_network(
        replace(other, initial="independent"), decided, train
    )  # as large as from a common start


def _size_at_width(method: Method, settings: RunSettings, train: TaskSet, width: int) -> int:
    return _size(start_network(method, replace(settings, hidden=_widened(settings, width)), train))


def _widened(settings: RunSettings, width: int) -> tuple[int, ...]:
    return tuple(max(1, round(hidden * width / STEPS_OF_WIDTH)) for hidden in settings.hidden)


def _size(network: MultiTaskNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _layers(settings: RunSettings, train: TaskSet) -> list[str]:
    """The layers of the network, the output's last."""
    return list(
        start_network(
            method_named("independent"), replace(settings, method_options={}), train
        ).layers
    )


def _learner(method: Method, settings: RunSettings) -> Learn:
    return lambda train, held_out: train_network(method, settings, train, held_out)[0]


def _option(method: Method, settings: RunSettings, name: str) -> Any:
    return {**method.options, **settings.method_options}[name]


def _with(settings: RunSettings, **options: int | str) -> RunSettings:
    return replace(settings, method_options={**settings.method_options, **options})
