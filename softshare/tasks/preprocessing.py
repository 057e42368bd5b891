"""Turning raw inputs and targets into the numbers that a network is trained on, fitted after the
split.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from torch import Tensor

from softshare.tasks.encoded_columns import EncodedColumns, fit_vectors
from softshare.tasks.features import Preprocessing, Scaled, TableColumns, Vectors
from softshare.tasks.frames import check_columns, check_finite
from softshare.tasks.sources import Source, Transformed
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet


def prepare(
    tasks: TaskSet, split: Split, *, standardise: bool = True
) -> tuple[TaskSet, TaskSet, TaskSet]:
    """Training, validation and test examples as numbers, by what the training rows say.

    * Tables: numeric columns scaled, categories one-hot, missing values filled in with an indicator
      (:class:`softshare.tasks.features.TableColumns`).
    * Vectors (arrays ``(N, D)``, also on disk): every feature scaled to mean 0 and standard
      deviation 1, missing values (NaN) filled in with an indicator. Tasks that share a source share
      its scaling.
    * Images and other inputs of two and more dimensions: divided by 255 when they are read where
      they are uint8, else as they are.
    * Regression targets: scaled task by task to mean 0 and standard deviation 1 of the task's
      training targets (``target_scaling``); only centred where these are all equal.

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
    source_of_row = tasks.source_of[tasks.task_of[split.train]]
    for number in np.unique(tasks.source_of):
        if known[number] is None:
            training = np.unique(tasks.rows[split.train][source_of_row == number])
            fitted[number], sources[number], new_notes = _prepared(
                sources[number], training, standardise
            )
            notes += new_notes
    prepared = replace(
        tasks, sources=tuple(sources), preprocessing=tuple(fitted), notes=tuple(notes)
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
    """Mean and standard deviation of every regression task's training targets; 0 and 1 for other
    tasks.

    Args:
        tasks: the tasks, targets in their own units.
        train: numbers of the training entries.

    Shape:
        ``(T, 2)``.
    """
    task, targets = tasks.task_of[train], tasks.targets[train]
    counts = np.maximum(np.bincount(task, minlength=len(tasks)), 1)
    mean = np.bincount(task, weights=targets, minlength=len(tasks)) / counts
    std = np.sqrt(
        np.bincount(task, weights=(targets - mean[task]) ** 2, minlength=len(tasks)) / counts
    )
    std[std <= 1e-12 * np.abs(mean)] = 1.0  # all targets equal, but for rounding
    regression = np.array([kind.kind == "regression" for kind in tasks.tasks])
    return np.stack([np.where(regression, mean, 0.0), np.where(regression, std, 1.0)], axis=1)


def _prepared(
    source: Source, training: np.ndarray, standardise: bool
) -> tuple[Preprocessing | None, Source, tuple[str, ...]]:
    """What was fitted on the training rows of a source, the source as numbers, and notes."""
    if isinstance(source, pd.DataFrame):
        check_columns(source)
        columns, notes = TableColumns.fit(source.iloc[training])
        return columns, columns.transform(source), notes
    if isinstance(source, Tensor) and source.ndim == 2:
        vectors = _vectors(source, training, standardise)
        return vectors, source if vectors is None else vectors.transform(source), ()
    if isinstance(source, EncodedColumns):
        columns, notes = source.fit(training)
        return (
            columns,
            Transformed(
                source, partial(source.features, columns), width=len(columns.feature_names)
            ),
            notes,
        )
    if len(source.shape) == 2 and standardise:  # an array on disk
        names = [str(place) for place in range(source.shape[1])]
        fitted, _ = fit_vectors(source, training, range(len(names)), names, all_columns=True)
        return fitted, Transformed(source, fitted.transform, width=len(fitted.feature_names)), ()
    dtype = str(getattr(source, "dtype", None))
    if len(source.shape) > 2 and dtype in ("uint8", "torch.uint8"):
        pixels = Scaled(255.0)
        return pixels, Transformed(source, pixels.transform), ()
    return None, Transformed(source, Tensor.float) if dtype == "float64" else source, ()


def _vectors(source: Tensor, training: np.ndarray, standardise: bool) -> Vectors | None:
    names = [str(place) for place in range(source.shape[1])]
    check_finite(source.numpy(), names)
    if standardise:
        return Vectors.fit(source.numpy()[training].astype(np.float64), names)
    missing = int(source.isnan().sum())
    if missing:
        raise ValueError(
            f"inputs have {missing} missing value(s), which are filled in only with "
            "standardise=True"
        )
    return None
