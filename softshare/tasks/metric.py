"""What is known of a metric, and the means over weighted rows that metrics are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from softshare.tasks.task import Kind

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""(outputs ``(N, n_outputs)``, targets ``(N,)``, weights of the rows ``(B, N)``) → ``(B,)``: the
metric under each of ``B`` weightings, NaN where it cannot be computed.

scikit-learn's functions take one weighting at a time: a hundred of them for each of many tasks
would be most of a comparison's time. They are what the tests hold these measures against.
"""


@dataclass(frozen=True)
class Metric:
    """What is known of one metric.

    Args:
        name: by which arguments and records name it.
        title: how it is written in sentences and tables.
        note: what it says, and its best value.
        better: whether a greater or a smaller value is better.
        points: it lies between 0 and 1, and gains are told in hundredths of it.
        kinds: of the tasks that it measures; none for a metric of a task set as a whole.
        measure: computes it from outputs and targets; None where it comes from elsewhere (the
            loss from the training objective, a joint error from all tasks at once).
        unit: of its values, where they have one.
    """

    name: str
    title: str
    note: str
    better: Literal["greater", "smaller"]
    points: bool = False
    kinds: tuple[Kind, ...] = ()
    measure: Measure | None = None
    unit: str = ""

    @property
    def sign(self) -> int:
        """1 where a greater value is better, else −1."""
        return 1 if self.better == "greater" else -1


def weighted_mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The mean of ``(N,)`` values under each weighting, ``(B,)``."""
    return ratio(weights @ values, weights.sum(axis=1))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A quotient, NaN where there is nothing to divide by."""
    quotient = np.full(np.shape(above), np.nan)
    np.divide(
        above,
        below,
        out=quotient,
        where=below > 0,
    )
    return quotient
