"""How an experiment's records are drawn: each figure is a value that says what it shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from softshare.report.style import MARKERS, PALETTE, Look, colour, legend_above

if TYPE_CHECKING:
    from softshare.reproduction.experiment import Case, Experiment, Published
    from softshare.reproduction.results import Results

WIDTH = 6.4
HEIGHT = 3.6
ROW = 0.32
"""Inches: of a figure, and of a row of names in one."""


class Drawing(ABC):
    """A figure of an experiment.

    Attributes:
        name: of its file, which ends in ``.svg``.
        case: name of the case that it is of; empty where it is of the first one or of several.
    """

    name: str
    case: str = ""

    @abstractmethod
    def draw(
        self,
        results: Results,
    ) -> Figure:
        """The figure of what the records say; it may be empty, where they have nothing to draw."""

    def case_of(
        self,
        experiment: Experiment,
    ) -> Case:
        """The one case that is drawn."""
        return experiment.case(self.case) if self.case else experiment.cases[0]


@dataclass(frozen=True)
class Dots(Drawing):
    """A measure of every contestant in one case: mean, 95 % interval, and the paper's number.

    Args:
        measure: its name, or ``NAME/KEY``.
        case: name of the case; the first when empty.
        name: of the figure.
    """

    measure: str
    case: str = ""
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        experiment = results.experiment
        case = self.case_of(experiment)
        those = results.contestants(case)
        figure = Figure(figsize=(WIDTH, 1.2 + ROW * len(those)), layout="constrained")
        axes = figure.subplots()
        axes.grid(axis="x")
        for row, each in enumerate(those):
            found = results.estimate(case.name, each.name, self.measure)
            if found is None:
                continue
            own = Look(colour("helped"), "o")
            low, high = found.low, found.high
            if low is not None and high is not None:
                axes.plot([low, high], [row, row], color=own.colour, linewidth=2)
            axes.plot(found.mean, row, own.marker, color=own.colour)
            published = results.published(case.name, each.name, self.measure)
            if published is not None:
                axes.plot(published, row, "D", color=colour("hurt"), fillstyle="none")
        axes.set_yticks(range(len(those)), [each.shown for each in those])
        axes.invert_yaxis()
        axes.plot([], [], "o", color=colour("helped"), label="here, 95 %")
        if any(number.case == case.name for number in self._published(experiment)):
            axes.plot([], [], "D", color=colour("hurt"), fillstyle="none", label="published")
        axes.set_xlabel(experiment.measure(self.measure).shown)
        _legend(figure)
        return figure

    def _published(
        self,
        experiment: Experiment,
    ) -> list[Published]:
        """The paper's numbers of this measure."""
        return [number for number in experiment.published if number.measure == self.measure]


@dataclass(frozen=True)
class OverCases(Drawing):
    """A measure of every contestant over the cases that have a place on the axis (``Case.x``).

    Args:
        measure: its name, or ``NAME/KEY``.
        axis: what the places are.
        logarithmic: whether the axis is.
        cases: names of the cases; all that have a place when empty.
        name: of the figure.
    """

    measure: str
    axis: str
    logarithmic: bool = False
    cases: tuple[str, ...] = ()
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        experiment = results.experiment
        figure, axes = _panel()
        for number, each in enumerate(experiment.contestants):
            places, means, deviations = [], [], []
            for case in experiment.cases:
                if case.x is None or (self.cases and case.name not in self.cases):
                    continue
                found = results.estimate(case.name, each.name, self.measure)
                if found is not None:
                    places.append(case.x)
                    means.append(found.mean)
                    deviations.append(found.deviation)
            _line(axes, places, means, deviations, look=_look(number), label=each.shown)
        if self.logarithmic:
            axes.set_xscale("log")
            _tell_plainly(axes.xaxis)
        axes.set_xlabel(self.axis)
        axes.set_ylabel(experiment.measure(self.measure).shown)
        _legend(figure)
        return figure


