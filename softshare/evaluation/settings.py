"""All that determines one run of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, TypeAdapter, ValidationError

OF_ONE_RUN = ("method", "fraction", "seed")
"""Settings in which the runs of one comparison differ."""

TUNED = ("learning_rate", "weight_decay", "method_options")
"""Settings that a search chooses for every method and fraction."""


@dataclass(frozen=True)
class RunSettings:
    """All that determines one run, the data aside. None stands for the documented default.

    Args:
        source: what the data were read from, for the reader of a record.
        method: name of the method, one of :data:`softshare.evaluation.methods.METHODS`.
        fraction: share of the training part that is used, in (0, 1].
        seed: of the split, the initial weights and the order of the examples.
        steps: optimiser steps in all, those of a start from trained networks counted.
        batch_size: examples of every task in a step.
        hidden: widths of the hidden layers.
        learning_rate: of Adam.
        weight_decay: of Adam.
        metric: the metric to compare by, instead of each kind's own.
        trials: trials by which ``learning_rate``, ``weight_decay`` and ``method_options`` were chosen; 0: given or default.
        method_options: settings of the method itself, by the names of its search space.
    """

    source: str
    method: str
    fraction: Annotated[float, Field(gt=0, le=1)]
    seed: NonNegativeInt
    steps: PositiveInt | None = None
    batch_size: PositiveInt | None = None
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None
    learning_rate: PositiveFloat | None = None
    weight_decay: NonNegativeFloat | None = None
    metric: str | None = None
    trials: NonNegativeInt = 0
    method_options: Mapping[str, int | float | str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name of the run in its comparison, for example ``tucker-f0.1-s3``."""
        return f"{self.method}-f{self.fraction:.12g}-s{self.seed}"

    def as_json(self) -> dict[str, Any]:
        """The settings as a record holds them."""
        plain: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return plain


def checked_settings(values: Mapping[str, Any]) -> RunSettings:
    """Settings from their values, converted and checked.

    Raises:
        ValueError: some are wrong; the message names them all.
    """
    try:
        return _adapter().validate_python(dict(values))
    except ValidationError as error:
        wrong = [f"{item['loc'][0]}: {_lowered(item['msg'])}, got {item['input']!r}" for item in error.errors()]
        raise ValueError("; ".join(dict.fromkeys(wrong))) from None


@cache
def _adapter() -> TypeAdapter[RunSettings]:
    return TypeAdapter(RunSettings)


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:].removesuffix(".")
