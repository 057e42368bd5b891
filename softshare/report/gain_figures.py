"""Figures of the gain over learning apart: by method, by task, by training fraction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from softshare.evaluation.statistics import verdicts
from softshare.report.style import Look, colour, legend_above
from softshare.report.words import Scale, labels, per_cent

WIDTH = 4.9
MOST_NAMED = 40
"""So many tasks are drawn one by one; of more, a histogram and the extremes."""
EXTREMES = 8

_ROW = 0.225
_DRAWN_AS = {
    "helped": ("helped", "^", "helped"),
    "hurt": ("hurt", "v", "hurt"),
    "undecided": ("soft", "o", "card"),
}
"""The colour of a verdict's line, its marker and the marker's filling."""


def gain_of_methods(
    rows: pd.DataFrame,
    looks: Mapping[str, Look],
    *,
    scale: Scale,
) -> Figure:
    """A dot and whisker for every method, the best on top.

    Args:
        rows: one a method, in the order to draw: ``method``, ``gain``, ``ci_low``, ``ci_high``.
        looks: colour and marker of every method.
        scale: how gains are written.
    """
    figure, axes = _frame(len(rows), scale)
    for y, method in enumerate(rows["method"]):
        look, row = looks[method], rows.iloc[y]
        axes.plot(
            row[["ci_low", "ci_high"]].to_numpy(dtype=float),
            [y, y],
            color=look.colour,
            linewidth=2,
            solid_capstyle="round",
        )
        axes.plot(
            row["gain"],
            y,
            color=look.colour,
            marker=look.marker,
            markersize=7,
        )
    _name_rows(axes, list(rows["method"]))
    return figure


def gain_of_tasks(
    rows: pd.DataFrame,
    *,
    limits: tuple[float, float],
    scale: Scale,
) -> Figure:
    """A dot and whisker for every task: filled where the interval lies on one side of 0.

    Args:
        rows: one a task, in the order to draw: ``task``, ``gain``, ``ci_low``, ``ci_high``.
        limits: of the gain axis, the same for all methods.
        scale: how gains are written.
    """
    figure, axes = _frame(len(rows), scale)
    _dots(axes, rows, np.arange(len(rows)))
    _name_rows(axes, list(rows["task"]))
    axes.set_xlim(*limits)
    return figure


def gain_of_many_tasks(
    rows: pd.DataFrame,
    *,
    limits: tuple[float, float],
    scale: Scale,
) -> Figure:
    """How the gains of many tasks are spread, above the tasks that gained the most and the least.

    Args:
        rows: one a task in any order: ``task``, ``gain``, ``ci_low``, ``ci_high``.
        limits: of the gain axis, the same for all methods.
        scale: how gains are written.
    """
    ranked = rows.dropna(subset="gain").sort_values("gain", ascending=False, kind="stable")
    ends = pd.concat([ranked[:EXTREMES], ranked[-EXTREMES:]])
    places = np.concatenate([np.arange(EXTREMES), np.arange(EXTREMES) + EXTREMES + 1])
    figure = Figure(figsize=(WIDTH, 1.5 + _ROW * (len(places) + 3)), layout="constrained")
    above, below = figure.subplots(
        2,
        sharex=True,
        height_ratios=[1.5, _ROW * len(places)],
    )
    _spread(above, ranked, limits)
    _gain_axis(below, scale)
    _dots(below, ends, places)
    _name_rows(below, list(ends["task"]), places)
    between = f"… {len(ranked) - 2 * EXTREMES:,} tasks between …"
    below.text(
        0.5,
        EXTREMES,
        between,
        transform=below.get_yaxis_transform(),
        ha="center",
        va="center",
        color=colour("soft"),
    )
    below.set_xlim(*limits)
    return figure


def gain_over_fractions(
    rows: pd.DataFrame,
    looks: Mapping[str, Look],
    *,
    scale: Scale,
) -> Figure:
    """The gain of every method over the fraction of the training data, with intervals.

    Args:
        rows: one a method and fraction: ``method``, ``fraction``, ``gain``, ``ci_low``,
            ``ci_high``.
        looks: colour and marker of every method.
        scale: how gains are written.
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.axhline(0, color=colour("soft"), linewidth=1)
    axes.grid(axis="y")
    for method, own in rows.sort_values("fraction").groupby("method", sort=False):
        look = looks[str(method)]
        axes.fill_between(
            own["fraction"],
            own["ci_low"],
            own["ci_high"],
            color=look.colour,
            alpha=0.12,
            linewidth=0,
        )
        axes.plot(
            own["fraction"],
            own["gain"],
            color=look.colour,
            marker=look.marker,
            markersize=6,
            label=str(method),
        )
    axes.set_xscale("log")
    fractions = sorted(rows["fraction"].unique())
    axes.set_xticks(fractions, [per_cent(fraction) for fraction in fractions])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("fraction of the training data")
    axes.set_ylabel("gain over learning apart")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: scale.tick(value)))
    legend_above(figure)
    return figure


