"""In which order each task applies the layers that the tasks share, and how that came about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from softshare.evaluation.words import listed
from softshare.report.findings import Findings
from softshare.report.plates import Plate
from softshare.report.style import PALETTE, colour, svg
from softshare.report.words import labels

MOST_TASKS = 20
COLUMNS = 5
WIDTH = 4.9
_LOWEST = 0.04
"""So dark is the square of a scale of 0, for the table to be seen."""


@dataclass(frozen=True)
class LayerOrder:
    """One core of one run.

    Args:
        method: whose run it is.
        seed: of the run.
        tasks: the tasks' names.
        scales: how much of each layer each task applies at each depth, ``(T, depth, D)``.
        steps: at which the scales were read over training, ``(S,)``.
        history: the scales there, ``(S, T, depth, D)``.
    """

    method: str
    seed: int
    tasks: Sequence[str]
    scales: np.ndarray
    steps: np.ndarray
    history: np.ndarray

    @property
    def is_learned(self) -> bool:
        """Whether the scales changed over training."""
        return len(self.steps) > 1 and bool((self.history != self.history[0]).any())


def orders(findings: Findings) -> Iterator[Plate]:
    """The tasks' orders with every method that gives them different ones, in the first finished run
    at the fraction shown.
    """
    for number, order in enumerate(_orders(findings)):
        shown = order.scales[:MOST_TASKS]
        paths = [
            f"{task}: {_path(scales)}" for task, scales in zip(order.tasks, shown, strict=False)
        ]
        caption = (
            "Depth runs to the right, the shared layers stand above one another; the "
            f"darkest square is a scale of {shown.max():.2f}. "
            "The line is the strongest path. Layers have no fixed place, so one run is "
            f"shown: seed {order.seed}."
        )
        if len(order.scales) > MOST_TASKS:
            caption += f" The first {MOST_TASKS} of {len(order.scales)} tasks."
        figure = order_of_tasks(shown, order.tasks)
        yield Plate(
            f"Order of the layers with {order.method}",
            svg(figure, f"order-{number}"),
            caption,
            "; ".join(paths),
        )
        if order.is_learned:
            yield _over_training(order, number)


def order_of_tasks(scales: np.ndarray, tasks: Sequence[str]) -> Figure:
    """A small table for each task, depth by layer, shaded by the scale, the strongest path drawn.

    Args:
        scales: ``(T, depth, D)``.
        tasks: their names.
    """
    n_tasks, depth, n_layers = scales.shape
    columns = min(COLUMNS, n_tasks)
    rows = -(-n_tasks // columns)
    side = WIDTH / COLUMNS
    figure = Figure(
        figsize=(max(columns, 2) * side, rows * (side * n_layers / depth + 0.3)),
        layout="constrained",
    )
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, own, name in zip(
        panels, scales / scales.max(), labels([*tasks[:n_tasks]], 14), strict=False
    ):
        _draw(panel, own)
        panel.set_title(name, fontsize=8.5)
    for panel in panels[n_tasks:]:
        panel.set_visible(False)
    return figure


def apart(history: np.ndarray) -> np.ndarray:
    """How far the tasks are apart at each depth: the mean over all pairs of ``½ Σ_j |s_j − s'_j|``,
    from 0 to 1.

    Args:
        history: scales, ``(S, T, depth, D)`` with at least two tasks.

    Returns:
        ``(S, depth)``.
    """
    first, second = np.triu_indices(history.shape[1], k=1)
    distances: np.ndarray = np.abs(history[:, first] - history[:, second]).sum(-1).mean(1) / 2
    return distances


def _orders(findings: Findings) -> Iterator[LayerOrder]:
    for method in findings.methods:
        run = next((run for run in findings.runs(method) if run["sharing"].get("ordering")), None)
        for diagnostic in run["sharing"]["ordering"].values() if run else ():
            order = _order(method, run or {}, diagnostic)
            if (order.scales != order.scales[0]).any():
                yield order


def _order(
    method: str,
    run: Mapping[str, Any],
    diagnostic: Mapping[str, Any],
) -> LayerOrder:
    return LayerOrder(
        method=method,
        seed=int(run["settings"]["seed"]),
        tasks=[str(task["name"]) for task in run["data"]["tasks"]],
        scales=np.array(diagnostic["values"], dtype=float),
        steps=np.array([row["step"] for row in diagnostic["history"]]),
        history=np.array([row["values"] for row in diagnostic["history"]], dtype=float),
    )


def _draw(panel: Axes, scales: np.ndarray) -> None:
    """One task's table ``(depth, D)`` of scales in [0, 1]."""
    depth, n_layers = scales.shape
    for k, j in np.ndindex(depth, n_layers):
        shade = _LOWEST + (0.75 - _LOWEST) * scales[k, j]
        panel.add_patch(
            Rectangle(
                (k + 0.04, j + 0.04),
                0.92,
                0.92,
                facecolor=colour("helped"),
                alpha=shade,
                linewidth=0,
            )
        )
    path = scales.argmax(1)
    panel.plot(
        np.arange(depth) + 0.5,
        path + 0.5,
        color=colour("ink"),
        linewidth=1.2,
        marker="o",
        markersize=3,
    )
    panel.set(
        xlim=(0, depth),
        ylim=(n_layers, 0),
        aspect="equal",
        xticks=[],
        yticks=[],
    )
    panel.spines[:].set_visible(False)


def _over_training(order: LayerOrder, number: int) -> Plate:
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    panels = figure.subplots(1, 2)
    series = [colour(name) for name in PALETTE if name.startswith("series-")]
    measures = (
        ("distance between tasks", apart(order.history)),
        ("largest scale", order.history.max(-1).mean(1)),
    )
    for panel, (title, values) in zip(panels, measures, strict=True):
        for depth, line in enumerate(values.T):
            panel.plot(
                order.steps,
                line,
                color=series[depth % len(series)],
                marker="o",
                markersize=3,
                label=f"depth {depth + 1}",
            )
        panel.set(title=title, xlabel="step", ylim=(0, None))
        panel.title.set_fontsize(9)
        panel.grid(axis="y")
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        loc="outside upper left",
        ncols=4,
    )
    distance = measures[0][1][-1]
    caption = (
        "Left: half the sum of the differences of two tasks’ scales at a depth, the mean "
        "over all pairs; 0 is one order for all, 1 none "
        "in common. Right: each task’s largest scale at a depth, the mean over tasks; 1 is "
        "a hard order."
    )
    told = [f"depth {depth}: {value:.2f} apart" for depth, value in enumerate(distance, 1)]
    spoken = f"At the end: {listed(told)}."
    return Plate(
        f"How the order came about with {order.method}",
        svg(figure, f"order-training-{number}"),
        caption,
        spoken,
    )


def _path(scales: np.ndarray) -> str:
    return " → ".join(f"layer {layer + 1}" for layer in scales.argmax(1))
