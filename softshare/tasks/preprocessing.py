"""Turning raw inputs and targets into the numbers that a network is trained on, fitted after the
split.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.tasks.column_sums import fit_vectors
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.finite import check_finite
from softshare.tasks.prepared_table import prepare_table
from softshare.tasks.sources import Source, Transformed, as_floats, take
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import ROUNDING, Preprocessing, Scaled, Vectors, rounding_of

ROWS_AT_ONCE = 1 << 15
FITTED_AT_ONCE = 1 << 24
"""Rows in memory that are scaled at a time; and numbers that are fitted at once, of which there are
several copies in double precision meanwhile.
"""

LOOKED_AT = 256
"""Training rows on disk of which the largest whole number is taken for that of all."""

FAR = 5.0
"""Means of tasks of one unit lie within so many typical deviations of each other, and their
deviations within this factor of the typical one. A guess for tasks of which nothing is known: in
grades, scores and prices that are one quantity both stay below 3.
"""


def prepare(
    tasks: TaskSet,
    split: Split,
    *,
    standardise: bool = True,
) -> tuple[TaskSet, TaskSet, TaskSet]:
    """Training, validation and test examples as numbers, by what the training rows say.

    * Tables: numeric columns scaled, dates as their parts, categories one-hot, very many of them as
      what the training targets say of each, missing values filled in with an indicator
      (:class:`softshare.tasks.features.TableColumns`).
    * Vectors (arrays ``(N, D)``, also on disk): every feature scaled to mean 0 and standard
      deviation 1, missing values (NaN) filled in with an indicator. Tasks that share a source share
      its scaling.
    * Images and other inputs of two and more dimensions: divided by 255 when they are read where
      they are uint8 (masks of 0 and 1 are not); whole numbers from 0 on of other kinds by the
      largest number of as many bits as those of the training rows take (4095 for 12 bits); else as
      they are, in single precision.
    * Regression targets: scaled to mean 0 and standard deviation 1 of the training targets: of all
      tasks together where they are one quantity in one unit, else task by task
      (:func:`target_scaling`); only centred where these are all equal.

    What was fitted is kept in ``preprocessing``. Sources that have a preprocessing already stay as
    they are.

    Args:
        tasks: the tasks with raw inputs.
        split: which entries train, validate and test.
        standardise: whether to scale vectors; without it they stay as they are (numbers of tokens,
            say) and must be finite.

    Raises:
        ValueError: an input is infinite, or of a kind that cannot be turned into numbers.
    """
    known = tasks.preprocessing or (None,) * len(tasks.sources)
    sources, fitted, notes = list(tasks.sources), list(known), list(tasks.notes)
    source_of_entry = tasks.source_of[tasks.task_of[split.train]]
    for number in np.unique(tasks.source_of):
        if known[number] is not None:
            continue
        entries = split.train[source_of_entry == number]
        made = _prepared(tasks, number, entries, standardise)
        fitted[number], sources[number] = made[:2]
        notes += made[2]
    prepared = replace(
        tasks,
        sources=tuple(sources),
        preprocessing=tuple(fitted),
        notes=tuple(notes),
    )
    if prepared.target_scaling is None:
        scaling = target_scaling(tasks, split.train)
        targets = (tasks.targets - scaling[tasks.task_of, 0]) / scaling[tasks.task_of, 1]
        prepared = replace(prepared, targets=targets, target_scaling=scaling)
    return (
        prepared.select(split.train),
        prepared.select(split.validation),
        prepared.select(split.test),
    )


def target_scaling(tasks: TaskSet, train: np.ndarray) -> np.ndarray:
    """By what mean and standard deviation each task's targets are scaled; 0 and 1 for classes.

    Tasks of one quantity (:attr:`TaskSet.units`), or all where they have one unit
    (:attr:`TaskSet.one_unit`), have one mean and one deviation, those of all their
    training targets: a scale of a task's own, from its few rows, would make the losses of the tasks
    that are scaled worst weigh most. Where it is not known whether they have one unit, they have
    when neither their means nor their deviations are far apart (:data:`FAR`).

    Args:
        tasks: the tasks, targets in their own units.
        train: numbers of the training entries.

    Shape:
        ``(T, 2)``.
    """
    regression = np.array([task.kind == "regression" for task in tasks.tasks])
    scaling = _scaling_of_each(tasks, train)
    if tasks.units is not None:
        return _scaling_by_unit(tasks, train, tasks.units, regression)
    if regression.sum() > 1:
        known = tasks.one_unit
        together = _look_alike(scaling[regression]) if known is None else known
        if together:
            targets = tasks.targets[train][regression[tasks.task_of[train]]]
            scaling[:] = _mean_and_deviation(targets)
    scaling[~regression] = (0.0, 1.0)
    return scaling


def _scaling_by_unit(
    tasks: TaskSet,
    train: np.ndarray,
    units: np.ndarray,
    regression: np.ndarray,
) -> np.ndarray:
    """One mean and deviation for the tasks of each quantity ``(T, 2)``; 0 and 1 for classes."""
    scaling = np.tile((0.0, 1.0), (len(tasks), 1))
    task, targets = tasks.task_of[train], tasks.targets[train]
    for unit in np.unique(units[regression]):
        members = regression & (units == unit)
        own = targets[members[task]]
        if len(own):
            scaling[members] = _mean_and_deviation(own)
    return scaling


def _look_alike(scaling: np.ndarray) -> bool:
    """Whether tasks of these means and deviations ``(T, 2)`` may have one unit."""
    mean, deviation = scaling.T
    typical = np.median(deviation)
    near = np.ptp(mean) <= FAR * typical
    return bool(near and deviation.max() <= FAR * typical and deviation.min() * FAR >= typical)


def _mean_and_deviation(targets: np.ndarray) -> tuple[float, float]:
    mean, deviation = float(targets.mean()), float(targets.std())
    return mean, deviation if deviation > ROUNDING * abs(mean) else 1.0


def _scaling_of_each(tasks: TaskSet, train: np.ndarray) -> np.ndarray:
    """Every task's own mean and deviation ``(T, 2)``."""
    task, targets = tasks.task_of[train], tasks.targets[train]
    n_tasks = len(tasks)
    counts = np.maximum(np.bincount(task, minlength=n_tasks), 1)
    mean = np.bincount(task, weights=targets, minlength=n_tasks) / counts
    squares = (targets - mean[task]) ** 2
    std = np.sqrt(np.bincount(task, weights=squares, minlength=n_tasks) / counts)
    std[std <= ROUNDING * np.abs(mean)] = 1.0  # all targets equal, but for rounding
    return np.stack([mean, std], axis=1)


