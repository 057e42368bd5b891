"""What sharings are compared with: learning apart, one network for all tasks, and hard sharing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import softshare as ss
from softshare.methods.method import CROSS_VALIDATED, Options
from softshare.methods.network_method import NetworkMethod, Sharings

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.tasks.task_set import TaskSet


def _independent(layers: Sequence[str], options: Options) -> Sharings:
    return {"*": ss.Independent()}


def _tied(layers: Sequence[str], options: Options) -> Sharings:
    return {"*": ss.Tied()}


def _pooled(layers: Sequence[str], options: Options) -> Sharings:
    return {layers[-1]: ss.Tied(bias="own"), "*": ss.Tied()}


def _one_network_serves(tasks: TaskSet) -> str | None:
    """Pooling needs tasks that one network can serve and tell apart."""
    if tasks.one_input:
        return "all tasks see the same rows, which one network cannot tell apart"
    if len({(task.kind, task.n_outputs) for task in tasks.tasks}) > 1:
        return "the tasks' outputs differ in form"
    if len({tasks.input_shape(number) for number in range(len(tasks))}) > 1:
        return "the tasks' inputs differ in shape"
    return None


def _tied_first_layers(layers: Sequence[str], options: Options) -> Sharings:
    """Hard sharing of the first layers, as many as ``first`` says."""
    first = options["first"]
    if not isinstance(first, int) or not 0 <= first < len(layers):
        raise ValueError(
            f"tied-first-layers: first must be {CROSS_VALIDATED!r} or from 0 to "
            f"{len(layers) - 1} layers, got {first!r}"
        )
    above = dict.fromkeys(layers[first:], ss.Independent())
    return {**above, "*": ss.Tied()}  # "*" leaves layers alone that differ in shape


def _choose_first_layers(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Every number of tied layers from one to all but the output, by cross-validation."""
    if trainer.method.option(settings, "first") != CROSS_VALIDATED:
        return settings

    def tying(first: int) -> RunSettings:
        return settings.with_options(first=first)

    layers = trainer.of(INDEPENDENT).start(replace(settings, method_options={}), train).layers
    numbers = range(1, len(layers)) or range(1)
    candidates = {first: tying(first) for first in numbers}
    losses = trainer.cross_validate(candidates, train, seed=settings.seed)
    return candidates[min(losses, key=losses.__getitem__)]


INDEPENDENT = NetworkMethod(
    "independent",
    "nothing: every task learns alone (the baseline)",
    "single-task learning",
    _independent,
    base="ridge",
)

POOLED = NetworkMethod(
    "pooled",
    "everything but the output bias: one network for all tasks",
    "what one would do instead",
    _pooled,
    applies_to=_one_network_serves,
)

TIED = NetworkMethod("tied", "all layers but the output (hard sharing)", "Caruana 1997", _tied)

TIED_FIRST_LAYERS = NetworkMethod(
    "tied-first-layers",
    "the first layers, as many as cross-validation says (UD-MTL)",
    "Yang & Hospedales 2017 (DMTRL)",
    _tied_first_layers,
    options={"first": CROSS_VALIDATED},
    decide=_choose_first_layers,
    cross_validated=("first",),
    default=False,
)
