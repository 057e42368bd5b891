"""What a combination of methods has weighed: for a typical task, for tasks that differ, and which
tasks stay apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from softshare.evaluation.words import count, listed
from softshare.report.figures import WIDTH
from softshare.report.findings import Findings
from softshare.report.plates import Plate
from softshare.report.style import colour, legend_above, svg
from softshare.report.words import labels, per_cent

MOST_BARS = 12
"""Tasks whose weights are drawn beside the common ones."""

DIFFERENT = 0.02
"""The share of its answer that comes from other methods, from which on a task is told to differ."""

N_SERIES = 7
"""Colours of the palette."""

LEAST = 0.005
"""A share that is told and drawn."""

Weights = Mapping[str, float]
"""Name of a method → its share of an answer."""


@dataclass
class Weighed:
    """What one combination has weighed, the means over its runs.

    Args:
        tasks: that it was weighed for.
        n_runs: of how many seeds these are the means.
        common: the weights of a typical task.
        own: task → its weights, where these differ; those that differ most first.
        apart: task that keeps a model of its own → in how many runs.
        left_out: method that was not weighed → why, in the first run that says so.
    """

    tasks: Sequence[str]
    n_runs: int
    common: Weights
    own: Mapping[str, Weights] = field(default_factory=dict)
    apart: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WeighedPlate:
    """A figure of what was weighed, and sentences beside it."""

    plate: Plate
    sentences: Sequence[str]


def weighings(findings: Findings) -> Iterator[WeighedPlate]:
    """For every combination of methods, and for every kind of its tasks, what it has weighed."""
    for method in findings.methods:
        of_method = list(weighed(findings, method))
        for number, found in enumerate(of_method):
            title = f"What {method} answers with"
            if len(of_method) > 1:
                title += f": {listed(found.tasks, most=3)}"
            spoken = _typical(found)
            figure = bars(found)
            image = svg(figure, f"weights-{method}-{number}")
            caption = (
                "Each bar is a task’s answer, divided by how much of it is each method’s. "
                f"The mean over {count(found.n_runs, 'seed')}."
            )
            yield WeighedPlate(Plate(title, image, caption, spoken), sentences(found))


def weighed(findings: Findings, method: str) -> Iterator[Weighed]:
    """What a method has weighed at the fraction shown in detail; nothing of one that does not."""
    runs: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    names = tuple(str(task["name"]) for task in findings.tasks)
    for record in findings.runs(method):
        decided = record.get("decided", {})
        for piece in decided.get("pieces", [decided]):
            if isinstance(piece.get("weights"), Mapping):
                tasks = tuple(piece.get("tasks", names))
                runs.setdefault(tasks, []).append(piece)
    for tasks, pieces in runs.items():
        yield _mean(tasks, pieces)


def _mean(tasks: Sequence[str], pieces: Sequence[Mapping[str, Any]]) -> Weighed:
    """What several runs have weighed for the same tasks."""
    common = _mean_weights([piece["weights"] for piece in pieces])
    differing: set[str] = set()
    for piece in pieces:
        differing.update(piece["own_weights"])
    own = {}
    for task in tasks:
        if task in differing:
            of_runs = [piece["own_weights"].get(task, piece["weights"]) for piece in pieces]
            own[task] = _mean_weights(of_runs)
    far = {}
    for task, weights in own.items():
        far[task] = _distance(weights, common)
    ranked = sorted(far, key=far.__getitem__, reverse=True)
    apart: Counter[str] = Counter()
    for piece in pieces:
        apart.update(piece["apart"])
    left_out: dict[str, str] = {}
    for piece in pieces:
        left_out = {**piece["left_out"], **left_out}
    different = [task for task in ranked if far[task] >= DIFFERENT]
    return Weighed(
        tasks,
        len(pieces),
        common,
        {task: own[task] for task in different},
        dict(apart.most_common()),
        left_out,
    )


def _mean_weights(of_runs: Sequence[Weights]) -> Weights:
    """The mean over runs, the largest first."""
    total: Counter[str] = Counter()
    n_runs = len(of_runs)
    for weights in of_runs:
        parts = {method: weight / n_runs for method, weight in weights.items()}
        total.update(parts)
    return dict(total.most_common())


def _distance(first: Weights, second: Weights) -> float:
    """The share of an answer that comes from other methods."""
    total = 0.0
    for name in first.keys() | second.keys():
        difference = first.get(name, 0.0) - second.get(name, 0.0)
        total += abs(difference)
    return total / 2


def sentences(found: Weighed) -> list[str]:
    """What was weighed, and for which tasks it differs, in words."""
    told = [_typical(found)]
    n_tasks = len(found.tasks)
    if found.own:
        names = listed(list(found.own), most=3)
        told.append(
            f"{count(len(found.own), 'task')} of {n_tasks:,} have weights of their own, as rows "
            f"held out bear out another mixture for them: {names}."
        )
    else:
        told.append("No task’s own rows bear out another mixture: all are answered alike.")
    if found.apart:
        names = listed([_with_runs(task, found) for task in found.apart])
        told.append(
            f"Learning together would make {names} worse, by a test on rows held out: the answer "
            "there is a model of the task’s own rows alone."
        )
    else:
        told.append("No task is shown to lose by what the others tell of it: none is kept apart.")
    for method, reason in found.left_out.items():
        told.append(f"{method} was not weighed: {reason}.")
    return told


def _typical(found: Weighed) -> str:
    """The common weights in a sentence."""
    parts = []
    for method, weight in found.common.items():
        if weight >= LEAST:
            parts.append(f"{per_cent(round(weight, 2))} {method}")
    chosen = "the mixture that did best on rows held out of the training part"
    return f"The answer for a typical task is {listed(parts, most=8)}: {chosen}."


def _with_runs(task: str, found: Weighed) -> str:
    n_runs = found.apart[task]
    return task if n_runs == found.n_runs else f"{task} ({n_runs} of {found.n_runs} seeds)"


def bars(found: Weighed) -> Figure:
    """The common weights as a bar, above those of the tasks that differ most from them."""
    tasks = list(found.own)[:MOST_BARS]
    names = ["a typical task", *labels(tasks)]
    of_bars = [found.common, *(found.own[task] for task in tasks)]
    figure = Figure(figsize=(WIDTH, 0.9 + 0.32 * len(names)), layout="constrained")
    axes = figure.subplots()
    places = range(len(names))
    begin = [0.0] * len(names)
    for number, method in enumerate(_drawn(of_bars)):
        widths = [weights.get(method, 0.0) for weights in of_bars]
        tone = colour(f"series-{1 + number % N_SERIES}")
        axes.barh(
            places,
            widths,
            left=begin,
            height=0.62,
            color=tone,
            label=method,
        )
        begin = [left + width for left, width in zip(begin, widths, strict=True)]
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    legend_above(figure)
    return figure


def _drawn(of_bars: Sequence[Weights]) -> list[str]:
    """The methods that any bar shows, in the order of the first."""
    largest: dict[str, float] = {}
    for weights in of_bars:
        for name, weight in weights.items():
            known = largest.get(name, 0.0)
            largest[name] = max(known, weight)
    return [name for name, weight in largest.items() if weight >= LEAST]
