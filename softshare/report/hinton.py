"""Hinton diagrams of the task correlations that a method has learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from softshare.report.figures import MOST_LABELLED, WIDTH, clustered
from softshare.report.findings import Findings
from softshare.report.plates import Plate, pairs_in_words
from softshare.report.style import colour, svg
from softshare.report.words import labels

_CORNERS = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
"""Of a square around 0 with half sides of 1."""


def task_correlations(findings: Findings) -> Iterator[Plate]:
    """A diagram for every method that learns how the tasks are correlated, the mean over runs."""
    for number, method in enumerate(findings.methods):
        known = []
        for record in findings.runs(method):
            of_run = record["sharing"].get("task_correlation")
            if of_run:
                known.append(of_run)
        if not known:
            continue
        correlation = np.mean(np.array(known, dtype=float), axis=0)
        order = clustered(correlation)
        names = [str(findings.tasks[task]["name"]) for task in order]
        ordered = correlation[np.ix_(order, order)]
        words = pairs_in_words(ordered, names)
        figure = hinton_diagram(ordered, names)
        yield Plate(
            title=method,
            image=svg(figure, f"hinton-{number}"),
            caption=words,
            spoken=f"Task correlation with {method}. {words}",
        )


def hinton_diagram(correlation: np.ndarray, names: Sequence[str]) -> Figure:
    """Every pair's correlation as a square: its area the size, its colour the sign.

    Args:
        correlation: of every two tasks, in [−1, 1], ``(T, T)``.
        names: of the ``T`` tasks.
    """
    n_tasks = len(names)
    size = min(WIDTH, 2.2 + 0.26 * n_tasks)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    for sign, name in ((1, "helped"), (-1, "hurt")):
        sizes = np.clip(sign * correlation, 0, 1)
        squares = PolyCollection(
            _squares(sizes),
            facecolors=colour(name),
            linewidths=0,
        )
        axes.add_collection(squares)
    axes.set_xlim(-0.5, n_tasks - 0.5)
    axes.set_ylim(n_tasks - 0.5, -0.5)
    axes.set_aspect("equal")
    axes.tick_params(length=0)
    shown = labels(names, 18) if n_tasks <= MOST_LABELLED else []
    font = 9.5 if n_tasks <= 25 else 5.5
    axes.set_xticks(
        range(len(shown)),
        shown,
        rotation=90,
        fontsize=font,
    )
    axes.set_yticks(
        range(len(shown)),
        shown,
        fontsize=font,
    )
    axes.xaxis.set_ticks_position("top")
    axes.spines[:].set_visible(True)
    return figure


def _squares(sizes: np.ndarray) -> list[np.ndarray]:
    """The corners ``(4, 2)`` of a square of area ``0.9² × size`` in the middle of each cell; none
    for a size of 0.
    """
    rows, columns = np.nonzero(sizes)
    centres = np.stack([columns, rows], axis=1)  # (n, 2)
    half_sides = 0.45 * np.sqrt(sizes[rows, columns])  # (n,)
    # half_sides (n, 1, 1) × corners (4, 2), around centres (n, 1, 2)
    offsets = half_sides[:, None, None] * _CORNERS
    return list(centres[:, None] + offsets)
