"""A whole model as one module: raw rows in, predictions in own units or probabilities out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from softshare.models.export.answers import answer_module
from softshare.models.export.features import features_of
from softshare.models.export.refusal import NotExportableError
from softshare.models.export.table_features import Raw
from softshare.models.probabilities import Line
from softshare.tasks.task import Task, TaskName, label_of, no_such_task

if TYPE_CHECKING:
    from softshare.models.model import Model


class Graph(nn.Module):
    """What :func:`graph_of` makes.

    Args:
        features: raw inputs by their names, and each row's source, to features.
        answer: features and places of tasks to outputs, in the unit that training counts in.
        sources: each task's source, ``(T,)``.
        scaling: the mean and the deviation of each task's target, ``(T, 2)``; None of classes.
        line: what makes probabilities come true, of these tasks; None where nothing does.
        kind: of the targets.
    """

    sources: Tensor
    scaling: Tensor | None
    unknown: Tensor

    def __init__(
        self,
        features: nn.Module,
        answer: nn.Module,
        *,
        sources: np.ndarray,
        scaling: np.ndarray | None,
        line: Line | None,
        kind: str,
    ) -> None:
        super().__init__()
        self.features = features
        self.answer = answer
        self.kind = kind
        self.n_tasks = len(sources)
        self.register_buffer("sources", torch.from_numpy(sources))
        units = None if scaling is None else torch.from_numpy(scaling)
        self.register_buffer("scaling", units)
        self.line = None if line is None else CalibratedLogits(line)
        self.register_buffer("unknown", torch.tensor(np.nan, dtype=torch.float64))

    def forward(
        self,
        task: Tensor | None = None,
        numbers: Tensor | None = None,
        categories: Tensor | None = None,
        inputs: Tensor | None = None,
    ) -> Tensor:
        """Predictions.

        Args:
            task: the number of each row's task, where there are several; of any other number the
                prediction is NaN.
            numbers: a table's columns of numbers, booleans, dates and times.
            categories: a table's columns of categories, as codes.
            inputs: of a model of arrays.

        Shape:
            task ``(N,)``, numbers ``(N, C)``, categories ``(N, K)``, inputs ``(N, *shape)`` →
            ``(N,)`` in own units, or ``(N, classes)``.
        """
        given = {"numbers": numbers, "categories": categories, "inputs": inputs}
        raw: Raw = {name: values for name, values in given.items() if values is not None}
        if task is None:
            first = next(iter(raw.values()))
            places = torch.zeros_like(first.flatten(1)[:, 0], dtype=torch.int64)
        else:
            is_known = (task >= 0) & (task < self.n_tasks)
            places = torch.where(
                is_known,
                task,
                torch.zeros_like(task),
            )
        sources = self.sources.index_select(0, places)
        outputs = self.answer(self.features(raw, sources), places)
        predictions = self._told(outputs, places)
        if task is None:
            return predictions
        if predictions.ndim == 2:
            is_known = is_known[:, None]
        return torch.where(
            is_known,
            predictions,
            self.unknown,
        )

    def _told(
        self,
        outputs: Tensor,
        places: Tensor,
    ) -> Tensor:
        """In own units, or as probabilities of all classes."""
        if self.line is not None:
            outputs = self.line(outputs, places)
        if self.kind == "multiclass":
            return torch.softmax(outputs, dim=1)
        if self.kind == "binary":
            second = torch.sigmoid(outputs)
            return torch.cat([1 - second, second], dim=1)
        numbers = outputs[:, 0]
        if self.scaling is None:
            return numbers
        units = self.scaling.index_select(0, places)
        return numbers * units[:, 1] + units[:, 0]


class CalibratedLogits(nn.Module):
    """Logits of which probabilities come true.

    Args:
        line: of the tasks in the order of their places.
    """

    slope: Tensor
    constants: Tensor

    def __init__(self, line: Line) -> None:
        super().__init__()
        constants = torch.from_numpy(line.shift + line.offsets)
        self.register_buffer("slope", torch.tensor(line.slope, dtype=torch.float64))
        self.register_buffer("constants", constants)

    def forward(
        self,
        outputs: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, C)`` and ``(N,)`` → ``(N, C)``."""
        own = self.constants.index_select(0, places)
        return self.slope * outputs + own[:, None]


def graph_of(model: Model, task: TaskName | None = None) -> Graph:
    """A model as one module of plain tensor operations, in evaluation mode.

    Args:
        model: any model.
        task: the only task that it is to know; all when None.

    Raises:
        KeyError: there is no such task.
        NotExportableError: the model has no form as one graph; the message says why.
    """
    form = model.form
    tasks = tasks_of(model, task)
    alike = {(one.kind, one.n_outputs) for one in tasks}
    if len(alike) > 1:
        raise NotExportableError(
            "the tasks differ in what they predict; export each task by itself"
        )
    number_of = {one.name: number for number, one in enumerate(form.tasks)}
    numbers = np.array([number_of[one.name] for one in tasks])
    sources, places = np.unique(form.source_of[numbers], return_inverse=True)
    shapes = {tuple(form.sources[source].shape[1:]) for source in sources}
    if len(shapes) > 1:
        raise NotExportableError("the tasks' inputs differ in shape; export each task by itself")
    fitted = [form.preprocessing[source] if form.preprocessing else None for source in sources]
    scaling = form.target_scaling
    is_scaled = scaling is not None and tasks[0].kind == "regression"
    try:
        answer = answer_module(model.learned, [one.name for one in tasks])
    except NotExportableError as error:
        raise NotExportableError(f"{model.method.name}: {error}") from None
    graph = Graph(
        features_of(fitted),
        answer,
        sources=places,
        scaling=np.asarray(scaling)[numbers] if is_scaled else None,
        line=_line(
            model,
            tasks[0].kind,
            numbers,
        ),
        kind=tasks[0].kind,
    )
    graph.requires_grad_(False)
    return graph.eval()


def _line(
    model: Model,
    kind: str,
    numbers: np.ndarray,
) -> Line | None:
    """What makes probabilities of these tasks come true, where that is more than nothing."""
    if model.calibration is None or kind not in model.calibration.lines:
        return None
    line = model.calibration.lines[kind]
    own = replace(line, offsets=line.offsets[numbers])
    is_plain = line.slope == 1 and line.shift == 0 and not own.offsets.any()
    return None if is_plain else own


def tasks_of(model: Model, task: TaskName | None) -> list[Task]:
    """The tasks that a graph is to know, of those that were learned.

    Raises:
        KeyError: there is no such task.
        NotExportableError: it was added to the learned ones.
    """
    tasks: list[Task] = list(model.form.tasks)
    if task is None:
        return tasks
    if any(task in (added.name, label_of(added.name)) for added in model.added):
        raise NotExportableError(
            f"task {task!r} was added to a model of others; learn it with them to export it"
        )
    chosen = [one for one in tasks if task in (one.name, one.label)]
    if not chosen:
        raise no_such_task(task, tasks)
    return chosen[:1]
