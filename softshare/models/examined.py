"""Labelled vectors as rows with named columns, by the tasks that a model has learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from softshare.models.posed import UNKNOWN, numbers_of
from softshare.models.questions import Question
from softshare.tasks.sources import take
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Vectors


@dataclass(frozen=True, eq=False)
class Examined:
    """Examples of tasks that are asked together.

    Args:
        frame: their inputs, a column a feature.
        question: which task each is of.
        labels: in own units, or places of the classes that were learned, ``(N,)``.
    """

    frame: pd.DataFrame
    question: Question
    labels: np.ndarray


def examined_tasks(form: TaskSet, examples: TaskSet) -> Iterator[Examined]:
    """Examples of the tasks that were learned: those of one kind and unit together, or each task's
    where all see the same rows.

    Args:
        form: of the tasks that were learned.
        examples: raw, as those were that the model has learned from.

    Raises:
        ValueError: inputs are no vectors as they were learned, or a class was not learned.
    """
    if any(examples.preprocessing) or examples.target_scaling is not None:
        raise ValueError("the examples are prepared already; hand them in as they were read")
    numbers = numbers_of(form, examples.names)
    for places in _asked_together(form, examples, numbers):
        examined = _of_places(form, examples, places, numbers[places])
        if len(examined.frame):
            yield examined


def _asked_together(
    form: TaskSet,
    examples: TaskSet,
    numbers: np.ndarray,
) -> list[list[int]]:
    """Places of the tasks that were learned, in groups."""
    groups: dict[Any, list[int]] = {}
    for place, number in enumerate(numbers.tolist()):
        if number == UNKNOWN:
            continue
        group = number if examples.one_input else _form_of(form, number)
        groups.setdefault(group, []).append(place)
    return list(groups.values())


def _of_places(
    form: TaskSet,
    examples: TaskSet,
    places: Sequence[int],
    numbers: np.ndarray,
) -> Examined:
    """The examples of some tasks, one below the other."""
    frames, labels = [], []
    for place, number in zip(places, numbers.tolist(), strict=True):
        frames.append(_frame(form, examples, place, number))
        labels.append(_labels(form, examples, place, number))
    asked = np.repeat(numbers, examples.n_examples[places])
    question = Question("", form.tasks[numbers[0]], asked, has_task=True)
    return Examined(
        pd.concat(frames, ignore_index=True),
        question,
        np.concatenate(labels),
    )


def columns_of_vectors(form: TaskSet) -> list[str]:
    """The features that a model has learned from, where its inputs are vectors alone."""
    names: list[str] = []
    for fitted in form.preprocessing:
        if isinstance(fitted, Vectors):
            names += fitted.names
    return list(dict.fromkeys(names))


def _form_of(form: TaskSet, number: int) -> tuple[Any, ...]:
    """What tasks have in common that are asked together."""
    task = form.tasks[number]
    scaling = form.target_scaling
    unit = () if scaling is None else tuple(scaling[number])
    return task.kind, task.classes, unit, int(form.source_of[number])


def _frame(
    form: TaskSet,
    examples: TaskSet,
    place: int,
    number: int,
) -> pd.DataFrame:
    """A task's inputs with their features' names."""
    fitted = form.preprocessing[form.source_of[number]] if form.preprocessing else None
    if not isinstance(fitted, Vectors):
        raise ValueError(
            "the model was not learned from vectors, so that no feature can be told of"
        )
    source = examples.sources[examples.source_of[place]]
    inputs = take(source, examples.rows[examples.entries(place)])
    if tuple(inputs.shape[1:]) != (len(fitted.names),):
        told = ", ".join(map(str, inputs.shape[1:]))
        raise ValueError(f"inputs must be rows of {len(fitted.names)} features, got (N, {told})")
    return pd.DataFrame(inputs.numpy(), columns=list(fitted.names))


def _labels(
    form: TaskSet,
    examples: TaskSet,
    place: int,
    number: int,
) -> np.ndarray:
    """A task's labels as :class:`Examined` has them."""
    own, learned = examples.tasks[place], form.tasks[number]
    labels = examples.targets[examples.entries(place)]
    if (own.kind == "regression") != (learned.kind == "regression"):
        raise ValueError(f"task {own.label!r} is {own.kind} here, and {learned.kind} in the model")
    if own.kind == "regression":
        return labels
    places = _places(own, learned.classes)
    return places[labels.astype(np.int64)]


def _places(own: Task, classes: Sequence[str]) -> np.ndarray:
    """The place of each of a task's classes among those that were learned."""
    strange = [name for name in own.classes if name not in classes]
    if strange:
        raise ValueError(
            f"task {own.label!r} has classes that were not learned: {', '.join(map(repr, strange))}"
        )
    return np.array([float(classes.index(name)) for name in own.classes])
