"""A search among the settings of every method, by Optuna.

Loaded when something is searched for: nothing else needs Optuna.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from heapq import nlargest
from statistics import fmean
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from softshare.evaluation.records.records import Record
from softshare.evaluation.select import FINAL_SEEDS, FINALISTS, SEARCH_SEED, score
from softshare.methods.method import Method, Range
from softshare.methods.network_method import COMMON_SEARCH_SPACE
from softshare.methods.settings import LEARNING_RATE, WEIGHT_DECAY, RunSettings
from softshare.tasks.arguments import ArgumentError

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

    def __init__(
        self,
        method: Method,
        settings: RunSettings,
    ) -> None:
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
        # the first trials are drawn at random: before some are known there is nothing to model
        n_random = max(AT_A_TIME, settings.trials // 3)
        sampler = optuna.samplers.TPESampler(seed=SEARCH_SEED, n_startup_trials=n_random)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._study.enqueue_trial({name: defaults[name] for name in self._space})
        self._left = settings.trials
        self._finals_left = settings.trials > 1
        self._asked: dict[str, int] = {}
        self._scores: dict[int, list[float | None]] = defaultdict(list)

    def ask(self) -> dict[str, RunSettings]:
        """The next trials, by key, the finalists' last; none when all have been made."""
        finals = self._finals_left and not self._left
        numbers = self._finalists() if finals else self._next()
        seeds = FINAL_SEEDS if finals else (SEARCH_SEED,)
        run = self.settings.key.removesuffix(f"-s{SEARCH_SEED}")
        self._asked = {}
        jobs: dict[str, RunSettings] = {}
        for number in numbers:
            settings = self._with(self._study.trials[number].params)
            for seed in seeds:
                key = f"{run}-trial{number}"
                if finals:  # once more, on another split
                    key = f"{key}-s{seed}"
                jobs[key] = replace(settings, seed=seed)
                self._asked[key] = number
        return jobs

    def tell(self, records: Mapping[str, Record | None]) -> None:
        """What became of the trials asked for last."""
        for key, number in self._asked.items():
            value = score(records.get(key))
            if not self._scores[number]:  # a final is no new trial
                state = TrialState.FAIL if value is None else None
                self._study.tell(number, value, state=state)
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
        best = max(values, key=values.__getitem__)
        return self._with(self._study.trials[best].params)

    def _next(self) -> list[int]:
        """Trials to make now."""
        numbers = []
        for _ in range(min(AT_A_TIME, self._left)):
            trial = self._study.ask(self._space)
            numbers.append(trial.number)
        self._left -= len(numbers)
        return numbers

    def _finalists(self) -> list[int]:
        """The best trials, which are made again."""
        self._finals_left = False
        values = self._values()
        return nlargest(FINALISTS, values, key=values.__getitem__)

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
    # round after round, the trials of all methods side by side
    while jobs := _asked_of(searches):
        records = dict(run_trials(jobs))
        for each in searches:
            each.tell(records)
    best = {}
    for each in searches:
        best[each.settings.method, each.settings.fraction] = each.best()
    return best


def _asked_of(searches: Iterable[Search]) -> dict[str, RunSettings]:
    """The next trials of several searches, by key."""
    jobs: dict[str, RunSettings] = {}
    for each in searches:
        jobs |= each.ask()
    return jobs


def _distribution(space: Range) -> BaseDistribution:
    if len(space) != 3 or space[2] not in ("log", "linear", "int"):
        return CategoricalDistribution(space)
    low, high, scale = space
    if scale == "int":
        return IntDistribution(int(low), int(high))
    return FloatDistribution(low, high, log=scale == "log")
