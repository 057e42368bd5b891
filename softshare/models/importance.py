"""By how much a model is worse, in the metric's terms, where a column tells nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from softshare.evaluation.resampling import weightings
from softshare.models.donors import Exchange, donors, exchange_of
from softshare.models.examined import columns_of_vectors
from softshare.models.explanation import LEVEL, Explanation, Importance, TaskImportance
from softshare.models.judged_rows import JudgedRows, judged_examples, judged_rows, outputs_of
from softshare.models.partial_pooling import pooled
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.features import TableColumns
from softshare.tasks.metrics import weighted_metric
from softshare.tasks.task import label_of
from softshare.tasks.task_set import TaskSet

if TYPE_CHECKING:
    from softshare.models.model import Model


def explain(
    model: Model,
    table: pd.DataFrame | TaskSet,
    *,
    metric: str | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> Explanation:
    """What each column that a model has learned from tells it; see :meth:`Model.explain`."""
    if repeats < 2:
        raise ArgumentError(("repeats", f"at least 2, to tell how they differ; got {repeats}"))
    random = np.random.default_rng(seed)
    if isinstance(table, TaskSet):
        columns = columns_of_vectors(model.form)
        judged = judged_examples(model, table, metric, random)
    else:
        columns = _columns(model)
        judged = judged_rows(model, table.rename(columns=str), metric, random)
    if not judged:
        raise ValueError("the table has no labelled row of a task that was learned")
    rows: list[Importance] = []
    by_metric: dict[str, list[JudgedRows]] = {}
    for each in judged:
        by_metric.setdefault(each.metric.name, []).append(each)
    for family in by_metric.values():
        tellers = [
            _Teller(
                model,
                each,
                repeats,
                seed,
            )
            for each in family
        ]
        for column in columns:
            rows.append(
                _importance(
                    model,
                    column,
                    tellers,
                )
            )
    rows.sort(key=lambda row: (not row.tasks, -row.importance))
    return Explanation(
        tuple(rows),
        sum(len(each.labels) for each in judged),
        repeats,
    )


@dataclass(frozen=True)
class _Told:
    """What one task's rows tell of a column: the increase, its variance, and their number."""

    number: int
    rows: int
    increase: float
    variance: float


class _Teller:
    """Tells of columns by rows of one target.

    Args:
        model: that predicts.
        judged: the rows.
        repeats: how often a column's values are exchanged.
        seed: of the exchanges.
    """

    def __init__(
        self,
        model: Model,
        judged: JudgedRows,
        repeats: int,
        seed: int,
    ) -> None:
        self._model = model
        self.judged = judged
        self._repeats = repeats
        self._seed = seed
        self._members = list(judged.members())
        self._weights = [_weights_of(len(rows)) for _, rows in self._members]
        answers = model.answers(judged.frame, judged.question)
        self._before = self._values(outputs_of(answers))

    def exchange(self, column: str) -> Exchange:
        """How the column's values are exchanged."""
        return exchange_of(self.judged.frame[column], self.judged.question.numbers)

    def told(self, column: str) -> list[_Told]:
        """What each task's rows tell; nothing of tasks whose metric cannot be computed."""
        judged = self.judged
        numbers = judged.question.numbers
        exchange = self.exchange(column)
        random = np.random.default_rng(self._seed)
        after = []
        for _ in range(self._repeats):
            taken = donors(
                exchange,
                numbers,
                random,
            )
            values = judged.frame[column].take(taken).set_axis(judged.frame.index)
            answers = self._model.answers(judged.frame.assign(**{column: values}), judged.question)
            after.append(self._values(outputs_of(answers)))
        found = []
        for place, (number, members) in enumerate(self._members):
            if len(members) < 2 and exchange == "within tasks":
                continue
            changes = np.stack([each[place] - self._before[place] for each in after])
            told = _told(
                number,
                len(members),
                -judged.metric.sign * changes,
            )
            if np.isfinite((told.increase, told.variance)).all():
                found.append(told)
        return found

    def _values(self, outputs: np.ndarray) -> list[np.ndarray]:
        """The metric of every task, by its rows once each and by each weighting of them, ``(1 +
        B,)``.
        """
        judged = self.judged
        found = []
        for (_, members), weights in zip(self._members, self._weights, strict=True):
            labels = judged.labels[members]
            values = weighted_metric(
                judged.metric,
                outputs[members],
                labels,
                weights,
            )
            found.append(values / judged.divisor)
        return found


def _weights_of(n_rows: int) -> np.ndarray:
    """All rows once, and random weightings of them, ``(1 + B, n_rows)``."""
    return np.concatenate([np.ones((1, n_rows)), *weightings(n_rows)])


def _told(
    number: int,
    n_rows: int,
    changes: np.ndarray,
) -> _Told:
    """The mean over exchanges and its variance: over other exchanges, and over other rows.

    Args:
        number: of the task.
        n_rows: that it has.
        changes: by the rows once each and by each weighting, ``(repeats, 1 + B)``.
    """
    by_exchange = changes[:, 0]
    by_rows = changes[:, 1:].mean(axis=0)
    # the Bayesian bootstrap's variance, made that of a mean of n rows
    wider = (n_rows + 1) / max(n_rows - 1, 1)
    of_rows = by_rows.var() * wider
    of_exchanges = by_exchange.var(ddof=1) / len(by_exchange)
    return _Told(
        number,
        n_rows,
        float(by_exchange.mean()),
        float(of_rows + of_exchanges),
    )


def _importance(
    model: Model,
    column: str,
    tellers: Sequence[_Teller],
) -> Importance:
    told = [each for teller in tellers for each in teller.told(column)]
    metric = tellers[0].judged.metric
    exchange = tellers[0].exchange(column)
    if not told:
        nothing = float("nan")
        return Importance(column, metric.name, exchange, nothing, (nothing, nothing), nothing, ())
    found = pooled(
        np.array([each.increase for each in told]),
        np.array([each.variance for each in told]),
        np.array([each.rows for each in told]),
        same_rows=len(tellers) > 1,
    )
    tasks = []
    ends = found.intervals(LEVEL).tolist()
    for each, value, (low, high) in zip(told, found.values.tolist(), ends, strict=True):
        label = label_of(model.tasks[each.number])
        tasks.append(TaskImportance(label, each.rows, value, (low, high)))
    return Importance(
        column,
        metric.name,
        exchange,
        found.mean,
        found.interval(LEVEL),
        found.spread,
        tuple(tasks),
    )


def _columns(model: Model) -> list[str]:
    """The columns of the table that the model has learned from."""
    names: list[str] = []
    for fitted in model.form.preprocessing:
        if isinstance(fitted, TableColumns):
            names += [reading.name for reading in fitted.readings]
    if not names:
        raise ValueError("the model was not learned from a table, so that no column can be told of")
    return list(dict.fromkeys(names))
