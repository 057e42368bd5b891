"""The choice of settings on validation data: the same number of trials for every method.

Every method is tried on one split and start, those of :data:`SEARCH_SEED`, and its best trials once
more on others: on one alone the best of many trials is the luckiest. None of these seeds is among
the reported ones. Trials are judged by their split's validation part; its test part is never looked
at. The splits are drawn from one data set, so a row that validates here may test under a reported
seed. That favours no method: all have the same trials, the baseline included.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from heapq import nlargest
from statistics import fmean
from typing import TYPE_CHECKING, Any

from softshare.evaluation.records.records import Record
from softshare.methods.method import Method, Range
from softshare.methods.network_method import COMMON_SEARCH_SPACE
from softshare.methods.settings import LEARNING_RATE, WEIGHT_DECAY, RunSettings
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.metrics import metric_named

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

SEARCH_SEED = 1_000_003
"""Seed of the trials' split and start."""

FINALISTS = 3
FINAL_SEEDS = (SEARCH_SEED + 1, SEARCH_SEED + 2)
"""So many of the best trials run again with these seeds, and the best mean wins."""

AT_A_TIME = 4
"""Trials of a method that run side by side before the next are chosen; fixed, so that a search does
not depend on the machine.
"""

Trials = Callable[[Mapping[str, RunSettings]], Iterable[tuple[str, Record | None]]]
"""Runs trials by key → their records; None where one failed."""


class Search:
    """The trials of one method at one training fraction, the method's defaults first.

    Args:
        method: what is tuned.
        settings: of the run; what they set already is not searched for.
    """

    def __init__(self, method: Method, settings: RunSettings) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.settings = replace(settings, method=method.name, seed=SEARCH_SEED)
        defaults = {
            "learning_rate": LEARNING_RATE,
            "weight_decay": WEIGHT_DECAY[settings.inputs],
            **method.options,
        }
        spaces = {}
        for name, space in COMMON_SEARCH_SPACE.items():
            if getattr(settings, name) is None:  # what is given is not searched for
                spaces[name] = space
        for name, space in method.search_space.items():
            if name not in settings.method_options:
                spaces[name] = space
        self._space = {name: _distribution(space) for name, space in spaces.items()}
        sampler = optuna.samplers.TPESampler(
            seed=SEARCH_SEED, n_startup_trials=max(AT_A_TIME, settings.trials // 3)
        )
        self._study: Study = optuna.create_study(direction="maximize", sampler=sampler)
        self._study.enqueue_trial({name: defaults[name] for name in self._space})
        self._left = settings.trials
        self._finals_left = settings.trials > 1
        self._asked: dict[str, int] = {}
        self._scores: dict[int, list[float | None]] = defaultdict(list)

    def ask(self) -> dict[str, RunSettings]:
        """The next trials, by key, the finalists' last; none when all have been made."""
        finals = not self._left and self._finals_left
        if finals:
            self._finals_left = False
            numbers = nlargest(FINALISTS, self._values(), key=self._values().__getitem__)
        else:
            numbers = [
                self._study.ask(self._space).number for _ in range(min(AT_A_TIME, self._left))
            ]
            self._left -= len(numbers)
        run = self.settings.key.removesuffix(f"-s{SEARCH_SEED}")
        self._asked = {}
        jobs: dict[str, RunSettings] = {}
        for number in numbers:
            settings = self._with(self._study.trials[number].params)
            for seed in FINAL_SEEDS if finals else (SEARCH_SEED,):
                key = f"{run}-trial{number}"
                if finals:  # once more, on another split
                    key = f"{key}-s{seed}"
                jobs[key] = replace(settings, seed=seed)
                self._asked[key] = number
        return jobs

    def tell(self, records: Mapping[str, Record | None]) -> None:
        """What became of the trials asked for last."""
        from optuna.trial import TrialState

        for key, number in self._asked.items():
            value = score(records.get(key))
            if not self._scores[number]:
                self._study.tell(number, value, state=TrialState.FAIL if value is None else None)
            self._scores[number].append(value)

    def best(self) -> RunSettings:
        """The settings of the best trial.

        Raises:
            ValueError: no trial gave a value.
        """
        values = self._values()
        if not values:
            what = f"every trial of {self.settings.method} diverged or failed"
            raise ArgumentError(("search", f"{what}; set learning_rate, or do not search"))
        return self._with(self._study.trials[max(values, key=values.__getitem__)].params)

    def _values(self) -> dict[int, float]:
        """Trial → its mean score, of those that were made most often and always gave one."""
        most = max(map(len, self._scores.values()), default=0)
        means = {}
        for number, values in self._scores.items():
            scores = [value for value in values if value is not None]
            if len(scores) == most:
                means[number] = fmean(scores)
        return means

    def _with(self, parameters: Mapping[str, Any]) -> RunSettings:
        common: dict[str, Any] = {}
        options = dict(self.settings.method_options)
        for name, value in parameters.items():
            of = common if name in COMMON_SEARCH_SPACE else options
            of[name] = value
        searched = tuple(sorted(parameters))
        return replace(self.settings, **common, method_options=options, searched=searched)


def runs_of_search(trials: int) -> int:
    """Runs that a search makes for every method and fraction, the finalists' included."""
    return trials + (min(FINALISTS, trials) * len(FINAL_SEEDS) if trials > 1 else 0)


def search_settings(
    methods: Iterable[Method], starts: Iterable[RunSettings], run_trials: Trials
) -> dict[tuple[str, float], RunSettings]:
    """The best settings for every method and fraction.

    Args:
        methods: those compared.
        starts: settings of any run of each method and fraction.
        run_trials: runs trials and gives their records.

    Raises:
        ValueError: no trial of a method gave a value.
    """
    named = {method.name: method for method in methods}
    searches = [Search(named[settings.method], settings) for settings in starts]
    while jobs := {key: settings for each in searches for key, settings in each.ask().items()}:
        records = dict(run_trials(jobs))
        for each in searches:
            each.tell(records)
    return {(each.settings.method, each.settings.fraction): each.best() for each in searches}


def score(record: Record | None) -> float | None:
    """How good a trial is on validation data: the tasks' mean metric, signed so that more is
    better.

    Where the tasks differ in metric, or none can be computed, minus their mean loss. None for a run
    without values.
    """
    measured = {} if record is None else record["metrics"].get("validation")
    if record is None or not measured:
        return None
    metrics, of_tasks = set(), []
    for task in record["data"]["tasks"]:
        metrics.add(task["metric"])
        if task["name"] in measured:
            of_tasks.append(measured[task["name"]][task["metric"]])
    values = _known(of_tasks)
    if len(metrics) == 1 and values:
        return metric_named(metrics.pop()).sign * fmean(values)
    losses = _known(row["loss"] for row in measured.values())
    return -fmean(losses) if losses else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None and math.isfinite(value)]


def _distribution(space: Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if len(space) == 3 and space[2] in ("log", "linear", "int"):
        low, high, scale = space
        return (
            IntDistribution(int(low), int(high))
            if scale == "int"
            else FloatDistribution(low, high, log=scale == "log")
        )
    return CategoricalDistribution(space)
