"""What a run record and a split file must hold to be read.

More may stand in them: what a method describes of itself, for example, is its own affair.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from softshare.tasks.task import Kind

FORMAT = 2
"""Of records and split files. The first had no digest, of the content and of the split alike."""

Count = Annotated[int, Field(ge=0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
Metrics = dict[str, dict[str, Finite | None]]
"""Task → metric → value."""

Rows = list[Count] | dict[str, list[Count]]
"""Rows of the source; where tasks have several sources, task → rows of its own."""


class Part(BaseModel):
    """What is checked as it stands; more may stand beside it."""

    model_config = ConfigDict(strict=True, extra="allow")


class Settings(Part):
    """The settings that every reader asks for; the others are compared, whatever they are."""

    source: str
    method: str
    fraction: Annotated[float, Field(gt=0, le=1)]
    seed: Count
    steps: Annotated[int, Field(gt=0)]
    trials: Count = 0
    method_options: dict[str, int | float | str] = {}
    searched: list[str] = []


class TaskOfData(Part):
    """One task, and how many examples each part has of it."""

    name: str
    metric: str
    kind: Kind
    n_outputs: Annotated[int, Field(gt=0)]
    n_train: Count
    n_validation: Count
    n_test: Count


class Data(Part):
    """The data as they went into the run."""

    fingerprint: str
    division: str
    tasks: Annotated[list[TaskOfData], Field(min_length=1)]
    test_part: Literal["given", "drawn"] = "drawn"
    notes: list[str]


class Point(Part):
    """A point of the learning curve."""

    step: Count
    train_loss: Finite | None
    validation_loss: Finite | None


class Resampled(Part):
    """A task's metric under each weighting of the test rows."""

    units: Count
    values: list[Finite]


class Layer(Part):
    """What is shared in a layer."""

    sharing: str
    ranks: list[int]
    parameters: Count
    independent_parameters: Count
    effective_rank: Finite | None


class Sharing(Part):
    """What is shared where."""

    layers: dict[str, Layer]
    similarity: list[list[Finite]] | None
    task_correlation: list[list[Finite]] | None = None
    warnings: list[str]


class RunRecord(Part):
    """One run."""

    format: Literal[2]
    key: Annotated[str, Field(min_length=1)]
    split: Digest
    reading: dict[str, Any] = {}
    settings: Settings
    data: Data
    versions: dict[str, str]
    error: str | None
    parameters: Count | None
    metrics: dict[str, Metrics]
    set_metrics: dict[str, dict[str, Finite]]
    resampled: dict[str, Resampled] = {}
    curve: list[Point]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sharing: Sharing


class SplitFile(Part):
    """Which rows each part of a split holds."""

    format: Literal[2]
    split: Digest
    rows: str
    train: Rows
    validation: Rows
    test: Rows


def check(content: Mapping[str, Any], schema: type[BaseModel]) -> None:
    """Make sure that a file's content has the form that its readers rely on.

    Raises:
        ValueError: it has another; the message names the first place and how many there are.
    """
    told = content.get("format")
    if told != FORMAT:
        raise ValueError(f"its format is {told!r}, this version reads {FORMAT}")
    check_form(content, schema)


def check_form(content: Mapping[str, Any], schema: type[BaseModel]) -> None:
    """Make sure that a content has the form that its readers rely on.

    Raises:
        ValueError: as :func:`check`.
    """
    try:
        _adapter(schema).validate_python(content)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)
        place = ".".join(map(str, wrong[0]["loc"]))
        more = f" and {len(wrong) - 1} places more" if len(wrong) > 1 else ""
        raise ValueError(f"{place} cannot be read ({wrong[0]['msg']}){more}") from None


@cache
def _adapter(schema: type[BaseModel]) -> TypeAdapter[Any]:
    return TypeAdapter(schema)
