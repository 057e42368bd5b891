"""A square matrix of numbers as a Hinton diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from softshare.report.style import colour
from softshare.reproduction.drawings import HEIGHT, Drawing

if TYPE_CHECKING:
    from softshare.reproduction.results import Results


@dataclass(frozen=True)
class Matrix(Drawing):
    """A measure that is a square matrix, one row a task: its mean over the seeds as a Hinton
    diagram, in which a square's area is a number's size and its colour the sign.

    Args:
        measure: its name.
        contestant: whose.
        labels: of the rows.
        case: name of the case; the first when empty.
        name: of the figure.
    """

    measure: str
    contestant: str
    labels: tuple[str, ...]
    case: str = ""
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        case = self.case_of(results.experiment)
        records = results.of(case.name, self.contestant).values()
        matrices = [record["measures"][self.measure] for record in records]
        known = [np.array(matrix) for matrix in matrices if matrix is not None]
        figure = Figure(figsize=(HEIGHT, HEIGHT), layout="constrained")
        axes = figure.subplots()
        if known:
            _squares(axes, np.mean(known, axis=0))
        places = range(len(self.labels))
        axes.set_xticks(places, self.labels, rotation=90)
        axes.set_yticks(places, self.labels)
        axes.set_aspect("equal")
        return figure


def _squares(
    axes: Axes,
    matrix: np.ndarray,
) -> None:
    largest = float(np.abs(matrix).max()) or 1.0
    for (row, column), value in np.ndenumerate(matrix):
        side = float(np.sqrt(abs(value) / largest))
        place = (column - side / 2, row - side / 2)
        filled = colour("helped" if value >= 0 else "hurt")
        square = Rectangle(place, side, side, facecolor=filled, linewidth=0)
        axes.add_patch(square)
    axes.set_xlim(-0.6, len(matrix) - 0.4)
    axes.set_ylim(len(matrix) - 0.4, -0.6)
