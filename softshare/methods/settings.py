"""All that determines one run of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)

from softshare.tasks.arguments import ArgumentError
from softshare.tasks.input_kinds import InputKind
from softshare.tasks.weights import ClassWeight, TaskWeight

BUDGETS: Mapping[InputKind, Mapping[str, int]] = {
    "vector": {"steps": 1000, "batch_size": 64},
    "image": {"steps": 1000, "batch_size": 16},
    "large image": {"steps": 300, "batch_size": 16},
}
"""Kind of input (:func:`softshare.tasks.input_kinds.input_kind`) → the default budget,
from the cheapest to the dearest step.
"""

STEPS, BATCH_SIZE = BUDGETS["vector"]["steps"], BUDGETS["vector"]["batch_size"]
HIDDEN = (64, 64)
LEARNING_RATE = 1e-3
WEIGHT_DECAY: Mapping[InputKind, float] = {"vector": 1.0, "image": 0.01, "large image": 0.01}
DROPOUT: Mapping[InputKind, float] = {"vector": 0.1, "image": 0.0, "large image": 0.0}
PATIENCE = 20
N_FOLDS = 4
"""Defaults found on validation data: docs/defaults.md has the figures."""

OF_ONE_RUN = ("method", "fraction", "seed")
"""Settings in which the runs of one comparison differ."""

OF_THE_DATA = ("source", "inputs")
"""Settings that the data tell."""

TUNED = ("learning_rate", "weight_decay", "method_options", "searched")
"""Settings that a search sets for every method and fraction."""


@dataclass(frozen=True)
class RunSettings:
    """All that determines one run, the data aside.

    Args:
        source: what the data were read from, for the reader of a record.
        method: name of the method, one of :data:`softshare.methods.named.METHODS`.
        fraction: share of the training part that is used, in (0, 1].
        seed: of the split, the initial weights and the order of the examples.
        steps: optimiser steps in all, those of a start from trained networks counted;
            cross-validation is not.
        batch_size: examples of every task in a step.
        hidden: widths of the hidden layers.
        learning_rate: of Adam; None for the default, unless a search chooses it.
        weight_decay: by how many thousandths a step shrinks every weight, whatever the learning
            rate is; likewise.
        dropout: probability after each hidden layer; None for the default of the kind of input.
        inputs: the kind of the inputs, by which the defaults go.
        base: whether networks for vectors stand on a linear model, whose outputs they add to
            (``"linear"``), or on nothing (``"none"``).
        n_folds: networks that are trained where no examples are given to choose by: each on all
            folds of the training part but one, which it is watched on. They predict together.
        metric: the metric to compare by, instead of each kind's own.
        class_weight: ``"balanced"``: every class of a task weighs the same in training; None: as
            much as it has rows.
        task_weight: ``"equal"``: every task weighs the same in training; ``"examples"``: as much as
            it has examples; None: the former in networks, the latter in a model of all rows.
        trials: trials by which ``learning_rate``, ``weight_decay`` and ``method_options`` were
            chosen; 0: given or default.
        method_options: settings of the method itself, in place of its defaults.
        searched: which of the learning rate, the weight decay and the method's options a search
            chose.
        checkpoints: where the run's trainings are kept while it lasts, a
            :class:`softshare.training.kept.Checkpoints` or None: the one thing here that determines
            nothing, and stands in no record.
    """

    source: str
    method: str
    fraction: Annotated[float, Field(gt=0, le=1)]
    seed: NonNegativeInt
    steps: PositiveInt = STEPS
    batch_size: PositiveInt = BATCH_SIZE
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = HIDDEN
    learning_rate: PositiveFloat | None = None
    weight_decay: NonNegativeFloat | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    inputs: InputKind = "vector"
    base: Literal["linear", "none"] = "linear"
    n_folds: Annotated[int, Field(ge=2)] = N_FOLDS
    metric: str | None = None
    class_weight: ClassWeight | None = None
    task_weight: TaskWeight | None = None
    trials: NonNegativeInt = 0
    method_options: Mapping[str, int | float | str] = field(default_factory=dict)
    searched: tuple[str, ...] = ()
    # What it is is known where training is: a report reads settings, and no more.
    checkpoints: Annotated[Any, Field(exclude=True)] = field(
        default=None, compare=False, repr=False
    )

    @property
    def rate(self) -> float:
        """The learning rate in force."""
        return LEARNING_RATE if self.learning_rate is None else self.learning_rate

    @property
    def decay(self) -> float:
        """The weight decay in force."""
        return WEIGHT_DECAY[self.inputs] if self.weight_decay is None else self.weight_decay

    @property
    def dropped(self) -> float:
        """The dropout in force."""
        return DROPOUT[self.inputs] if self.dropout is None else self.dropout

    @property
    def weighing(self) -> dict[str, Any]:
        """How classes and tasks weigh in training, by the names of the settings."""
        return {"class_weight": self.class_weight, "task_weight": self.task_weight}

    @property
    def key(self) -> str:
        """Name of the run in its comparison, for example ``tucker-f0.1-s3``."""
        return f"{self.method}-f{self.fraction:.12g}-s{self.seed}"

    def with_options(self, **options: int | float | str) -> RunSettings:
        """The same settings with some of the method's options set."""
        return replace(self, method_options={**self.method_options, **options})

    def changes_to(self, other: RunSettings) -> dict[str, Any]:
        """The settings in which another's differ, with the other's values."""
        before, after = self.as_json(), other.as_json()
        return {name: value for name, value in after.items() if value != before[name]}

    def as_json(self) -> dict[str, Any]:
        """The settings as a record holds them."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain


def checked_settings(values: Mapping[str, Any]) -> RunSettings:
    """Settings from their values, converted and checked; None stands for the default.

    Raises:
        ArgumentError: some are wrong; all are named.
    """
    try:
        return _adapter().validate_python(
            {name: value for name, value in values.items() if value is not None}
        )
    except ValidationError as error:
        wrong = [
            (str(item["loc"][0]), f"{_lowered(item['msg'])}, got {item['input']!r}")
            for item in error.errors()
        ]
        raise ArgumentError(*wrong) from None


def given_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What was given for a run, from its settings as a record holds them: what a search chose left
    out, options as METHOD.NAME.
    """
    plain = {
        name: value
        for name, value in settings.items()
        if name not in ("method_options", "searched")
    }
    options = settings.get("method_options", {})
    searched = settings.get("searched") or ()
    if settings.get("trials") and not searched:  # a record from before the names were kept
        searched = ("learning_rate", "weight_decay", *options)
    given = {name: value for name, value in plain.items() if name not in searched}
    return given | {
        f"{settings['method']}.{name}": value
        for name, value in options.items()
        if name not in searched
    }


@cache
def _adapter() -> TypeAdapter[RunSettings]:
    return TypeAdapter(RunSettings)


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].removesuffix(".")
