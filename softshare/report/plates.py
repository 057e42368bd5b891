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

from softshare.evaluation.statistics import BASELINE
from softshare.report import figures, gain_figures
from softshare.report.findings import Findings
from softshare.report.style import svg
from softshare.report.words import Scale, count, listed

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
    rows = findings.board[(findings.board["fraction"] == findings.fraction)].dropna(subset="gain")
    if rows.empty:
        return None
    figure = gain_figures.gain_of_methods(rows, findings.looks, scale=findings.scale)
    spoken = "; ".join(f"{row['method']}: {findings.scale.gain(row)}" for _, row in rows.iterrows())
    return _plate(
        figure,
        "gain-methods",
        "Gain of each method",
        "Dots: the mean over tasks and seeds. Lines: 95 % intervals.",
        spoken,
    )


def gains_over_fractions(findings: Findings) -> Plate | None:
    """Every method's gain over the share of the training data, where several were run."""
    rows = findings.board.dropna(subset="gain")
    if len(findings.fractions) < 2 or rows.empty:
        return None
    figure = gain_figures.gain_over_fractions(rows, findings.looks, scale=findings.scale)
    caption = (
        "The mean gain over all tasks; bands: 95 % intervals. Sharing usually matters most "
        "where labels are few."
    )
    spoken = "; ".join(
        f"{row['method']} at {row['fraction']:g}: {findings.scale.gain(row)}"
        for _, row in rows.iterrows()
    )
    return _plate(
        figure, "gain-fractions", "Gain over the share of the training data", caption, spoken
    )


def gains_of_tasks(findings: Findings) -> Iterator[Plate]:
    """For every method the gain of every task, on one axis for all."""
    tables = {method: findings.gains(method) for method in findings.methods if method != BASELINE}
    tables = {method: rows for method, rows in tables.items() if len(rows)}
    if not tables:
        return
    together = pd.concat(tables.values())
    limits = gain_figures.limits_of(together)
    scale = Scale.fitting(together["gain"], percent=findings.mixed)
    for number, (method, rows) in enumerate(tables.items()):
        draw = (
            gain_figures.gain_of_tasks
            if len(rows) <= gain_figures.MOST_NAMED
            else gain_figures.gain_of_many_tasks
        )
        words = _harm(rows, scale)
        yield _plate(
            draw(rows, limits=limits, scale=scale),
            f"gain-tasks-{number}",
            method,
            words,
            f"Gain of each task with {method}. {words}",
        )


def _harm(rows: pd.DataFrame, scale: Scale) -> str:
    """Which tasks are helped and hurt, in words."""
    if rows["ci_low"].isna().all():
        worse = rows[rows["gain"] < 0]
        return (
            f"{count(len(worse), 'task')} of {len(rows):,} did worse than apart; one seed "
            "cannot say whether by chance."
        )
    verdict = gain_figures.verdicts(rows)
    helped, hurt = (
        int((verdict == "helped").sum()),
        rows[verdict == "hurt"].sort_values("gain", kind="stable"),
    )
    told = f"Helps {helped:,} of {len(rows):,}. "
    if hurt.empty:
        return told + "No task is shown to be hurt."
    named = [
        f"{task} ({scale.signed(gain)})"
        for task, gain in zip(hurt["task"], hurt["gain"], strict=True)
    ]
    return told + f"Hurts {len(hurt):,}: {listed(named)}."


def learning_curves(findings: Findings) -> Iterator[Plate]:
    """Validation loss, and training loss, over the steps."""
    curves = findings.curves()
    bands = (
        "The mean over the seeds, in a band of one standard deviation."
        if len(findings.seeds) > 1
        else "One seed."
    )
    for column, title in (("validation_loss", "Validation loss"), ("train_loss", "Training loss")):
        if curves[column].notna().any():
            last = (
                curves.dropna(subset=column)
                .groupby(["method", "seed"])[column]
                .last()
                .groupby("method")
                .mean()
            )
            spoken = "At the end: " + ", ".join(
                f"{method} {value:.3g}" for method, value in last.items()
            )
            figure = figures.learning_curves(curves, findings.looks, column=column)
            yield _plate(figure, column.replace("_", "-"), title, bands, spoken)


def sharing_by_layer(findings: Findings) -> Iterator[Plate]:
    """Sharing strength ρ above its floor, and the cosine of the tasks' weights, by layer and
    method.
    """
    layers = findings.layers()
    measures = (
        (
            "rho",
            "Sharing strength ρ",
            "rho_floor",
            "Ticks: the floor, ρ of tasks with nothing in common. Random weights lie above "
            "it: compare with independent learning.",
        ),
        (
            "cosine",
            "Likeness of the tasks’ weights",
            None,
            "Mean cosine over all pairs of tasks. 1: all have the same weights; 0: nothing "
            "in common.",
        ),
    )
    for column, title, floor, caption in measures:
        if column in layers and layers[column].notna().any():
            hidden = layers["layer"].nunique() - figures.MOST_LAYERS
            caption += (
                f" The first {figures.MOST_LAYERS} layers; the table below has {hidden} more."
                if hidden > 0
                else ""
            )
            spoken = "; ".join(
                f"{row.method}, {row.layer}: {getattr(row, column):.2f}"
                for row in layers.dropna(subset=column).itertuples()
            )
            yield _plate(
                figures.by_layer(layers, findings.looks, column=column, floor=floor),
                column,
                title,
                caption,
                spoken,
            )


def likeness(findings: Findings) -> Plate | None:
    """The task-similarity matrix of the best method whose tasks neither have all the same weights
    nor none recorded.
    """
    for method in [method for method in findings.methods if method != BASELINE]:
        similarity = findings.similarity(method)
        if similarity is None or np.nanmin(similarity, initial=1.0) > NEARLY_ONE:
            continue
        order = figures.clustered(similarity)
        names = [str(findings.tasks[number]["name"]) for number in order]
        ordered = similarity[np.ix_(order, order)]
        words = pairs_in_words(ordered, names)
        return _plate(
            figures.similarity_matrix(ordered, names),
            "likeness",
            f"Likeness of the tasks with {method}",
            words,
            words,
        )
    return None


def pairs_in_words(similarity: np.ndarray, names: list[str]) -> str:
    """The pairs of tasks that are most and least alike."""
    first, second = np.triu_indices(len(names), k=1)
    known = np.isfinite(similarity[first, second])
    pairs = [
        (float(similarity[i, j]), f"{names[i]} and {names[j]}")
        for i, j in zip(first[known], second[known], strict=True)
    ]
    pairs.sort(key=lambda pair: -pair[0])
    told = [f"{name} ({Scale(2).plain(value)})" for value, name in pairs]
    if len(told) < 2 * PAIRS:
        return f"Pairs from most to least alike: {'; '.join(told)}."
    return (
        f"Most alike: {'; '.join(told[:PAIRS])}. Least alike: {'; '.join(reversed(told[-PAIRS:]))}."
    )


def _plate(figure: Figure, name: str, title: str, caption: str, spoken: str) -> Plate:
    return Plate(title, svg(figure, name), caption, spoken)
