"""The arguments of a comparison: what they may be, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from numbers import Integral, Real
from typing import Any

from softshare.evaluation.jobs.cluster import Cluster, cluster_at
from softshare.evaluation.statistics import BASELINE
from softshare.methods.method import Method
from softshare.methods.named import METHODS
from softshare.methods.options import GivenOptions, unknown, wrong_options
from softshare.methods.settings import checked_settings
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.metrics import names_of_task_metrics
from softshare.tasks.task_set import TaskSet

EVERY = "all"
"""Stands for every method that applies, in place of their names."""

MethodsAsked = str | Sequence[str | Method] | None
"""Names of methods and methods themselves; one name; ``"all"``; None for the default ones."""

_ARGUMENT_OF = {"trials": "search"}
"""Setting of a run → the argument of a comparison that gives it, where these differ."""


def wrong_arguments(
    *,
    methods: MethodsAsked,
    fractions: Sequence[float],
    seeds: int | Sequence[int],
    workers: int | None,
    settings: Mapping[str, Any],
    options: GivenOptions | None = None,
    cluster: str | Cluster | None = None,
) -> list[Problem]:
    """What is wrong with the arguments of a comparison, whatever the data.

    Raises:
        ArgumentError: some are of a kind that cannot be looked into, such as a number for a list.
    """
    of_wrong_type = _wrong_types(methods, fractions, seeds, options)
    if of_wrong_type:
        raise ArgumentError(*of_wrong_type)
    wrong = _wrong_methods(methods)
    wrong += wrong_options(options or {}, asked_methods(methods))
    wrong += _wrong_list("fractions", fractions)
    wrong += _wrong_list("seeds", numbers_of_seeds(seeds))
    first_seeds = numbers_of_seeds(seeds)[:1] or (0,)
    for fraction in list(fractions) or [1.0]:
        run = {"method": BASELINE, "fraction": fraction, "seed": first_seeds[0]}
        wrong += _wrong_settings({**settings, **run})
    if workers is not None and workers < 0:
        wrong.append(("workers", f"must be 0 (this process) or more, got {workers}"))
    if cluster is not None:
        wrong += cluster_at(cluster).wrong()
    metric = settings.get("metric")
    if metric is not None and metric not in names_of_task_metrics():
        wrong.append(("metric", unknown("metric", metric, names_of_task_metrics())))
    if settings.get("trials") and find_spec("optuna") is None:
        wrong.append(("search", "needs Optuna, install softshare[search]"))
    return wrong


def check_tasks(tasks: Any) -> None:
    """Refuse what is not a task set, with the way to make one.

    Raises:
        ArgumentError: it is a path, a table or anything else.
    """
    if isinstance(tasks, TaskSet):
        return
    remedy = "make one with softshare.read_table(table, task=..., target=...)"
    raise ArgumentError(("tasks", f"must be a TaskSet, got {_shown(tasks)}; {remedy}"))


def every_method(methods: MethodsAsked) -> bool:
    """Whether no method is named: those that apply are to run."""
    return methods is None or _listed(methods) == [EVERY]


def asked_methods(methods: MethodsAsked) -> tuple[Method, ...]:
    """The methods that are asked for, whether they apply or not; unknown names are left out."""
    if methods is None:
        return tuple(method for method in METHODS if method.default)
    if every_method(methods):
        return METHODS
    known = {method.name: method for method in METHODS}
    asked = []
    for method in _listed(methods):
        if isinstance(method, Method):
            asked.append(method)
        elif method in known:
            asked.append(known[method])
    return tuple(asked)


def numbers_of_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds themselves, where their number may have been given."""
    if isinstance(seeds, Integral):
        return tuple(range(int(seeds)))
    return tuple(seeds)  # type: ignore[arg-type]


def _wrong_types(
    methods: Any,
    fractions: Any,
    seeds: Any,
    options: Any,
) -> list[Problem]:
    """Arguments that cannot be looked into: a number for a list, a sharing for a method."""
    wrong: list[Problem] = []
    if not (methods is None or isinstance(methods, str) or _are(methods, str | Method)):
        known = ", ".join(method.name for method in METHODS)
        remedy = f"name them, such as methods=['tied'], or give Method values; the names: {known}"
        wrong.append(("methods", f"got {_shown(methods)}; {remedy}"))
    if not _are(fractions, Real):
        wanted = "must be a list of numbers such as [0.1, 1.0]"
        wrong.append(("fractions", f"{wanted}, got {_shown(fractions)}"))
    is_count = isinstance(seeds, Integral) and not isinstance(seeds, bool)
    if not (is_count or _are(seeds, Integral)):
        wanted = "must be how many, such as 5, or which, such as [0, 1, 2]"
        wrong.append(("seeds", f"{wanted}, got {_shown(seeds)}"))
    if not (options is None or _are_options(options)):
        wanted = "must be a mapping such as {'tucker': {'ranks': 0.5}}"
        wrong.append(("options", f"{wanted}, got {_shown(options)}"))
    return wrong


def _are(values: Any, kind: Any) -> bool:
    """Whether these are several values, each of one kind."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        return False
    if not hasattr(values, "__len__"):  # it would be used up by being looked at
        return False
    return all(isinstance(value, kind) for value in values)


def _are_options(options: Any) -> bool:
    if not isinstance(options, Mapping):
        return False
    return all(isinstance(of_method, Mapping) for of_method in options.values())


def _listed(methods: str | Sequence[str | Method]) -> list[str | Method]:
    """The methods that are asked for; a text is one name."""
    return [methods] if isinstance(methods, str) else list(methods)


def _wrong_methods(methods: MethodsAsked) -> list[Problem]:
    if methods is None or every_method(methods):
        return []
    known = {method.name: method for method in METHODS}
    wrong = []
    names = []
    for method in _listed(methods):
        name = method.name if isinstance(method, Method) else method
        names.append(name)
        if isinstance(method, Method) and known.get(name, method) != method:
            wrong.append(("methods", f"{name!r} names another method already, rename yours"))
        elif isinstance(method, str) and name not in known:
            wrong.append(("methods", unknown("method", name, list(known))))
    return wrong + _wrong_list("methods", names)


def _wrong_settings(values: Mapping[str, Any]) -> list[Problem]:
    try:
        checked_settings(values)
    except ArgumentError as error:
        return [(_ARGUMENT_OF.get(name, name), told) for name, told in error.problems]
    return []


def _wrong_list(name: str, values: Sequence[Any]) -> list[Problem]:
    if not len(values):
        return [(name, "at least one is needed")]
    repeated = [value for value, count in Counter(values).items() if count > 1]
    return [(name, f"{value!r} is named more than once") for value in repeated]


def _shown(value: Any) -> str:
    """A value in a message: a short one as it is, of another the kind."""
    shown = repr(value)
    is_short = len(shown) <= 60 and "\n" not in shown
    return shown if is_short else f"a {type(value).__name__}"
