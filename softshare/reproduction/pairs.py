"""A figure of the pairs of tasks that are most and least related."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from softshare.report.style import colour
from softshare.reproduction.drawings import ROW, WIDTH, Drawing

if TYPE_CHECKING:
    from softshare.reproduction.results import Results


@dataclass(frozen=True)
class Pairs(Drawing):
    """The most and the least related pairs of tasks: mean and standard deviation over the seeds.

    Args:
        measure: name of one that lists pairs, as
            :func:`~softshare.reproduction.layer_measures.related_pairs`.
        contestant: whose.
        shown: what the numbers are.
        most: pairs of each kind.
        case: name of the case; the first when empty.
        name: of the figure.
    """

    measure: str
    contestant: str
    shown: str
    most: int = 5
    case: str = ""
    name: str = "pairs"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        case = self.case_of(results.experiment)
        by_pair: dict[tuple[str, str], list[float]] = {}
        for record in results.of(case.name, self.contestant).values():
            for one, other, cosine in record["measures"][self.measure]:
                by_pair.setdefault((one, other), []).append(cosine)
        means = {pair: float(np.mean(values)) for pair, values in by_pair.items()}
        ranked = sorted(means, key=means.__getitem__, reverse=True)
        ends = [*ranked[: self.most], *ranked[self.most :][-self.most :]]
        figure = Figure(figsize=(WIDTH, 1.0 + ROW * len(ends)), layout="constrained")
        axes = figure.subplots()
        axes.grid(axis="x")
        places = range(len(ends))
        values = [means[pair] for pair in ends]
        deviations = [float(np.std(by_pair[pair])) for pair in ends]
        axes.barh(places, values, color=colour("helped"), xerr=deviations, ecolor=colour("soft"))
        axes.set_yticks(places, [f"{one} · {other}" for one, other in ends])
        axes.invert_yaxis()
        axes.set_xlabel(self.shown)
        return figure
