"""What the training part decides of a method's settings before a run: layers tied, cores shared, width."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import partial
from typing import Any

from softshare.evaluation.cross_validation import Learn, cross_validate
from softshare.evaluation.method import CROSS_VALIDATED, Method
from softshare.evaluation.methods import method_named
from softshare.evaluation.run import start_network, train_network
from softshare.evaluation.select_pattern import select_pattern
from softshare.evaluation.settings import RunSettings
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet

STEPS_OF_WIDTH = 16
"""Hidden layers are widened in steps of a sixteenth of their width."""


def choose_first_layers(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The number of tied layers, ``first``, by cross-validation where it is to be chosen.

    Every number from one layer to all but the output is tried.
    """
    if _option(method, settings, "first") != CROSS_VALIDATED:
        return settings
    n_layers = len(_layers(settings, train))
    candidates = {first: _with(settings, first=first) for first in range(1, n_layers)} or {0: _with(settings, first=0)}
    learners = {first: _learner(method, candidate) for first, candidate in candidates.items()}
    losses = cross_validate(learners, train, seed=settings.seed)
    return candidates[min(losses, key=losses.__getitem__)]


def choose_pattern(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The pattern of shared cores, ``shared``, by greedy cross-validated search where it is to be chosen."""
    if _option(method, settings, "shared") != CROSS_VALIDATED:
        return settings
    n_cores = [_option(method, settings, "cores")] * (len(_layers(settings, train)) - 1)
    choice = select_pattern(lambda pattern: _learner(method, _with(settings, shared=pattern)), n_cores, train, seed=settings.seed)
    return _with(settings, shared=choice.pattern)


def match_size(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Hidden layers of the width at which the method has as many parameters as the one named by its option ``as_many_as``.

    Raises:
        ValueError: there is no such method, or its number of parameters depends on what networks trained apart have learned.
    """
    name = _option(method, settings, "as_many_as")
    other = method_named(name)
    if other.options.get("apart"):
        raise ValueError(f"{method.name}: as_many_as={name!r} starts from networks trained apart, and its size depends on them")
    target = _size(start_network(other, replace(settings, method_options={}), train))
    size = partial(_size_at_width, method, settings, train)
    most = STEPS_OF_WIDTH
    while size(most) < target:
        most *= 2
    first = 1 + bisect_left(range(1, most), target, key=size)
    nearest = min((width for width in (first - 1, first) if width), key=lambda width: abs(size(width) - target))
    return replace(settings, hidden=_widened(settings, nearest))


def _size_at_width(method: Method, settings: RunSettings, train: TaskSet, width: int) -> int:
    return _size(start_network(method, replace(settings, hidden=_widened(settings, width)), train))


def _widened(settings: RunSettings, width: int) -> tuple[int, ...]:
    return tuple(max(1, round(hidden * width / STEPS_OF_WIDTH)) for hidden in settings.hidden)


def _size(network: MultiTaskNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _layers(settings: RunSettings, train: TaskSet) -> list[str]:
    """The layers of the network, the output's last."""
    return list(start_network(method_named("independent"), replace(settings, method_options={}), train).layers)


def _learner(method: Method, settings: RunSettings) -> Learn:
    return lambda train, held_out: train_network(method, settings, train, held_out)[0]


def _option(method: Method, settings: RunSettings, name: str) -> Any:
    return {**method.options, **settings.method_options}[name]


def _with(settings: RunSettings, **options: int | str) -> RunSettings:
    return replace(settings, method_options={**settings.method_options, **options})
