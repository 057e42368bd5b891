"""The choice of strengths by rows that are held out in turn.

The sums that a squared loss needs are those of all rows less the held-out ones, so that every
row is read twice however many folds and settings there are:

    fold 1 | fold 2 | fold 3        moments(all) − moments(fold 2)  →  settings, strongest first
                 held out                                            →  loss on fold 2
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone

from softshare.shallow.folds import fold_of_rows
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.moments import moments
from softshare.shallow.rows import Rows
from softshare.shallow.task_rows import TaskRows

Model = TypeVar("Model", bound=LinearTasks)


@dataclass(frozen=True)
class CrossValidated(Generic[Model]):
    """What a cross-validation chose.

    Attributes:
        model: fitted to all rows with the best setting.
        setting: the best of the settings.
        losses: every setting's mean loss on held-out rows, ``(settings, folds)``: squared errors,
            or negative log-likelihoods.
    """

    model: Model
    setting: Mapping[str, Any]
    losses: np.ndarray


def cross_validated(
    model: Model,
    X: ArrayLike,
    y: ArrayLike,
    *,
    settings: Sequence[Mapping[str, Any]],
    tasks: Iterable[Hashable] | None = None,
    groups: ArrayLike | None = None,
    n_folds: int = 5,
    seed: int = 0,
) -> CrossValidated[Model]:
    """Choose a model's setting by the loss on held-out rows, and fit it to all rows.

    Every task's rows are dealt out evenly, whole groups together, and a row that serves several
    tasks is held out from all of them.

    Args:
        model: what to fit; it stays as it is.
        X: as for ``model.fit``.
        y: as for ``model.fit``.
        settings: names and values of arguments, the strongest penalty first; the earliest of equals
            is chosen.
        tasks: as for ``model.fit``.
        groups: one label a row; rows of one group are held out together.
        n_folds: in how many parts rows are dealt out.
        seed: of the draws.

    Raises:
        ValueError: there is no setting, fewer than two folds, or fewer rows or groups than folds.
    """
    if not settings:
        raise ValueError("settings: at least one setting to choose from, got none")
    reader = clone(model)
    reader._check_settings()
    rows, mean = reader._read(X, y, tasks)
    if groups is None and tasks is None and len(rows.names) > 1:
        groups = np.arange(len(np.asarray(y)))  # the tasks of a row are held out together
    fold = _folds(
        rows,
        groups,
        reader.loss,
        n_folds,
        seed,
    )
    losses = np.empty((len(settings), n_folds))
    for number, (loss, held_out) in enumerate(_problems(reader, rows, fold, n_folds)):
        for index, fitted in enumerate(reader._learn_each(loss, mean, settings)):
            losses[index, number] = _held_out_loss(fitted, mean, held_out)
    # Every row counts the same, though folds may differ in size.
    sizes = np.bincount(fold[np.concatenate(rows.positions)], minlength=n_folds)
    best = settings[int(np.argmin(losses @ sizes))]
    (chosen,) = reader._learn_each(reader._loss_of(rows), mean, [best])
    return CrossValidated(chosen, best, losses)


def _problems(
    reader: LinearTasks,
    rows: TaskRows,
    fold: np.ndarray,
    n_folds: int,
) -> Iterator[tuple[TaskLoss, TaskRows]]:
    """For every fold the loss of the other rows, and the fold's own rows."""
    intercept = reader.fit_intercept
    if reader.loss == "logistic":
        for number in range(n_folds):
            others = rows.take(fold != number)
            yield LogisticLoss(others, intercept=intercept), rows.take(fold == number)
        return
    every = moments(rows)
    for number in range(n_folds):
        held_out = rows.take(fold == number)
        yield SquaredLoss(every - moments(held_out), intercept=intercept), held_out


def _folds(
    rows: TaskRows,
    groups: ArrayLike | None,
    loss: str,
    n_folds: int,
    seed: int,
) -> np.ndarray:
    """The fold of every row that was handed in; −1 of one without any label."""
    position = np.concatenate(rows.positions)
    code = None
    if groups is not None:
        code = np.unique(np.asarray(groups), return_inverse=True)[1]
    unit = position if code is None else code[position]
    n_units = len(np.unique(unit))
    if not 2 <= n_folds <= n_units:
        raise ValueError(
            f"n_folds: at least 2, and no more than the {n_units} rows or groups; got {n_folds}"
        )
    dealt = Rows(
        inputs=np.empty((len(position), 0)),  # which dealing out does not read
        targets=np.concatenate(rows.targets),
        tasks=np.repeat(np.arange(len(rows.names)), rows.counts),
        names=np.arange(len(rows.names)),
        groups=None if code is None else unit,
        n_classes=1,
        kind="regression" if loss == "squared" else "binary",
    )
    fold = np.full(position.max() + 1 if code is None else len(code), -1)
    fold[position] = fold_of_rows(dealt, n_folds, seed)
    return fold


def _held_out_loss(model: LinearTasks, mean: np.ndarray, held_out: TaskRows) -> float:
    """The mean loss of rows, whose inputs are about the mean of all rows."""
    intercepts = model.intercept_ + model.coef_ @ mean
    total = 0.0
    pairs = zip(held_out.inputs, held_out.targets, strict=True)
    for task, (inputs, targets) in enumerate(pairs):
        outputs = inputs @ model.coef_[task] + intercepts[task]
        if model.loss == "squared":
            total += float(((outputs - targets) ** 2).sum())
        else:
            total += float((np.logaddexp(0, outputs) - targets * outputs).sum())
    return total / max(int(held_out.counts.sum()), 1)
