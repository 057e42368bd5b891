"""Turning raw inputs and targets into the numbers that a network is trained on, fitted after the split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from softshare.tasks.features import Preprocessing, Scaled, TableColumns, Vectors, check_finite, is_numeric, numbers_of
from softshare.tasks.sources import Source
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet


def prepare(tasks: TaskSet, split: Split, *, standardise: bool = True) -> tuple[TaskSet, TaskSet, TaskSet]:
    """Training, validation and test examples as numbers, by what the training rows say.

    * Tables: numeric columns scaled, categories one-hot, missing values filled in with an indicator
      (:class:`softshare.tasks.features.TableColumns`).
    * Vectors (arrays ``(N, D)``): every feature scaled to mean 0 and standard deviation 1, missing values
      (NaN) filled in with an indicator. Tasks that share a source share its scaling.
    * Images and other inputs of two and more dimensions: divided by 255 where they are uint8, else as they are.
    * Regression targets: scaled task by task to mean 0 and standard deviation 1 of the task's training
      targets (``target_scaling``); only centred where these are all equal.

    What was fitted is kept in ``preprocessing``. Sources that have a preprocessing already stay as they are.

    Args:
        tasks: the tasks with raw inputs.
        split: which entries train, validate and test.
        standardise: whether to scale vectors; without it they stay as they are and must be finite.

    Raises:
        ValueError: an input is infinite, or of a kind that cannot be turned into numbers.
    """
    used = np.unique(tasks.source_of)
    known = tasks.preprocessing or (None,) * len(tasks.sources)
    sources, fitted, notes = list(tasks.sources), list(known), list(tasks.notes)
    source_of_entry = tasks.source_of[tasks.task_of[split.train]]
    for number in used:
        if known[number] is None:
            training = np.unique(tasks.rows[split.train][source_of_entry == number])
            fitted[number], new_notes = _fit(sources[number], training, standardise)
            sources[number] = _transformed(sources[number], fitted[number])
            notes += new_notes
    scaling = target_scaling(tasks, split.train) if tasks.target_scaling is None else tasks.target_scaling
    targets = tasks.targets if tasks.target_scaling is not None else (tasks.targets - scaling[tasks.task_of, 0]) / scaling[tasks.task_of, 1]
    prepared = replace(
        tasks,
        sources=tuple(sources),
        targets=targets,
        preprocessing=tuple(fitted),
        target_scaling=scaling,
        notes=tuple(dict.fromkeys(notes)),
    )
    return prepared.select(split.train), prepared.select(split.validation), prepared.select(split.test)


def target_scaling(tasks: TaskSet, train: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of every regression task's training targets; 0 and 1 for other tasks.

    Args:
        tasks: the tasks, targets in their own units.
        train: numbers of the training entries.

    Shape:
        ``(T, 2)``.
    """
    task, targets = tasks.task_of[train], tasks.targets[train]
    counts = np.maximum(np.bincount(task, minlength=len(tasks)), 1)
    mean = np.bincount(task, weights=targets, minlength=len(tasks)) / counts
    std = np.sqrt(np.bincount(task, weights=(targets - mean[task]) ** 2, minlength=len(tasks)) / counts)
    std[std <= 1e-12 * np.abs(mean)] = 1.0  # all targets equal, but for rounding
    regression = np.array([kind.kind == "regression" for kind in tasks.tasks])
    return np.stack([np.where(regression, mean, 0.0), np.where(regression, std, 1.0)], axis=1)


def _fit(source: Source, training: np.ndarray, standardise: bool) -> tuple[Preprocessing | None, Sequence[str]]:
    if isinstance(source, pd.DataFrame):
        _check_table(source)
        return TableColumns.fit(source.iloc[training])
    if source.ndim == 2 and isinstance(source, Tensor):
        values = source.numpy().astype(np.float64)
        names = tuple(str(k) for k in range(values.shape[1]))
        check_finite(values, names)
        if standardise:
            return Vectors.fit(values[training], names), ()
        if np.isnan(values).any():
            raise ValueError(f"inputs have {int(np.isnan(values).sum())} missing value(s), which only standardise=True fills in")
    return (Scaled(255.0), ()) if isinstance(source, Tensor) and source.ndim > 2 and source.dtype == torch.uint8 else (None, ())


def _transformed(source: Source, preprocessing: Preprocessing | None) -> Source:
    if preprocessing is None:
        return source
    return preprocessing.transform(source)


def _check_table(frame: pd.DataFrame) -> None:
    """Refuse, before anything is fitted, columns that no split of the rows makes an input."""
    numeric = [name for name in frame if is_numeric(frame[name])]
    if numeric:
        check_finite(np.stack(list(numbers_of(frame, numeric).values()), axis=1), numeric)
    for name in frame.columns.difference(numeric, sort=False):
        different, present = frame[name].nunique(), int(frame[name].notna().sum())
        if different > 50 and different > present / 2:
            raise ValueError(
                f"column {name!r} has {different} different texts in {present} rows and looks like an identifier; leave it out (--drop {str(name)!r})"
            )
