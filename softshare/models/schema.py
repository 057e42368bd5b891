"""What ``model.json`` must hold to be read; its readers rely on it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from softshare.evaluation.records.schema import Count, Finite, Part, Sharing, check_form
from softshare.tasks.task import Kind

Name = str | Annotated[list[str], Field(min_length=2)]
Positive = Annotated[int, Field(gt=0)]


class TaskOfModel(Part):
    """A task that was learned."""

    name: Name
    kind: Kind
    n_outputs: Annotated[int, Field(gt=0, le=100_000)]
    classes: list[str]


class Form(Part):
    """The tasks without their examples (:mod:`softshare.models.form`)."""

    tasks: Annotated[list[TaskOfModel], Field(min_length=1)]
    shapes: Annotated[list[list[Positive]], Field(min_length=1)]
    source_of: list[Count]
    one_input: bool
    one_unit: bool | None
    units: list[int] | None
    preprocessing: list[str | None]
    target_scaling: list[Annotated[list[Finite], Field(min_length=2, max_length=2)]] | None
    table: dict[str, Any] | None
    notes: list[str]


class Measure(Part):
    """How well the model does on a task (:mod:`softshare.models.measured`)."""

    task: str
    kind: Kind
    rows: Count
    metric: str
    value: Finite | None
    interval: Annotated[list[Finite], Field(min_length=2, max_length=2)] | None
    metrics: dict[str, Finite | None]


class RowsOfTask(Part):
    """How many rows a task was learned from."""

    task: str
    rows: Count


class DecidedOfPiece(Part):
    """Of what the training part has decided for some of the tasks, what readers show."""

    tasks: list[str] = Field(default_factory=list)

    weights: dict[str, Finite] = Field(default_factory=dict)
    own_weights: dict[str, dict[str, Finite]] = Field(default_factory=dict)
    apart: list[str] = Field(default_factory=list)
    left_out: dict[str, str] = Field(default_factory=dict)


class Decided(DecidedOfPiece):
    """The same for all tasks, or piece by piece where they differ in form."""

    pieces: list[DecidedOfPiece] = Field(default_factory=list)


class Facts(Part):
    """What is known of the model."""

    tasks: list[RowsOfTask]
    judged_on: str
    measures: list[Measure]
    parameters: Count | None
    decided: Decided
    sharing: Sharing
    versions: dict[str, str]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Added(Part):
    """A task that came later, as it is written down."""

    name: str | dict[str, list[str]]
    offset: dict[str, str]
    rows: Count
    widening: Finite


class AddedState(Part):
    """Its state."""

    of: Added


class SettingsOfModel(Part):
    """Of the settings, what readers show; the others are checked where they are used."""

    source: str
    method: str


class ModelFile(Part):
    """The whole file."""

    format: Positive
    weights: str
    method: str
    settings: SettingsOfModel
    form: Form
    facts: Facts
    calibration: dict[str, Any] | None
    learned: dict[str, Any]
    added: list[AddedState]
    probe: dict[str, str]


def check_model(content: dict[str, Any]) -> None:
    """Make sure that a model's JSON has the form that its readers rely on.

    Raises:
        ValueError: it has another; the message names the first place and how many there are.
    """
    check_form(content, ModelFile)
    form = content["form"]
    n_tasks, n_sources = len(form["tasks"]), len(form["shapes"])
    for name in ("source_of", "units", "target_scaling"):
        if form[name] is not None and len(form[name]) != n_tasks:
            raise ValueError(f"form.{name} is not of {n_tasks} tasks")
    if max(form["source_of"]) >= n_sources or len(form["preprocessing"]) not in (0, n_sources):
        raise ValueError(f"form has not {n_sources} sources of inputs")
