"""How well a model did on labelled rows: for people, for notebooks and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Any

import pandas as pd

from softshare.models.measured import Row


@dataclass(frozen=True)
class Evaluation:
    """A model judged on labelled rows.

    Args:
        rows: one for every task with labels.
    """

    rows: tuple[Row, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A line a task: its rows, its metric and the 95 % interval over other rows like these."""
        lines = []
        for row in self.rows:
            low, high = row["interval"] or (None, None)
            names = ("task", "rows", "metric", "value")
            lines.append({**{name: row[name] for name in names}, "from": low, "to": high})
        return pd.DataFrame(lines, columns=["task", "rows", "metric", "value", "from", "to"])

    @property
    def means(self) -> dict[str, float]:
        """Metric → its mean over the tasks that are judged by it."""
        values: dict[str, list[float]] = {}
        for row in self.rows:
            if row["value"] is not None:
                values.setdefault(row["metric"], []).append(row["value"])
        return {metric: fmean(of_metric) for metric, of_metric in values.items()}

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {"tasks": list(self.rows), "means": self.means}

    def _repr_html_(self) -> str:
        html: str = self.table.to_html(index=False, float_format="{:.4g}".format)
        return html