def limits_of(rows: pd.DataFrame) -> tuple[float, float]:
    """Limits of the gain axis that hold every gain, and the intervals unless a few would dwarf all
    others.
    """
    worst, best = rows["gain"].min(), rows["gain"].max()
    low = np.nanmin([0, worst, rows["ci_low"].min()])
    high = np.nanmax([0, best, rows["ci_high"].max()])
    # without the one interval in twenty at either end that reaches farthest
    least = np.nanmin([0, worst, rows["ci_low"].quantile(0.05)])
    greatest = np.nanmax([0, best, rows["ci_high"].quantile(0.95)])
    if high - low > 2 * (greatest - least):
        low, high = least, greatest
    margin = 0.04 * (high - low) or 1e-3
    return float(low - margin), float(high + margin)


def _frame(n_rows: int, scale: Scale) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, 0.55 + _ROW * (n_rows + 0.6)), layout="constrained")
    axes = figure.subplots()
    _gain_axis(axes, scale)
    return figure, axes


def _gain_axis(axes: Axes, scale: Scale) -> None:
    axes.axvline(0, color=colour("soft"), linewidth=1)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: scale.tick(value)))
    axes.set_xlabel("gain over learning apart (right of 0: better)")
    axes.spines["left"].set_visible(False)


def _name_rows(
    axes: Axes,
    names: list[str],
    places: np.ndarray | None = None,
) -> None:
    places = np.arange(len(names)) if places is None else places
    axes.set_yticks(places, labels(names))
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(places[-1] + 0.6, -0.6)


def _dots(
    axes: Axes,
    rows: pd.DataFrame,
    places: np.ndarray,
) -> None:
    verdict_of_row = verdicts(rows).to_numpy()
    for verdict in np.unique(verdict_of_row):
        line, marker, filling = _DRAWN_AS[str(verdict)]
        chosen = np.flatnonzero(verdict_of_row == verdict)
        own, y = rows.iloc[chosen], places[chosen]
        axes.hlines(
            y,
            own["ci_low"],
            own["ci_high"],
            color=colour(line),
            linewidth=1.6,
        )
        axes.scatter(
            own["gain"],
            y,
            marker=marker,
            s=30,
            color=colour(filling),
            edgecolors=colour(line),
            zorder=3,
        )


def _spread(
    axes: Axes,
    rows: pd.DataFrame,
    limits: tuple[float, float],
) -> None:
    verdict = verdicts(rows)
    gains, colours, names = [], [], []
    for kind in ("hurt", "undecided", "helped"):
        own = rows["gain"][verdict == kind]
        if len(own):
            gains.append(own)
            colours.append(colour("line" if kind == "undecided" else kind))
            names.append(f"{kind} ({len(own):,})")
    axes.axvline(0, color=colour("soft"), linewidth=1)
    axes.hist(
        gains,
        bins=np.linspace(*limits, 41).tolist(),
        color=colours,
        label=names,
        stacked=True,
        histtype="stepfilled",
    )
    axes.set_ylabel("tasks")
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.tick_params(axis="x", length=0)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, fontsize=8.5, columnspacing=1, borderpad=0
    )
