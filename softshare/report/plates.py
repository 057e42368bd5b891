"""The report's figures with what stands beside them: a title, a caption, and what they say in
words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from softshare.evaluation.apart import WAYS
from softshare.evaluation.statistics import BASELINE, verdicts
from softshare.evaluation.words import count, listed
from softshare.report import figures, gain_figures
from softshare.report.excess import PairExcess, excess_by_layer, excess_of_pairs
from softshare.report.findings import Findings
from softshare.report.style import svg
from softshare.report.words import Scale

NEARLY_ONE = 0.9999
PAIRS = 3


@dataclass(frozen=True)
class Plate:
    """A figure, its title and caption, and what it says to those who do not see it."""

    title: str
    image: Markup
    caption: str
    spoken: str


def gains_of_methods(findings: Findings) -> Plate | None:
    """Every method's gain at the fraction shown in detail."""
    is_here = findings.board["fraction"] == findings.fraction
    rows = findings.board[is_here].dropna(subset="gain")
    if rows.empty:
        return None
    scale = findings.scale
    figure = gain_figures.gain_of_methods(rows, findings.looks, scale=scale)
    told = [f"{row['method']}: {scale.gain(row)}" for _, row in rows.iterrows()]
    caption = "Dots: the mean over tasks and seeds. Lines: 95 % intervals."
    return _plate(figure, "gain-methods", "Gain of each method", caption, "; ".join(told))


def gains_over_fractions(findings: Findings) -> Plate | None:
    """Every method's gain over the fraction of the training data, where several were run."""
    rows = findings.board.dropna(subset="gain")
    if len(findings.fractions) < 2 or rows.empty:
        return None
    scale = findings.scale
    figure = gain_figures.gain_over_fractions(rows, findings.looks, scale=scale)
    caption = (
        "The mean gain over all tasks; bands: 95 % intervals. Sharing usually matters most "
        "where labels are few."
    )
    told = []
    for _, row in rows.iterrows():
        told.append(f"{row['method']} at {row['fraction']:g}: {scale.gain(row)}")
    title = "Gain over the fraction of the training data"
    return _plate(figure, "gain-fractions", title, caption, "; ".join(told))


def gains_of_tasks(findings: Findings) -> Iterator[Plate]:
    """For every method the gain of every task, on one axis for all."""
    tables = {}
    for method in findings.methods:
        gains = findings.gains(method)
        if method not in WAYS and len(gains):
            tables[method] = gains
    if not tables:
        return
    together = pd.concat(tables.values())
    limits = gain_figures.limits_of(together)
    scale = Scale.fitting(together["gain"], percent=findings.mixed)
    for number, (method, rows) in enumerate(tables.items()):
        is_few = len(rows) <= gain_figures.MOST_NAMED
        draw = gain_figures.gain_of_tasks if is_few else gain_figures.gain_of_many_tasks
        figure = draw(rows, limits=limits, scale=scale)
        words = _harm(rows, scale)
        spoken = f"Gain of each task with {method}. {words}"
        yield _plate(figure, f"gain-tasks-{number}", method, words, spoken)


def _harm(rows: pd.DataFrame, scale: Scale) -> str:
    """Which tasks are helped and hurt, in words."""
    if rows["ci_low"].isna().all():
        worse = rows[rows["gain"] < 0]
        return (
            f"{count(len(worse), 'task')} of {len(rows):,} did worse than apart; so few "
            "seeds cannot say whether by chance."
        )
    verdict = verdicts(rows)
    helped = int((verdict == "helped").sum())
    hurt = rows[verdict == "hurt"].sort_values("gain", kind="stable")
    told = f"Helps {helped:,} of {len(rows):,}."
    if hurt.empty:
        return f"{told} No task is shown to be hurt."
    named = []
    for task, gain in zip(hurt["task"], hurt["gain"], strict=True):
        named.append(f"{task} ({scale.signed(gain)})")
    return f"{told} Hurts {len(hurt):,}: {listed(named)}."


def learning_curves(findings: Findings) -> Iterator[Plate]:
    """Validation loss, and training loss, over the steps."""
    curves = findings.curves()
    caption = "One seed."
    if len(findings.seeds) > 1:
        caption = "The mean over the seeds, in a band of one standard deviation."
    losses = {"validation_loss": "Validation loss", "train_loss": "Training loss"}
    for column, title in losses.items():
        known = curves.dropna(subset=column)
        if known.empty:  # nothing was held out, or no method steps
            continue
        of_runs = known.groupby(["method", "seed"])[column].last()
        last = of_runs.groupby("method").mean()
        told = [f"{method} {value:.3g}" for method, value in last.items()]
        spoken = f"At the end: {', '.join(told)}"
        figure = figures.learning_curves(curves, findings.looks, column=column)
        yield _plate(
            figure,
            column.replace("_", "-"),
            title,
            caption,
            spoken,
        )