def _prepared(
    tasks: TaskSet,
    number: int,
    entries: np.ndarray,
    standardise: bool,
) -> tuple[Preprocessing | None, Source, tuple[str, ...]]:
    """What was fitted on the training entries of a source, the source as numbers, and notes."""
    source = tasks.sources[number]
    if isinstance(source, pd.DataFrame | EncodedColumns):
        return prepare_table(tasks, number, entries)
    training = np.unique(tasks.rows[entries])
    if len(source.shape) == 2:
        return *_vectors(source, training, standardise), ()
    return *_images(source, training, standardise), ()


def _vectors(
    source: Source,
    training: np.ndarray,
    standardise: bool,
) -> tuple[Vectors | None, Source]:
    """Rows ``(N, D)``, in memory or on disk, scaled in double precision and rounded only then."""
    names = [str(place) for place in range(source.shape[1])]
    in_memory = isinstance(source, Tensor)
    if in_memory:
        for rows in source.split(ROWS_AT_ONCE):
            check_finite(rows.numpy(), names)
    if not standardise:
        if in_memory:
            _check_complete(source)
        return None, _rounded(source)
    rounding = rounding_of(source)
    if in_memory and source[0].numel() * len(training) <= FITTED_AT_ONCE:
        training_rows = source.numpy()[training].astype(np.float64)
        fitted = Vectors.fit(training_rows, names, rounding=rounding)
        return fitted, _transformed(source, fitted)
    fitted, _ = fit_vectors(
        source,
        training,
        range(len(names)),
        names,
        all_columns=True,
        rounding=rounding,
    )
    if in_memory:
        return fitted, _transformed(source, fitted)
    return fitted, Transformed(source, fitted.transform, width=len(fitted.feature_names))


def _transformed(source: Tensor, fitted: Vectors) -> Tensor:
    """All rows scaled, some at a time, as scaling holds several copies in double precision."""
    scaled = torch.empty(len(source), len(fitted.feature_names), dtype=torch.float32)
    for begin in range(0, len(source), ROWS_AT_ONCE):
        rows = source[begin : begin + ROWS_AT_ONCE]
        scaled[begin : begin + len(rows)] = fitted.transform(rows)
    return scaled


def _images(
    source: Source,
    training: np.ndarray,
    standardise: bool,
) -> tuple[Scaled | None, Source]:
    """Inputs ``(N, *shape)`` of two and more dimensions: whole numbers from 0 on divided by the
    largest that their bits hold, others in single precision.
    """
    kind = _kind_of(source)
    if kind == "uint8" and not _is_mask(source):
        return _divided(source, 255.0)
    if kind in ("float32", "None") and isinstance(source, Tensor):
        return None, source  # looked through when the task set was made
    if not standardise and kind.startswith("int"):
        return None, source  # numbers of tokens
    if kind.startswith(("int", "uint")) and kind != "uint8":
        in_memory = isinstance(source, Tensor)
        rows = training if in_memory else training[:: max(1, len(training) // LOOKED_AT)]
        least, largest = map(int, take(source, rows).aminmax())
        if least >= 0 and largest > 1:
            return _divided(source, (1 << largest.bit_length()) - 1.0)
    return None, Transformed(source, as_floats)


def _divided(source: Source, divisor: float) -> tuple[Scaled, Source]:
    pixels = Scaled(divisor)
    return pixels, Transformed(source, pixels.transform)


def _is_mask(source: Source) -> bool:
    """Whether bytes in memory are 0 and 1 only, so that there is nothing to divide."""
    return isinstance(source, Tensor) and bool(source.numel()) and int(source.max()) <= 1


def _kind_of(source: Source) -> str:
    """The name of a source's numbers: ``float32``, ``uint8``, …; ``None`` where it is not known."""
    return str(getattr(source, "dtype", None)).removeprefix("torch.")


def _check_complete(source: Tensor) -> None:
    missing = int(source.isnan().sum())
    if missing:
        raise ValueError(
            f"inputs have {missing} missing value(s), which are filled in only with "
            "standardise=True"
        )


def _rounded(source: Source) -> Source:
    """Vectors as they are, but in single precision; whole numbers (of tokens) stay."""
    kind = _kind_of(source)
    if kind in ("float32", "None") or kind.startswith(("int", "uint")):
        return source
    return source.float() if isinstance(source, Tensor) else Transformed(source, Tensor.float)
