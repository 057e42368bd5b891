"""Gains as sentences have them: amount, unit and interval, and with which method."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from softshare.tasks.metric import Metric
from softshare.tasks.metrics import RELATIVE, metric_named


def where(row: pd.Series) -> str:
    """With which method, and at which training fraction where that is not all of the data."""
    method = str(row["method"])
    if row["fraction"] == 1:
        return method
    return f"{method} at {100 * row['fraction']:.4g} % of the training data"


def amount(row: pd.Series, *, sign: int = 1) -> str:
    """``3.1 points of ROC-AUC [1.2, 5.0]``: the gain (with ``sign=-1`` the loss) in the metric's
    unit.
    """
    metric = metric_named(row["metric"])
    in_hundredths = metric.points or metric.name == RELATIVE
    scale = 100 * sign if in_hundredths else sign
    unit = _unit(metric)
    gain = scale * row["gain"]
    if math.isnan(row["ci_low"]):
        digits = _digits([gain])
        return f"{_number(gain, digits)}{unit}"
    # a loss has the ends of the gain's interval, turned round
    low, high = sorted([scale * row["ci_low"], scale * row["ci_high"]])
    digits = _digits([low, high])
    interval = f"[{_number(low, digits)}, {_number(high, digits)}]"
    return f"{_number(gain, digits)}{unit} {interval}"


def _unit(metric: Metric) -> str:
    """In what a gain is told: `` points of ROC-AUC``."""
    if metric.name == RELATIVE:
        return " %"
    points = " points" if metric.points else ""
    in_unit = f" in {metric.unit}" if metric.unit else ""
    return f"{points} of {metric.title}{in_unit}"


def _digits(values: Sequence[float]) -> int:
    """Decimals, one at least, that show the largest value with two digits, and up to two more where
    the smallest needs them.
    """
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 1
    # the place of the first digit after the point: 1 for 0.3, 0 for 3, -1 for 30
    of_largest = -math.floor(math.log10(max(sizes)))
    of_smallest = -math.floor(math.log10(min(sizes)))
    fit = max(1, of_largest + 1)
    wanted = min(of_smallest, fit + 2)
    return min(6, max(fit, wanted))


def _number(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # no minus before a zero
    return f"{rounded:.{digits}f}".replace("-", "−")