def sharing_by_layer(findings: Findings) -> Iterator[Plate]:
    """What each method adds to sharing strength ρ and to the likeness of the tasks' weights, by
    layer; a measure is drawn where the seeds show a difference from learning apart.
    """
    excess = excess_by_layer(findings)
    measures = (
        ("rho", "Sharing strength ρ beyond learning apart"),
        ("cosine", "Likeness of the tasks’ weights beyond learning apart"),
    )
    for measure, title in measures:
        rows = excess[excess["measure"] == measure]
        is_shown = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
        if not is_shown.any():
            continue
        caption = "Each run less independent learning of the same seed. Lines: 95 % intervals."
        hidden = rows["layer"].nunique() - figures.MOST_LAYERS
        if hidden > 0:
            caption += (
                f" The first {figures.MOST_LAYERS} layers; the table below has {hidden} more."
            )
        told = []
        for _, row in rows.iterrows():
            added = Scale(2).signed(row["excess"])
            told.append(f"{row['method']}, {row['layer']}: {added}")
        figure = figures.by_layer(rows, findings.looks)
        yield _plate(
            figure,
            measure,
            title,
            caption,
            "; ".join(told),
        )


def likeness(findings: Findings) -> Plate | None:
    """Which pairs of tasks the best method draws together more than others, beyond what a common
    start and the data alone do; None where the seeds show no such pair.
    """
    for method in findings.methods:
        similarity = findings.similarity(method)
        if method == BASELINE or similarity is None:
            continue
        if np.nanmin(similarity, initial=1.0) > NEARLY_ONE:  # all have the same weights
            continue
        excess = excess_of_pairs(findings, method)
        if excess is None or not excess.is_shown.any():
            continue
        order = figures.clustered(excess.values)
        names = [str(findings.tasks[number]["name"]) for number in order]
        ordered = excess.values[np.ix_(order, order)]
        words = shown_pairs(excess, [str(task["name"]) for task in findings.tasks])
        figure = figures.excess_matrix(ordered, names)
        title = f"Which tasks {method} draws together"
        return _plate(figure, "likeness", title, words, words)
    return None


def shown_pairs(excess: PairExcess, names: list[str]) -> str:
    """The pairs that are shown to be drawn together more, or less, than the mean pair."""
    scale = Scale(2)
    first, second = np.triu_indices(len(names), k=1)
    shown = excess.is_shown[first, second]
    pairs = []
    for i, j in zip(first[shown], second[shown], strict=True):
        value = float(excess.values[i, j])
        half = float(excess.half[i, j])
        added = scale.signed(value)
        interval = scale.interval(value - half, value + half)
        pairs.append((value, f"{names[i]} and {names[j]} ({added} {interval})"))
    pairs.sort(key=lambda pair: -pair[0])
    more = [told for value, told in pairs if value > 0]
    less = [told for value, told in reversed(pairs) if value < 0]
    parts = []
    if more:
        parts.append(f"Drawn together more than the mean pair: {listed(more, most=PAIRS)}.")
    if less:
        parts.append(f"Less: {listed(less, most=PAIRS)}.")
    return " ".join(parts)


def pairs_in_words(similarity: np.ndarray, names: list[str]) -> str:
    """The pairs of tasks that are most and least alike."""
    first, second = np.triu_indices(len(names), k=1)
    known = np.isfinite(similarity[first, second])
    pairs = []
    for i, j in zip(first[known], second[known], strict=True):
        pairs.append((float(similarity[i, j]), f"{names[i]} and {names[j]}"))
    pairs.sort(key=lambda pair: -pair[0])
    told = [f"{name} ({Scale(2).plain(value)})" for value, name in pairs]
    if len(told) < 2 * PAIRS:
        return f"Pairs from most to least alike: {'; '.join(told)}."
    most, least = told[:PAIRS], told[: -PAIRS - 1 : -1]
    return f"Most alike: {'; '.join(most)}. Least alike: {'; '.join(least)}."


def _plate(
    figure: Figure,
    name: str,
    title: str,
    caption: str,
    spoken: str,
) -> Plate:
    return Plate(title, svg(figure, name), caption, spoken)
