"""Keeping the model of a comparison's run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from softshare.evaluation.apart import chosen_ways
from softshare.evaluation.jobs.run import measure
from softshare.evaluation.records.division import Splits
from softshare.evaluation.statistics import estimates, standings
from softshare.methods.method import Method
from softshare.methods.named import METHODS
from softshare.methods.settings import checked_settings
from softshare.models.learning import learn_run
from softshare.models.model import Model
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task_set import TaskSet

BEST = "best"
"""In place of a method: the one that did best."""


def keep(
    records: Sequence[Mapping[str, Any]],
    tasks: TaskSet,
    method: str = BEST,
    *,
    methods: Sequence[Method] = (),
) -> Model:
    """The model of a comparison's run: of its first seed, at its largest training fraction.

    A record tells all that determines a run but the data, so the run is made once more, and what it
    learns is kept; its figures are then the record's own.

    Args:
        records: of the comparison (:attr:`softshare.evaluation.comparison.Comparison.records`).
        tasks: what was compared.
        method: name of the method; ``"best"``: the one that stands first, or the best way to learn
            apart where none beats it.
        methods: of one's own that were compared.

    Raises:
        ValueError: the comparison has no finished run of this method, or is of other data.
    """
    name = best_method(records) if method == BEST else method
    finished = [record for record in records if not record["error"]]
    of_method = [record for record in finished if record["settings"]["method"] == name]
    if not of_method:
        known = sorted({record["settings"]["method"] for record in finished})
        raise ArgumentError(("keep", f"no finished run of {name!r}, only of {', '.join(known)}"))
    record = min(of_method, key=_order)
    if record["data"]["fingerprint"] != tasks.fingerprint():
        raise ValueError("tasks: the comparison was made of other data")
    named = {each.name: each for each in (*METHODS, *methods)}
    settings = checked_settings(record["settings"])
    split = Splits(tasks).of(settings.fraction, settings.seed)
    model, test = learn_run(tasks, named[name], settings, split)
    found = measure(test, model.learned.predict(test))[0]
    if not _are_near(found, record["metrics"]["test"]):
        raise ValueError(
            f"the run {record['key']} cannot be made again as it was: other versions of libraries, "
            f"or another machine, than {record['versions']}"
        )
    return model


def best_method(records: Sequence[Mapping[str, Any]]) -> str:
    """The method that stands first at the largest training fraction, or the best way to learn apart
    where it gains nothing over that.
    """
    stands = standings(estimates(records))
    largest = max(record["settings"]["fraction"] for record in records)
    here = stands[stands["fraction"] == largest]
    if len(here) and here.iloc[0]["gain"] > 0:
        return str(here.iloc[0]["method"])
    ways = {run: way for run, way in chosen_ways(records).items() if run[0] == largest}
    return ways[min(ways)]


def _order(record: Mapping[str, Any]) -> tuple[float, int]:
    settings = record["settings"]
    return -settings["fraction"], settings["seed"]


def _are_near(found: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Whether metrics of tasks are the same, but for the rounding of other processors."""
    for task, metrics in told.items():
        for name, value in metrics.items():
            other = found.get(task, {}).get(name)
            if (value is None) != (other is None):
                return False
            if value is not None and not math.isclose(value, other, rel_tol=1e-4, abs_tol=1e-6):
                return False
    return True
