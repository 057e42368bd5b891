"""Whether any method is shown to predict better than chance: where none is, none is a winner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from scipy import stats

from softshare.evaluation.intervals import MIN_SEEDS

GUESSING = 0.5
"""The ROC-AUC of guesses."""

SURELY = 0.05
"""A method that is better than guesses by this much predicts, whatever few seeds say."""

LEVEL = 0.975
"""Of the one-sided bounds that all hold at once."""


@dataclass(frozen=True)
class NoBetterThanChance:
    """The best of methods none of which is shown to predict.

    Attributes:
        method: the best.
        area: its mean ROC-AUC over tasks and seeds.
        n_methods: how many there are.
    """

    method: str
    area: float
    n_methods: int


def no_better_than_chance(records: Sequence[Mapping[str, Any]]) -> NoBetterThanChance | None:
    """The best method at the largest training fraction, where none is shown to beat guesses.

    A method beats them where the lower bound of its mean ROC-AUC over the seeds does (Student's t,
    adjusted for the number of methods), or its mean by ``SURELY``.

    Returns:
        None where a method predicts, where seeds are too few to tell, or where a task has not two
        classes.
    """
    areas = _areas(records)
    if not areas or max(map(len, areas.values())) < MIN_SEEDS:
        return None
    level = 1 - (1 - LEVEL) / len(areas)
    if any(_predicts(of_seeds, level) for of_seeds in areas.values()):
        return None
    means = {method: fmean(of_seeds) for method, of_seeds in areas.items()}
    best = max(means, key=means.__getitem__)
    return NoBetterThanChance(best, means[best], len(means))


def _areas(records: Sequence[Mapping[str, Any]]) -> dict[str, list[float]]:
    """Method → every seed's mean ROC-AUC over the tasks; none where tasks are of other kinds."""
    finished = [record for record in records if not record["error"]]
    kinds = {task["kind"] for record in finished for task in record["data"]["tasks"]}
    if kinds != {"binary"}:
        return {}
    largest = max(record["settings"]["fraction"] for record in finished)
    areas: defaultdict[str, list[float]] = defaultdict(list)
    for record in finished:
        if record["settings"]["fraction"] != largest:
            continue
        of_tasks = [task.get("roc_auc") for task in record["metrics"]["test"].values()]
        known = [area for area in of_tasks if area is not None]
        if known:
            areas[record["settings"]["method"]].append(fmean(known))
    return dict(areas)


def _predicts(areas: Sequence[float], level: float) -> bool:
    above = fmean(areas) - GUESSING
    if above >= SURELY or len(areas) < MIN_SEEDS:
        return above >= SURELY
    width = stats.t.ppf(level, len(areas) - 1) * stdev(areas) / len(areas) ** 0.5
    return bool(above > width)
