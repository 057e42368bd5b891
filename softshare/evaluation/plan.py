"""What a comparison runs: its arguments, checked together before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

from softshare.evaluation.statistics import ALL, BASELINE
from softshare.methods.method import Method
from softshare.methods.named import METHODS, method_named
from softshare.methods.options import GivenOptions, unknown, wrong_options
from softshare.methods.settings import BUDGETS, RunSettings, checked_settings
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.input_kinds import input_kind
from softshare.tasks.metrics import names_of_task_metrics, primary_metric
from softshare.tasks.task_set import FRACTIONS, Fractions, TaskSet

EVERY = "all"
"""Stands for every method that applies, in place of their names."""


@dataclass(frozen=True)
class ComparisonPlan:
    """The runs of a comparison.

    Args:
        methods: to compare, the baseline first.
        fractions: of the training part.
        seeds: of splits and starts.
        common: settings of all runs; its method, fraction and seed are those of the first.
        left_out: methods that are not among them → why.
        options: method → the options given for it.
    """

    methods: tuple[Method, ...]
    fractions: tuple[float, ...]
    seeds: tuple[int, ...]
    common: RunSettings
    left_out: Mapping[str, str] = field(default_factory=dict)
    options: GivenOptions = field(default_factory=dict)

    def of_methods(self) -> dict[str, RunSettings]:
        """Method → settings of its first run."""
        return {
            method.name: replace(
                self.common,
                method=method.name,
                method_options=dict(self.options.get(method.name, {})),
            )
            for method in self.methods
        }

    def runs(self) -> dict[str, RunSettings]:
        """Key → settings of every run, seed by seed: what is finished when it is stopped early can
        be compared.
        """
        runs = [
            replace(settings, fraction=fraction, seed=seed)
            for seed in self.seeds
            for fraction in self.fractions
            for settings in self.of_methods().values()
        ]
        return {settings.key: settings for settings in runs}


def make_plan(
    tasks: TaskSet,
    *,
    methods: Sequence[str] | None,
    fractions: Sequence[float],
    seeds: int | Sequence[int],
    workers: int | None,
    settings: Mapping[str, Any],
    options: GivenOptions | None = None,
) -> ComparisonPlan:
    """Check the arguments of a comparison and make its plan.

    Args:
        tasks: the data.
        methods: names, ``["all"]``, or None for those that run by default; independent learning,
            with which all others are compared, is added where it is missing.
        fractions: of the training part.
        seeds: how many (0, 1, …), or which.
        workers: processes, or None.
        settings: all other fields of :class:`RunSettings`.
        options: method → option → value, in place of defaults.

    Raises:
        ValueError: arguments are wrong or do not suit the data; the message names them all.
    """
    wrong = wrong_arguments(
        methods=methods,
        fractions=fractions,
        seeds=seeds,
        workers=workers,
        settings=settings,
        options=options,
    )
    wrong += _unsuitable(tasks, methods, settings.get("metric"))
    if wrong:
        raise ArgumentError(*wrong)
    chosen, left_out = _chosen(tasks, methods)
    numbers = _seeds(seeds)
    given = {name: value for name, value in settings.items() if value is not None}
    common = checked_settings(
        {
            **default_budget(tasks),
            **given,
            "method": BASELINE,
            "fraction": fractions[0],
            "seed": numbers[0],
        }
    )
    return ComparisonPlan(
        chosen,
        tuple(float(fraction) for fraction in fractions),
        numbers,
        common,
        left_out,
        options or {},
    )


def default_budget(tasks: TaskSet) -> dict[str, Any]:
    """Steps and batch size for these tasks: fewer, the dearer a step of their inputs is.

    The dearest kind of their inputs is among them, by which the other defaults go.
    """
    kinds = {input_kind(tasks.input_shape(number)) for number in range(len(tasks))}
    dearest = [kind for kind in BUDGETS if kind in kinds][-1]
    return {"inputs": dearest, **BUDGETS[dearest]}


def fractions_of_parts(tasks: TaskSet) -> Fractions:
    """Which fractions of the examples train, validate and test.

    With vectors no row is spent on choosing alone: what is to be chosen is cross-fitted within the
    training part. On images that would cost as many times the steps as there are folds.
    """
    kinds = {input_kind(tasks.input_shape(number)) for number in range(len(tasks))}
    if kinds != {"vector"}:
        return FRACTIONS
    train, validation, test = FRACTIONS
    return train + validation, 0.0, test


def wrong_arguments(
    *,
    methods: Sequence[str] | None,
    fractions: Sequence[float],
    seeds: int | Sequence[int],
    workers: int | None,
    settings: Mapping[str, Any],
    options: GivenOptions | None = None,
) -> list[Problem]:
    """What is wrong with the arguments of a comparison, whatever the data."""
    wrong = _wrong_methods(methods) + wrong_options(options or {}, _names(methods))
    wrong += _wrong_list("fractions", fractions) + _wrong_list("seeds", _seeds(seeds))
    for fraction in fractions or (1.0,):
        for seed in _seeds(seeds)[:1] or (0,):
            try:
                checked_settings(
                    {**settings, "method": BASELINE, "fraction": fraction, "seed": seed}
                )
            except ArgumentError as error:
                wrong += error.problems
    if workers is not None and workers < 0:
        wrong.append(("workers", f"must be 0 (this process) or more, got {workers}"))
    metric = settings.get("metric")
    if metric is not None and metric not in names_of_task_metrics():
        wrong.append(("metric", unknown("metric", metric, names_of_task_metrics())))
    if settings.get("trials") and find_spec("optuna") is None:
        wrong.append(("search", "needs Optuna, install softshare[search]"))
    return wrong


def _wrong_methods(names: Sequence[str] | None) -> list[Problem]:
    if names is None or list(names) == [EVERY]:
        return []
    known = [method.name for method in METHODS]
    strange = [name for name in names if name not in known]
    unknown_names = [("methods", unknown("method", name, known)) for name in strange]
    return unknown_names + _wrong_list("methods", names)


def _names(names: Sequence[str] | None) -> list[str]:
    """The methods that are asked for, whether they apply or not."""
    if names is not None and list(names) != [EVERY]:
        return list(names)
    return [method.name for method in METHODS if names is not None or method.default]


def _wrong_list(name: str, values: Sequence[Any]) -> list[Problem]:
    if not len(values):
        return [(name, "at least one is needed")]
    repeated = [value for value, count in Counter(values).items() if count > 1]
    return [(name, f"{value!r} is named more than once") for value in repeated]


def _unsuitable(tasks: TaskSet, names: Sequence[str] | None, metric: str | None) -> list[Problem]:
    """How the arguments do not suit the data."""
    wrong: list[Problem] = []
    if any(task.label == ALL for task in tasks.tasks):
        meaning = "which stands for all tasks in the summary"
        wrong.append(("tasks", f"a task is named {ALL!r}, {meaning}: rename it"))
    named = [] if names is None else [method for method in METHODS if method.name in names]
    reasons = {method.name: method.unsuitable(tasks) for method in named}
    for name, reason in reasons.items():
        if reason:
            refusal = f"{name} cannot apply to these tasks ({reason}), leave it out"
            wrong.append(("methods", refusal))
    for task in tasks.tasks if metric in names_of_task_metrics() else ():
        try:
            primary_metric(task, metric)
        except ArgumentError as error:
            return [*wrong, *error.problems]
    return wrong


def _chosen(
    tasks: TaskSet, names: Sequence[str] | None
) -> tuple[tuple[Method, ...], dict[str, str]]:
    """The methods to run, and why others of the offered ones are left out."""
    if names is not None and list(names) != [EVERY]:
        others = [method_named(name) for name in names if name != BASELINE]
        return (method_named(BASELINE), *others), {}
    reasons = {name: method_named(name).unsuitable(tasks) for name in _names(names)}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    return tuple(method_named(name) for name in reasons if name not in left_out), left_out


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    return tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
