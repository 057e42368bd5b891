"""Figures of what was learned: the loss over the steps, what the layers share, how alike the tasks
are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from softshare.evaluation.statistics import BASELINE
from softshare.report.style import Look, colour, legend_above
from softshare.report.words import labels

WIDTH = 4.9
MOST_LAYERS = 40
MOST_LABELLED = 60
"""So many tasks have their names beside the similarity matrix."""

_FEW_LAYERS = 12
_MOST_WRITTEN = 12
"""Up to so many tasks the similarities are written into the matrix."""


def learning_curves(
    curves: pd.DataFrame,
    looks: Mapping[str, Look],
    *,
    column: str,
) -> Figure:
    """A loss over the steps: every method's mean over the seeds, in a band of one standard
    deviation.

    Args:
        curves: one row a method, seed and step: ``method``, ``step`` and the loss.
        looks: colour and marker of every method.
        column: which loss.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y")
    table = (
        curves.groupby(["method", "step"])[column]
        .agg(["mean", "std"])
        .fillna({"std": 0.0})
        .dropna()
    )
    for number, (method, own) in enumerate(table.groupby(level="method")):
        look, steps = looks[str(method)], own.index.get_level_values("step").to_numpy()
        line = "--" if str(method) == BASELINE else "-"
        axes.fill_between(
            steps,
            own["mean"] - own["std"],
            own["mean"] + own["std"],
            color=look.colour,
            alpha=0.15,
            linewidth=0,
        )
        marked = range(
            2 * number,
            len(steps),
            max(1, len(steps) // 5),
        )
        axes.plot(
            steps,
            own["mean"],
            line,
            color=look.colour,
            marker=look.marker,
            markevery=list(marked),
            markersize=5,
            label=str(method),
        )
    axes.set_xlabel("step")
    axes.set_ylabel("mean loss of the tasks")
    _limit_losses(axes, table["mean"])
    legend_above(figure)
    return figure


def by_layer(rows: pd.DataFrame, looks: Mapping[str, Look]) -> Figure:
    """What every method adds in every layer, the first layer on top.

    Args:
        rows: one a layer and method: ``layer``, ``method``, ``excess``, ``ci_low``, ``ci_high``.
        looks: colour and marker of every method.
    """
    names = list(rows["layer"].unique())[:MOST_LAYERS]
    methods = list(rows["method"].unique())
    height = 0.16 + 0.11 * len(methods) if len(names) <= _FEW_LAYERS else 0.25
    figure = Figure(figsize=(WIDTH, 1.1 + height * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="x")
    axes.axvline(0, color=colour("soft"), linewidth=1)
    row_of = {name: row for row, name in enumerate(names)}
    for number, method in enumerate(methods):
        own = rows[(rows["method"] == method) & rows["layer"].isin(names)]
        offset = 0.7 * ((number + 0.5) / len(methods) - 0.5)  # methods stand above one another
        y = own["layer"].map(row_of).to_numpy() + offset
        look = looks[method]
        axes.hlines(
            y,
            own["ci_low"],
            own["ci_high"],
            color=look.colour,
            linewidth=1.4,
        )
        axes.plot(
            own["excess"],
            y,
            linestyle="none",
            marker=look.marker,
            color=look.colour,
            markersize=5.5,
            label=method,
        )
    axes.set_yticks(range(len(names)), labels(names))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.set_xlabel("difference from learning apart")
    for boundary in range(1, len(names)):
        axes.axhline(boundary - 0.5, color=colour("line"), linewidth=0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    legend_above(figure)
    return figure


def excess_matrix(excess: np.ndarray, names: Sequence[str]) -> Figure:
    """By how much more or less than the mean pair two tasks were drawn together.

    Colour stands for the sign and its strength for the size: 0 is as the page, so both themes can
    show it.

    Args:
        excess: differences of cosines, ``(T, T)``, NaN where a pair has none.
        names: of the ``T`` tasks.
    """
    n_tasks = len(names)
    size = min(WIDTH, 2.2 + 0.26 * n_tasks)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    shown = np.ma.masked_invalid(excess)
    most = float(np.abs(shown).max()) or 1.0
    image = axes.imshow(
        shown,
        cmap=_signed_colours(),
        vmin=-most,
        vmax=most,
        interpolation="none",
    )
    figure.colorbar(
        image,
        ax=axes,
        shrink=0.6,
        aspect=28,
        location="bottom",
        label="more alike than the mean pair (cosine)",
        ticks=MaxNLocator(5),
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    shown_names = labels(names, 18) if n_tasks <= MOST_LABELLED else []
    font = 9.5 if n_tasks <= 25 else 5.5
    axes.set_xticks(
        range(len(shown_names)),
        shown_names,
        rotation=90,
        fontsize=font,
    )
    axes.set_yticks(
        range(len(shown_names)),
        shown_names,
        fontsize=font,
    )
    axes.xaxis.set_ticks_position("top")
    if n_tasks <= _MOST_WRITTEN:
        _write_numbers(axes, shown)
    return figure


def _write_numbers(axes: Axes, matrix: np.ma.MaskedArray) -> None:
    for row, column in np.argwhere(~np.ma.getmaskarray(matrix)):
        if row != column:
            text = f"{matrix[row, column]:.2f}".replace("-", "−")
            axes.text(column, row, text, ha="center", va="center", fontsize=7.5)


def clustered(similarity: np.ndarray) -> np.ndarray:
    """An order of the tasks that puts similar ones side by side: the leaves of average linkage.

    Args:
        similarity: cosines, ``(T, T)``; pairs without one count as unrelated.

    Returns:
        The tasks' numbers in that order, ``(T,)``.
    """
    if len(similarity) < 3:
        return np.arange(len(similarity))
    distance = 1 - np.nan_to_num((similarity + similarity.T) / 2)
    np.fill_diagonal(distance, 0)
    condensed = squareform(np.clip(distance, 0, None), checks=False)
    return hierarchy.leaves_list(hierarchy.linkage(condensed, "average", optimal_ordering=True))


def _limit_losses(axes: Axes, means: pd.Series) -> None:
    """Take a logarithmic axis where the losses span more than a decade."""
    if means.min() > 0 and means.max() > 10 * means.min():
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.8 * float(means.min()))
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if means.max() < 100 * means.min() else (1,), numticks=8)
        )
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _signed_colours() -> LinearSegmentedColormap:
    strength = np.linspace(-1, 1, 129)
    hues = np.array([to_rgb(colour("hurt")), to_rgb(colour("helped"))])
    colours = [(*hues[int(value > 0)], 0.75 * abs(value)) for value in strength]
    return LinearSegmentedColormap.from_list("signed", colours, N=257)
