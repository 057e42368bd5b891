"""What networks make of examples, laid out in a plane by t-SNE (van der Maaten & Hinton 2008)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from softshare.report.style import colour, legend_above
from softshare.reproduction.drawings import Drawing
from softshare.reproduction.measures import Judged

if TYPE_CHECKING:
    from softshare.reproduction.results import Results

SIDE = 5.0
"""Inches."""

PERPLEXITY = 15.0
"""At most; of few examples less."""


def embedded_outputs(judged: Judged, *, most: int) -> list[list[float]]:
    """The tasks' outputs in a plane: of every task the first so many judged examples.

    Args:
        judged: tasks of the same classes.
        most: examples of each task.

    Returns:
        Of every example its two coordinates, the number of its task, and its class.
    """
    widths = {outputs.shape[1] for outputs in judged.outputs}
    if len(widths) > 1:
        raise ValueError(f"embedded_outputs: tasks have {sorted(widths)} outputs, expected one")
    outputs, tasks, classes = [], [], []
    for number, (own, targets) in enumerate(zip(judged.outputs, judged.targets, strict=True)):
        # Rows come class by class: a fixed shuffle takes some of each.
        chosen = np.random.default_rng(number).permutation(len(targets))[:most]
        outputs.append(own[chosen])
        classes.append(targets[chosen])
        tasks.append(np.full(len(chosen), number))
    places = in_plane(np.concatenate(outputs).astype(np.float64))
    rows = np.column_stack([places, np.concatenate(tasks), np.concatenate(classes)])
    return [[float(f"{x:.1f}"), float(f"{y:.1f}"), int(t), int(c)] for x, y, t, c in rows]


def in_plane(points: np.ndarray) -> np.ndarray:
    """Points laid out by t-SNE, the same for the same points; coordinates to a tenth.

    Args:
        points: at least three.

    Shape:
        ``(N, D)`` → ``(N, 2)``.
    """
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    places: np.ndarray = TSNE(perplexity=perplexity, random_state=0).fit_transform(points)
    return places.round(1).astype(np.float64)


@dataclass(frozen=True)
class Embedding(Drawing):
    """A measure of :func:`embedded_outputs`, of the first seed: each example is the number of its
    class, in the colour of its task.

    Args:
        measure: its name.
        contestant: whose.
        labels: of the tasks.
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
        figure = Figure(figsize=(SIDE, SIDE), layout="constrained")
        axes = figure.subplots()
        axes.set_xticks([])
        axes.set_yticks([])
        for number, label in enumerate(self.labels):
            axes.plot([], [], "o", color=colour(f"series-{number + 1}"), label=label)
        for record in list(results.of(case.name, self.contestant).values())[:1]:
            points = record["measures"][self.measure]
            for x, y, task, kind in points:
                own = colour(f"series-{task + 1}")
                axes.text(x, y, str(kind), color=own, fontsize=7, ha="center", va="center")
            places = np.array(points)[:, :2]
            low, high = places.min(0), places.max(0)
            axes.set_xlim(low[0] - 1, high[0] + 1)
            axes.set_ylim(low[1] - 1, high[1] + 1)
        legend_above(figure)
        return figure
