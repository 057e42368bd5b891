"""Which methods of a portfolio are learned in full, by what a rehearsal says of their time and use.

Where rows are many, or time is short, each method first learns some of the rows, which tells what
all of them would take and whether there is any hope:

    some rows ──► seconds, outputs held out ──► dropped, or fewer steps, or ──► all rows
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from softshare.methods.method import Learned, Method
from softshare.methods.network_method import NetworkMethod
from softshare.methods.plain_entries import mean_one_weights
from softshare.methods.settings import RunSettings
from softshare.shallow.common_weights import Goal
from softshare.shallow.trust import gain_and_error
from softshare.tasks.folds import folds
from softshare.tasks.task_set import TaskSet

ROWS = 2000
"""Rows of a rehearsal; of fewer than twice as many all are learned at once."""

STEPS = 20
"""Steps by which a network's time is told."""

FEWEST_STEPS = 100
"""A network that has time for fewer is left out."""

HOPELESS = 3.0
"""Standard errors that a method must be behind the pooled one on some of the rows to be dropped."""

ROOM = 1.15
"""How much longer than foretold a method may take."""


@dataclass
class Rehearsal:
    """Learns with the methods of a portfolio one after another, within a time.

    Args:
        train: all rows.
        settings: of the run.
        goal: by what methods are judged, and which of them is pooled.
        pooled: what the others must not be hopeless beside.
        apart: the method that tasks may keep to; like the pooled one it is always learned.
        minutes: the time there is, or None.
        left_out: name of a method that was not learned → why.
    """

    train: TaskSet
    settings: RunSettings
    goal: Goal
    pooled: Method
    apart: Method
    minutes: float | None = None
    left_out: dict[str, str] = field(default_factory=dict)

    def learned(self, portfolio: Sequence[Method]) -> dict[str, Learned]:
        """What the methods have learned that were not left out, by name."""
        begin = time.monotonic()
        some = self._some_rows()
        reference: Learned | None = None
        found: dict[str, Learned] = {}
        if some is not None:
            reference = self._learn(self.pooled, some, self.settings)
        for method in portfolio:
            if reason := method.too_many(len(self.train.rows)):
                self.left_out[method.name] = reason
                continue
            settings: RunSettings | None = self.settings
            if method not in (self.pooled, self.apart):
                left = None
                if self.minutes is not None:
                    left = 60 * self.minutes - (time.monotonic() - begin)
                settings = self._affordable(method, some, reference, left)
            if settings is not None:
                found[method.name] = self._learn(method, self.train, settings)
        return found

    def _some_rows(self) -> TaskSet | None:
        """A stratified part of the rows, or None where they are few."""
        n_parts = len(self.train.rows) // ROWS
        if n_parts < 2:
            return None
        return self.train.select(folds(self.train, n_parts, seed=self.settings.seed) == 0)

    def _affordable(
        self,
        method: Method,
        some: TaskSet | None,
        reference: Learned | None,
        left: float | None,
    ) -> RunSettings | None:
        """The settings to learn all rows with, or None: the method is left out."""
        begin = time.monotonic()
        settings = self.settings
        if left is not None and left <= 0:
            self.left_out[method.name] = "no time was left"
            return None
        if isinstance(method, NetworkMethod):
            return self._with_time(method, left)
        if some is None or reference is None:
            return settings
        learned = self._learn(method, some, settings)
        taken = time.monotonic() - begin
        if self._hopeless(learned, reference, some):
            self.left_out[method.name] = "far behind the pooled model on some of the rows"
            return None
        foretold = ROOM * taken * len(self.train.rows) / len(some.rows)
        if left is not None and foretold > left - taken:
            self.left_out[method.name] = f"it would take {foretold:.0f} s, longer than was left"
            return None
        return settings

    def _with_time(self, method: NetworkMethod, left: float | None) -> RunSettings | None:
        """As many steps as there is time for."""
        if left is None:
            return self.settings
        begin = time.monotonic()
        few = min(STEPS, self.settings.steps)
        self._learn(method, self.train, replace(self.settings, steps=few))
        taken = time.monotonic() - begin
        steps = int(few * (left - taken) / (ROOM * taken))
        if steps < min(FEWEST_STEPS, self.settings.steps):
            self.left_out[method.name] = f"there was time for {max(steps, 0)} steps alone"
            return None
        return replace(self.settings, steps=min(steps, self.settings.steps))

    def _hopeless(self, learned: Learned, reference: Learned, some: TaskSet) -> bool:
        gain, error = gain_and_error(
            _joint(learned, self.goal),
            _joint(reference, self.goal),
            some.targets.astype(np.float64),
            some.task_of,
            self.goal,
            counts=mean_one_weights(some),
        )
        return gain < -HOPELESS * error

    def _learn(self, method: Method, rows: TaskSet, settings: RunSettings) -> Learned:
        nothing = rows.select(np.empty(0, dtype=np.int64))
        own = replace(settings, method=method.name, method_options={})
        return method.learn(rows, nothing, own)


def _joint(learned: Learned, goal: Goal) -> np.ndarray:
    """Outputs on rows held out, ``(N,)``, of several classes ``(N, C)``."""
    if learned.out_of_fold is None:
        raise ValueError("auto: a method of the portfolio gives no outputs on rows held out")
    outputs = np.concatenate(list(learned.out_of_fold))
    return outputs if goal.kind == "multiclass" else outputs[:, 0]
