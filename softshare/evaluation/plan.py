"""What a comparison runs: its arguments, checked together before anything starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from softshare.evaluation.arguments import (
    MethodsAsked,
    asked_methods,
    check_tasks,
    every_method,
    numbers_of_seeds,
    wrong_arguments,
)
from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.statistics import ALL, BASELINE
from softshare.methods.method import Method
from softshare.methods.named import method_named
from softshare.methods.options import GivenOptions
from softshare.methods.settings import BUDGETS, RunSettings, checked_settings
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.input_kinds import input_kind
from softshare.tasks.metrics import names_of_task_metrics, primary_metric
from softshare.tasks.task_set import FRACTIONS, Fractions, TaskSet


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
        settings = {}
        for method in self.methods:
            own = dict(self.options.get(method.name, {}))
            settings[method.name] = replace(
                self.common,
                method=method.name,
                method_options=own,
            )
        return settings

    def runs(self) -> dict[str, RunSettings]:
        """Key → settings of every run, seed by seed: what is finished when it is stopped early can
        be compared.
        """
        of_methods = self.of_methods().values()
        runs = {}
        for seed in self.seeds:
            for fraction in self.fractions:
                for settings in of_methods:
                    of_run = replace(settings, fraction=fraction, seed=seed)
                    runs[of_run.key] = of_run
        return runs


def make_plan(
    tasks: TaskSet,
    *,
    methods: MethodsAsked,
    fractions: Sequence[float],
    seeds: int | Sequence[int],
    workers: int | None,
    settings: Mapping[str, Any],
    options: GivenOptions | None = None,
    cluster: str | Cluster | None = None,
) -> ComparisonPlan:
    """Check the arguments of a comparison and make its plan.

    Args:
        tasks: the data.
        methods: names and :class:`~softshare.methods.method.Method` values, ``["all"]``, or None
            for those that run by default; independent learning, with which all others are
            compared, is added where it is missing.
        fractions: of the training part.
        seeds: how many (0, 1, …), or which.
        workers: processes, or None.
        settings: all other fields of :class:`RunSettings`.
        options: method → option → value, in place of defaults.
        cluster: to run on, or None.

    Raises:
        ValueError: arguments are wrong or do not suit the data; the message names them all.
    """
    check_tasks(tasks)
    wrong = wrong_arguments(
        methods=methods,
        fractions=fractions,
        seeds=seeds,
        workers=workers,
        settings=settings,
        options=options,
        cluster=cluster,
    )
    wrong += _unsuitable(tasks, methods, settings)
    if wrong:
        raise ArgumentError(*wrong)
    n_rows = int(len(tasks.rows) * fractions_of_parts(tasks)[0] * max(fractions))
    _refuse_too_many(methods, n_rows)
    chosen, left_out = _chosen(tasks, methods, settings, n_rows)
    numbers = numbers_of_seeds(seeds)
    given = {name: value for name, value in settings.items() if value is not None}
    first_run = {"method": BASELINE, "fraction": fractions[0], "seed": numbers[0]}
    common = checked_settings({**default_budget(tasks), **given, **first_run})
    return ComparisonPlan(
        methods=chosen,
        fractions=tuple(float(fraction) for fraction in fractions),
        seeds=numbers,
        common=common,
        left_out=left_out,
        options=options or {},
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


def _unsuitable(
    tasks: TaskSet, methods: MethodsAsked, settings: Mapping[str, Any]
) -> list[Problem]:
    """How the arguments do not suit the data."""
    wrong = _confusing_names(tasks)
    wrong += wrong_class_weight(tasks, settings.get("class_weight"))
    named = () if every_method(methods) else asked_methods(methods)
    for method in named:
        if reason := why_unsuitable(method, tasks, settings):
            refusal = f"{method.name} cannot apply to these tasks ({reason}), leave it out"
            wrong.append(("methods", refusal))
    metric = settings.get("metric")
    if metric not in names_of_task_metrics():
        return wrong  # none is asked for, or it is refused already
    for task in tasks.tasks:
        try:
            primary_metric(task, metric)
        except ArgumentError as error:
            return [*wrong, *error.problems]
    return wrong


def _confusing_names(tasks: TaskSet) -> list[Problem]:
    """Tasks that the records of a comparison cannot tell from others, which stand by their label
    there.
    """
    wrong: list[Problem] = []
    labels = Counter(task.label for task in tasks.tasks)
    if ALL in labels:
        meaning = "which stands for all tasks in the summary"
        wrong.append(("tasks", f"a task is named {ALL!r}, {meaning}: rename it"))
    for label, n_tasks in labels.items():
        if n_tasks > 1:
            meaning = "by which the summary tells tasks apart"
            wrong.append(("tasks", f"{n_tasks} tasks are called {label!r}, {meaning}: rename them"))
    return wrong


def why_unsuitable(method: Method, tasks: TaskSet, settings: Mapping[str, Any]) -> str | None:
    """Why a method cannot apply to these tasks, weighed as they are and as the settings of a run
    say, or None where it can.
    """
    if reason := method.unsuitable(tasks):
        return reason
    is_weighed = settings.get("class_weight") or settings.get("task_weight") == "equal"
    if (tasks.weights is None and not is_weighed) or method.takes_weights:
        return None
    return "it takes no weights: to it every row counts the same"


def wrong_class_weight(tasks: TaskSet, class_weight: Any) -> list[Problem]:
    """What is wrong with balancing these tasks' classes: that there are none."""
    if class_weight is None or any(task.kind != "regression" for task in tasks.tasks):
        return []
    told = "the tasks predict numbers and have no classes: leave it out, or weigh rows by a column"
    return [("class_weight", told)]


def _refuse_too_many(methods: MethodsAsked, n_rows: int) -> None:
    """Raise where a method that is named has too many rows to learn from."""
    if every_method(methods):
        return
    refused = _too_many(asked_methods(methods), n_rows)
    if refused:
        raise ArgumentError(*[("methods", f"{name}: {why}") for name, why in refused.items()])


def _chosen(
    tasks: TaskSet, methods: MethodsAsked, settings: Mapping[str, Any], n_rows: int
) -> tuple[tuple[Method, ...], dict[str, str]]:
    """The methods to run on so many training rows, and why others of the offered are left out."""
    asked = asked_methods(methods)
    if not every_method(methods):
        others = [method for method in asked if method.name != BASELINE]
        return (method_named(BASELINE), *others), {}
    left_out = _too_many(asked, n_rows)
    for method in asked:
        if reason := why_unsuitable(method, tasks, settings):
            left_out[method.name] = reason
    chosen = [method for method in asked if method.name not in left_out]
    return tuple(chosen), left_out


def _too_many(asked: Sequence[Method], n_rows: int) -> dict[str, str]:
    """Name of a method that has too many rows to learn from → the reason."""
    reasons = {method.name: method.too_many(n_rows) for method in asked}
    return {name: reason for name, reason in reasons.items() if reason}
