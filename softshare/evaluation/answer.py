"""The sentence that answers the question."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from softshare.evaluation.amounts import amount, where
from softshare.evaluation.apart import WAYS, chosen_ways, told
from softshare.evaluation.chance import no_better_than_chance
from softshare.evaluation.intervals import MOST_SEEDS, seeds_to_decide
from softshare.evaluation.statistics import (
    BASELINE,
    HELPED,
    HURT,
    estimates,
    gain_over,
    standings,
)

POOLED = "pooled-ridge"
"""One model for all tasks, each with an offset: what a person would do instead."""

_SEEDS = {1: "One seed shows", 2: "Two seeds show"}


def answer(records: Sequence[Mapping[str, Any]]) -> str:
    """The answer and what stands beside it (:func:`answer_in_parts`) as one text."""
    return " ".join(answer_in_parts(records))


def answer_in_parts(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """One sentence: whether learning together beats learning apart, by how much and with which
    method.

    It speaks of the largest training fraction, and of the method that stands first there in the
    report's table (:func:`softshare.evaluation.statistics.standings`). All intervals that it could
    have given hold at once with 95 % confidence. Where one pooled model with offsets was run, it
    tells the gain over that too, in a sentence of its own; so it does of which way to learn apart
    was the best.
    """
    finished = {record["settings"]["method"] for record in records if not record["error"]}
    if not finished & set(WAYS):
        return [f"No gain can be told: {BASELINE} learning has no finished run."]
    stands = standings(estimates(records))
    if stands.empty:
        return [
            "Nothing to compare: no other method has a finished run beside independent learning's."
        ]
    guesses = no_better_than_chance(records)
    if guesses is not None:
        best = f"the best of {guesses.n_methods}, " if guesses.n_methods > 1 else ""
        told_of_chance = (
            "No winner: no method is shown to predict better than chance; "
            f"{best}{guesses.method}, has a mean ROC-AUC of {guesses.area:.3f}, and guesses have "
            "0.5."
        )
        return [told_of_chance]
    largest = stands["fraction"].max()
    first = stands[stands["fraction"] == largest].iloc[0]
    return [_sentence(records, first), *_beside(records, first)]


def _sentence(records: Sequence[Mapping[str, Any]], first: pd.Series) -> str:
    """The sentence on the method that stands first."""
    if math.isnan(first["ci_low"]):
        return _direction(first)
    covered = _covered(records, first)
    if first["verdict"] == HELPED:
        told = f"{amount(first)} with {where(first)}"
        return f"Learning together beats learning apart by {told} ({covered})."
    if first["verdict"] == HURT:
        told = f"{_best(first)} loses {amount(first, sign=-1)} against learning apart"
        return f"Sharing hurts: {told} ({covered})."
    told = f"{_best(first)} {_change(first)}"
    return f"No difference shown: {told} ({covered}); {_more_seeds(first)}."


def _beside(records: Sequence[Mapping[str, Any]], row: pd.Series) -> list[str]:
    """Which way to learn apart that was, and the gain over one pooled model with offsets."""
    told_beside = []
    ways = {record["settings"]["method"] for record in records} & set(WAYS)
    if len(ways) > 1:
        way = told(chosen_ways(records), row["fraction"])
        told_beside.append(f"Apart is {way}, the best of {len(ways)} ways on rows held out.")
    over_pooled = gain_over(records, POOLED, row)
    if over_pooled is not None:
        change = _change(over_pooled, over=f"one pooled model with offsets ({POOLED})")
        told_beside.append(f"{row['method']} {change}.")
    return told_beside


def _direction(row: pd.Series) -> str:
    """The sentence where there is no interval."""
    n_seeds = int(row["n_pairs"])
    opening = _SEEDS.get(n_seeds, "Seeds that gave the same show")
    told = f"{where(row)} {_change(row)}"
    # without any scatter nothing says how many seeds would do
    has_scatter = n_seeds > 1 and row["variance"] > 0
    more = _more_seeds(row) if has_scatter else "five seeds tell more"
    return f"{opening} a direction, no more: {told}; {more}."


def _covered(records: Sequence[Mapping[str, Any]], row: pd.Series) -> str:
    """What the interval of a row covers."""
    n_seeds = int(row["n_pairs"])
    given = any(record["data"].get("test_part") == "given" for record in records)
    if row["rows_variance"] > 0:
        over = f"over the given test rows and {n_seeds} starts"
    elif given:
        over = f"over {n_seeds} starts alone: other test rows than the given may tell otherwise"
    else:
        over = f"over {n_seeds} splits and starts"
    compared = int(row["compared"])
    choice = f", adjusted for the choice among {compared}" if compared > 1 else ""
    return f"95 % interval {over}{choice}"


def _change(row: pd.Series, *, over: str = "learning apart") -> str:
    """``gains 3.1 points of ROC-AUC [1.2, 5.0] over learning apart``, or loses."""
    # a gain that is written as zero is none, whatever its sign
    written = amount(row).split(" ")[0]
    if row["gain"] < 0 and re.search("[1-9]", written):
        return f"loses {amount(row, sign=-1)} against {over}"
    return f"gains {amount(row)} over {over}"


def _more_seeds(row: pd.Series) -> str:
    """How many seeds would decide."""
    needed = seeds_to_decide(
        row["gain"],
        row["variance"],
        row["rows_variance"],
        level=row["level"],
    )
    if needed is not None:
        return f"if it stays so, about {needed:,} seeds in all would decide"
    if row["rows_variance"] > 0:
        return "no number of seeds would decide, more test rows might"
    return f"even {MOST_SEEDS:,} seeds would not decide a difference so small"


def _best(row: pd.Series) -> str:
    """The method, and of how many it is the best."""
    compared = int(row["compared"])
    if compared == 1:
        return where(row)
    return f"the best of {compared}, {where(row)},"
