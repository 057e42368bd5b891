"""Principal components of inputs in place of the inputs, fitted on training rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from softshare.tasks.components import Components
from softshare.tasks.sources import Source, take
from softshare.tasks.task_set import TaskSet

ROWS_AT_ONCE = 1 << 12
"""Rows of which there is a copy in double precision at a time."""


def principal_components(
    train: TaskSet,
    *others: TaskSet,
    n_components: int,
) -> tuple[TaskSet, ...]:
    """The parts of a split with the inputs' coordinates on their directions of most variance.

    Tasks with inputs of one source have one set of directions, those of all their training rows;
    images are flattened. A model that is kept has them in its preprocessing.

    Args:
        train: the training part, whose rows say which directions these are.
        others: the other parts of the same split.
        n_components: how many directions.

    Returns:
        The training part and the others, as they were given, their inputs ``(N, n_components)``.

    Raises:
        ValueError: parts are of different sets, inputs are still columns of a table, or there are
            fewer training rows or numbers in a row than components.
    """
    _check(train, others)
    sources: list[Source] = []
    fitted: list[Components] = []
    of_entry = train.source_of[train.task_of]
    for number, source in enumerate(train.sources):
        rows = np.unique(train.rows[of_entry == number])
        before = train.preprocessing[number] if train.preprocessing else None
        axes, mean = _fitted(take(source, rows), n_components)
        components = Components(before, mean, axes)
        fitted.append(components)
        sources.append(_coordinates(source, components))
    made = []
    for part in (train, *others):
        changed = replace(
            part,
            sources=tuple(sources),
            preprocessing=tuple(fitted),
        )
        made.append(changed)
    return tuple(made)


def _fitted(
    training: Tensor, n_components: int
) -> tuple[tuple[tuple[float, ...], ...], tuple[float, ...]]:
    """The axes and the mean of training rows ``(N, *shape)``."""
    rows = training.flatten(1).double().numpy()
    most = min(rows.shape)
    if not 1 <= n_components <= most:
        raise ValueError(
            f"n_components: {rows.shape[0]} training rows of {rows.shape[1]} numbers have from 1 "
            f"to {most} principal components, got {n_components}"
        )
    # Seeded, as a quick solver for many features begins at random.
    found = PCA(n_components, random_state=0).fit(rows)
    axes = tuple(map(tuple, found.components_.tolist()))
    return axes, tuple(found.mean_.tolist())


def _coordinates(source: Source, components: Components) -> Tensor:
    """All rows of a source that is numbers already."""
    parts = []
    for begin in range(0, len(source), ROWS_AT_ONCE):
        end = min(begin + ROWS_AT_ONCE, len(source))
        rows = take(source, np.arange(begin, end))
        parts.append(components.of_numbers(rows))
    return torch.cat(parts)


def _check(train: TaskSet, others: Sequence[TaskSet]) -> None:
    if any(isinstance(source, pd.DataFrame) for source in train.sources):
        raise ValueError(
            "principal_components: inputs are columns of a table; take the parts that "
            "tasks.split(seed=…) gives, whose inputs are numbers"
        )
    known = list(map(id, train.sources))
    for other in others:
        if list(map(id, other.sources)) != known:
            raise ValueError(
                "principal_components: train and the others must be parts of one split, which "
                "have their inputs in common"
            )