@dataclass(frozen=True)
class OverSteps(Drawing):
    """A column of every contestant's learning curve in one case.

    Args:
        column: of the curve, such as ``"train_loss"``, or a number that a callback adds.
        shown: what it is, with its unit.
        case: name of the case; the first when empty.
        logarithmic: whether the column's axis is.
        name: of the figure.
    """

    column: str
    shown: str
    case: str = ""
    logarithmic: bool = False
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        experiment = results.experiment
        case = self.case_of(experiment)
        figure, axes = _panel()
        for number, each in enumerate(experiment.contestants):
            by_step: dict[float, list[float]] = {}
            for record in results.of(case.name, each.name).values():
                for row in record["curve"]:
                    value = row.get(self.column)
                    if value is not None:
                        by_step.setdefault(row["step"], []).append(value)
            steps = sorted(by_step)
            means = [float(np.mean(by_step[step])) for step in steps]
            deviations = [float(np.std(by_step[step])) for step in steps]
            _line(axes, steps, means, deviations, look=_look(number), label=each.shown)
        if self.logarithmic:
            axes.set_yscale("log")
            _tell_plainly(axes.yaxis)
        axes.set_xlabel("steps")
        axes.set_ylabel(self.shown)
        _legend(figure)
        return figure


@dataclass(frozen=True)
class Bars(Drawing):
    """A measure with several values, by layer or by task: a group of bars for each value.

    Args:
        measure: its name.
        case: name of the case; the first when empty.
        contestants: names of those that are drawn; all when empty.
        name: of the figure.
    """

    measure: str
    case: str = ""
    contestants: tuple[str, ...] = ()
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        experiment = results.experiment
        case = self.case_of(experiment)
        columns = results.names(self.measure)
        those = [
            each
            for each in results.contestants(case)
            if not self.contestants or each.name in self.contestants
        ]
        figure, axes = _panel()
        width = 0.8 / max(1, len(those))
        for number, each in enumerate(those):
            means, deviations = [], []
            for column in columns:
                found = results.estimate(case.name, each.name, column)
                means.append(np.nan if found is None else found.mean)
                deviations.append(0.0 if found is None else found.deviation)
            places = np.arange(len(columns)) + (number - (len(those) - 1) / 2) * width
            axes.bar(
                places,
                means,
                width,
                yerr=deviations,
                color=_look(number).colour,
                ecolor=colour("soft"),
                label=each.shown,
            )
        axes.set_xticks(range(len(columns)), [name.partition("/")[2] for name in columns])
        axes.set_ylabel(experiment.measure(self.measure).shown)
        _legend(figure)
        return figure


def _legend(figure: Figure) -> None:
    """Names of what is drawn, where anything is."""
    _, names = figure.axes[0].get_legend_handles_labels()
    if names:
        legend_above(figure)


def _panel() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    axes.grid(axis="y")
    return figure, axes


def _look(number: int) -> Look:
    """Of a contestant by its place: grey for the baseline, the first."""
    series = [name for name in PALETTE if name.startswith("series-")]
    if number == 0:
        return Look(colour("soft"), MARKERS[0])
    place = (number - 1) % len(series)
    return Look(colour(series[place]), MARKERS[1 + (number - 1) % (len(MARKERS) - 1)])


def _tell_plainly(axis: Axis) -> None:
    """Plain numbers at 1, 2 and 5 times the powers of ten along a logarithmic axis: left to itself
    it writes powers as formulas, and many of them where less than a decade is shown.
    """
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _line(
    axes: Axes,
    places: Sequence[float],
    means: Sequence[float],
    deviations: Sequence[float],
    *,
    look: Look,
    label: str,
) -> None:
    """A line through the means in a band of one standard deviation."""
    if not places:
        return
    low = np.subtract(means, deviations)
    high = np.add(means, deviations)
    axes.fill_between(places, low, high, color=look.colour, alpha=0.15, linewidth=0)
    axes.plot(places, means, marker=look.marker, markersize=5, color=look.colour, label=label)
