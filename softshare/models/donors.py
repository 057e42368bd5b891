"""Whose values rows are given when a column is to tell nothing.

A column's values are exchanged **within each task**: what is asked is what the column tells of a
row beyond what the row's task tells. Exchanged among all rows, a column that goes with the task
(longitude and neighbourhood) would make rows that no task has, and the model would be asked of what
it has never seen; within a task every value is one that the task's rows have (a conditional
permutation, Strobl et al. 2008, with the task as the condition). A column that is a **fact of the
task**, the same in all its rows, has nothing to exchange there: whole tasks exchange their values.

No row keeps its own value: rows are put into a random order and each takes the value of the one so
many places on. Every other row is then as likely a donor as any, and the mean loss is an unbiased
estimate of that with an independent value (Fisher, Rudin & Dominici 2019, "All models are wrong,
but many are useful", section 3.1); a plain permutation leaves one row in n as it is.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

Exchange = Literal["within tasks", "among tasks"]


def exchange_of(column: pd.Series, tasks: np.ndarray) -> Exchange:
    """How a column's values are exchanged.

    Args:
        column: its values, ``(N,)``.
        tasks: each row's task, ``(N,)``.
    """
    codes = pd.factorize(
        column,
        use_na_sentinel=False,
    )[0]
    different = pd.Series(codes).groupby(tasks).nunique()
    is_fact = len(different) > 1 and bool((different == 1).all())
    return "among tasks" if is_fact else "within tasks"


def donors(
    exchange: Exchange,
    tasks: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """The row whose value each row takes; itself only where its task has no other row.

    Args:
        exchange: within tasks, or among them.
        tasks: each row's task, ``(N,)``.
        random: draws.

    Shape:
        ``(N,)``.
    """
    codes = np.unique(
        tasks,
        return_inverse=True,
    )[1].reshape(-1)
    n_tasks = int(codes.max(initial=-1)) + 1
    if exchange == "among tasks":
        of_task = _others(
            np.arange(n_tasks),
            random,
        )
        first_row = np.unique(
            codes,
            return_index=True,
        )[1]
        return np.asarray(first_row[of_task[codes]])
    found = np.empty(
        len(codes),
        dtype=np.int64,
    )
    order = np.argsort(
        codes,
        kind="stable",
    )
    ends = np.cumsum(
        np.bincount(
            codes,
            minlength=n_tasks,
        )
    )
    for members in np.split(
        order,
        ends[:-1],
    ):
        found[members] = _others(
            members,
            random,
        )
    return found


def _others(members: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """For each of some numbers another one of them, all as likely."""
    if len(members) < 2:
        return members
    order = random.permutation(len(members))
    steps = random.integers(
        1,
        len(members),
    )
    found = np.empty_like(members)
    found[order] = members[
        np.roll(
            order,
            -steps,
        )
    ]
    return found
