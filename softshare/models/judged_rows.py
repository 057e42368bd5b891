"""Labelled rows by which a model is told of, as metrics take them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logit

from softshare.models.examined import examined_tasks
from softshare.models.labelled import labels_of
from softshare.models.posed import UNKNOWN
from softshare.models.predictions import Answers
from softshare.models.questions import Question
from softshare.tasks.metric import Metric
from softshare.tasks.metrics import metric_named, primary_metric
from softshare.tasks.task_set import TaskSet

if TYPE_CHECKING:
    from softshare.models.model import Model

MOST_ROWS = 10_000
"""More tell hardly more."""

LEAST_PROBABILITY = 1e-15


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Labelled rows of one target.

    Args:
        frame: the rows.
        question: what is asked of them.
        labels: in own units, or places of classes, ``(N,)``.
        metric: that judges.
        divisor: of the metric, where tasks differ in unit.
    """

    frame: pd.DataFrame
    question: Question
    labels: np.ndarray
    metric: Metric
    divisor: float

    def members(self) -> Iterator[tuple[int, np.ndarray]]:
        """Each task's number and its rows."""
        numbers = self.question.numbers
        for number in np.unique(numbers):
            yield int(number), np.flatnonzero(numbers == number)


def judged_rows(
    model: Model, table: pd.DataFrame, metric: str | None, random: np.random.Generator
) -> list[JudgedRows]:
    """The labelled rows of tasks that were learned, for every target that has some.

    Args:
        model: that is told of.
        table: of labelled rows.
        metric: the one to judge by, instead of each kind's own.
        random: draws rows where there are very many.

    Raises:
        ValueError: the table lacks a column, or a label is none that was learned.
    """
    found = []
    for question in model.questions(table):
        if question.target not in table.columns:
            raise ValueError(f"the table lacks the target column {question.target!r}")
        labels = labels_of(
            table[question.target],
            question.like,
            model.form.table,
        )
        rows = np.flatnonzero(np.isfinite(labels) & (question.numbers != UNKNOWN))
        if len(rows):
            found.append(_judged(model, table, question, labels, rows, metric, random))
    return found


def judged_examples(
    model: Model, examples: TaskSet, metric: str | None, random: np.random.Generator
) -> list[JudgedRows]:
    """The same of examples whose inputs are vectors; see :func:`judged_rows`.

    Raises:
        ValueError: inputs are no vectors as they were learned, or a class was not learned.
    """
    found = []
    for examined in examined_tasks(model.form, examples):
        question, labels = examined.question, examined.labels
        rows = np.arange(len(labels))
        found.append(_judged(model, examined.frame, question, labels, rows, metric, random))
    return found


def _judged(
    model: Model,
    frame: pd.DataFrame,
    question: Question,
    labels: np.ndarray,
    rows: np.ndarray,
    metric: str | None,
    random: np.random.Generator,
) -> JudgedRows:
    """These rows, or some of them where there are very many."""
    if len(rows) > MOST_ROWS:
        rows = np.sort(
            random.choice(
                rows,
                MOST_ROWS,
                replace=False,
            )
        )
    numbers = question.numbers[rows]
    judge = metric_named(primary_metric(question.like, metric))
    return JudgedRows(
        frame.iloc[rows],
        replace(question, numbers=numbers),
        labels[rows],
        judge,
        _divisor(
            model,
            judge,
            numbers,
        ),
    )


def _divisor(
    model: Model,
    metric: Metric,
    numbers: np.ndarray,
) -> float:
    """1, or the standard deviation of the target where tasks differ in it and the metric has it."""
    scaling = model.form.target_scaling
    if scaling is None or not metric.unit.startswith("standard deviations"):
        return 1.0
    deviations = scaling[:, 1]
    return 1.0 if (deviations == deviations[0]).all() else float(deviations[numbers[0]])


def outputs_of(answers: Answers) -> np.ndarray:
    """Answers as metrics take them: numbers in own units, log-odds, or logits, ``(N, C)``."""
    if answers.probabilities is None:
        return answers.values[:, None]
    kept = np.clip(
        answers.probabilities,
        LEAST_PROBABILITY,
        1 - LEAST_PROBABILITY,
    )
    return np.asarray(logit(kept[:, 1:])) if answers.like.kind == "binary" else np.log(kept)
