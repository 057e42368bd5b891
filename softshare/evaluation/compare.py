"""Methods compared: every method at every training fraction for every seed, each run a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from softshare import evaluation
from softshare.evaluation.arguments import MethodsAsked
from softshare.evaluation.comparison import Comparison
from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.jobs.display import watching
from softshare.evaluation.jobs.engine import open_engine
from softshare.evaluation.jobs.machine import default_workers
from softshare.evaluation.jobs.progress import WatchedEngine, Watcher
from softshare.evaluation.jobs.run import run
from softshare.evaluation.plan import ComparisonPlan, make_plan
from softshare.evaluation.records.division import Splits
from softshare.evaluation.records.records import Record
from softshare.evaluation.records.store import Store
from softshare.evaluation.results_folder import claimed
from softshare.evaluation.select import FINAL_SEEDS, SEARCH_SEED, runs_of_search
from softshare.evaluation.summary_file import csv_of
from softshare.files import write_text
from softshare.methods.method import Method
from softshare.methods.options import GivenOptions, options_of_auto
from softshare.methods.settings import TUNED, RunSettings
from softshare.tasks.look import FILE as LOOK
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.weights import ClassWeight, TaskWeight

SUMMARY = "summary.csv"

SplitOfRun = Mapping[tuple[float, int], Split]
"""(training fraction, seed) → split."""


@dataclass(frozen=True)
class _Shared:
    """What all runs of a comparison need."""

    tasks: TaskSet
    splits: SplitOfRun
    methods: Mapping[str, Method]


def compare(
    tasks: TaskSet,
    *,
    source: str = "tasks",
    reading: Mapping[str, Any] | None = None,
    methods: MethodsAsked = None,
    fractions: Sequence[float] = (1.0,),
    seeds: int | Sequence[int] = 5,
    steps: int | None = None,
    batch_size: int | None = None,
    hidden: Sequence[int] | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    dropout: float | None = None,
    base: Literal["linear", "none"] | None = None,
    metric: str | None = None,
    class_weight: ClassWeight | None = None,
    task_weight: TaskWeight | None = None,
    search: int = 0,
    options: GivenOptions | None = None,
    preset: str | None = None,
    time_limit: float | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    cluster: str | Cluster | None = None,
    progress: Watcher | bool | None = None,
) -> Comparison:
    """Train several tasks apart and together, and say what was gained.

    All methods of one seed have the same split and the same total of steps. What is None has the
    default of :mod:`softshare.evaluation.jobs.run`.

    Args:
        tasks: the data.
        source: what they were read from, for the records.
        reading: the command line's options by which they were read, such as
            ``{"task": ["school"], "target": ["score"]}``, for the records: with them the report's
            command reads the same data again.
        methods: names of methods, :class:`~softshare.methods.method.Method` values of your own
            (of a module that worker processes can import), ``["all"]``, or None for those that run
            by default and apply; independent learning is always among them.
        fractions: fractions of the training part to train on.
        seeds: how many (0, 1, …), or which.
        steps: optimiser steps of a run in all.
        batch_size: examples of every task in a step.
        hidden: widths of the hidden layers.
        learning_rate: of Adam.
        weight_decay: by how many thousandths a step shrinks every weight.
        dropout: probability after each hidden layer.
        base: whether networks for vectors stand on a linear model, ``"linear"`` or ``"none"``.
        metric: to compare by, instead of each kind's own.
        class_weight: ``"balanced"`` lets every class of a task weigh the same in training; metrics
            count rows as they are.
        task_weight: ``"equal"`` lets every task weigh the same in training, ``"examples"`` as much
            as it has examples; None: as each method does, the former in networks, the latter in a
            model of all rows.
        search: trials on validation data by which settings are chosen for every method; 0: none.
        options: method → its option → value, such as ``{"tensor-ring": {"shared": "cv"}}``; a
            search leaves them as they are.
        preset: ``quick``, ``default`` or ``thorough``: the methods that ``auto`` weighs.
        time_limit: minutes that each run of ``auto`` may take.
        out: folder for records, splits and ``summary.csv``; runs that it holds are not run again.
            None keeps all in memory.
        workers: processes; None: one a CPU; 0: run in this process.
        cluster: a Dask cluster to use instead of processes here, or its scheduler's address.
        progress: is told of every run that ends; True shows it on the standard error, False
            nowhere; None: there where it is a terminal or a notebook.

    Raises:
        ValueError: arguments are wrong, the data cannot be split, or ``out`` holds records of other
            settings; the message names all that is wrong.
        Exception: what the first run raised, where all runs failed.
    """
    settings: dict[str, Any] = {
        "source": source,
        "steps": steps,
        "batch_size": batch_size,
        "hidden": hidden,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "dropout": dropout,
        "base": base,
        "metric": metric,
        "class_weight": class_weight,
        "task_weight": task_weight,
        "trials": search,
    }
    plan = make_plan(
        tasks,
        methods=methods,
        fractions=fractions,
        seeds=seeds,
        workers=workers,
        settings=settings,
        options=options_of_auto(options, preset=preset, time_limit=time_limit),
        cluster=cluster,
    )
    look = tasks.look()
    tasks = replace(tasks, notes=tuple(dict.fromkeys([*tasks.notes, *look.cautions])))
    folder = None if out is None else Path(out)
    drawn = Splits(tasks)
    with (
        claimed(folder),
        Store(folder, plan.of_methods(), drawn, reading=reading or {}) as store,
    ):
        failures = _make_missing(
            drawn, plan, store, workers=workers, cluster=cluster, progress=progress
        )
        if not store.records:
            raise next(iter(failures.values()))
        records = tuple(store.records[key] for key in sorted(store.records))
        comparison = Comparison(records, plan.left_out, failures)
        if store.out is not None:
            write_text(store.out / LOOK, look.to_json())
            write_text(store.out / SUMMARY, csv_of(comparison.summary))
    return comparison


def _make_missing(
    drawn: Splits,
    plan: ComparisonPlan,
    store: Store,
    *,
    workers: int | None,
    cluster: str | Cluster | None,
    progress: Watcher | bool | None,
) -> dict[str, BaseException]:
    """Make the runs that have no record yet, and tell which failed."""
    missing = {}
    for key, of_run in plan.runs().items():
        if key not in store.records:
            missing[key] = of_run
    if not missing:
        return {}
    with watching(progress) as watcher:
        return _run_all(
            drawn, plan, missing, store, workers=workers, cluster=cluster, progress=watcher
        )


def _run_all(
    drawn: Splits,
    plan: ComparisonPlan,
    missing: dict[str, RunSettings],
    store: Store,
    *,
    workers: int | None,
    cluster: str | Cluster | None,
    progress: Watcher | None,
) -> dict[str, BaseException]:
    """Make the missing runs, keep their records, and tell which failed."""
    trials = plan.common.trials
    starts = _one_of_each(missing.values()) if trials else []
    searching = []
    for start in starts:
        searching += [replace(start, seed=seed) for seed in (SEARCH_SEED, *FINAL_SEEDS)]
    splits = _splits(drawn, [*missing.values(), *searching])
    shared = _Shared(
        drawn.tasks,
        splits,
        {method.name: method for method in plan.methods},
    )
    total = len(missing) + runs_of_search(trials) * len(starts)
    workers = min(default_workers() if workers is None else workers, total)
    failures = {}
    with open_engine(_run_one, shared, workers=workers, cluster=cluster) as engine:
        watched = WatchedEngine(engine, total, progress)
        if trials:
            run_trials = partial(_trials, watched, store)
            tuned = evaluation.search.search_settings(plan.methods, starts, run_trials)
            for key, settings in missing.items():
                missing[key] = _tuned(settings, tuned[settings.method, settings.fraction])
            watched.expect(len(missing))  # there are fewer finalists where trials failed
        jobs = {key: store.unfinished.keeping(key, of_run) for key, of_run in missing.items()}
        for outcome in watched.outcomes(jobs):
            if outcome.error is None:
                store.add(missing[outcome.key], outcome.result)
            else:
                failures[outcome.key] = outcome.error
    return failures


def _run_one(shared: _Shared, settings: RunSettings) -> dict[str, Any]:
    split_of_run = shared.splits[settings.fraction, settings.seed]
    return run(
        shared.tasks,
        settings,
        split_of_run,
        shared.methods[settings.method],
    )


def _one_of_each(runs: Iterable[RunSettings]) -> list[RunSettings]:
    """The settings of one run of each method and fraction."""
    found = {(settings.method, settings.fraction): settings for settings in runs}
    return list(found.values())


def _trials(
    engine: WatchedEngine, store: Store, jobs: Mapping[str, RunSettings]
) -> Iterator[tuple[str, Record | None]]:
    """Records of trials: those that were made before, then those that had to be made."""
    to_make = {}
    for key, settings in jobs.items():
        record = store.trial(key, settings)
        if record is None:
            to_make[key] = store.unfinished.keeping(key, settings)
        else:
            yield key, record
    engine.skip(len(jobs) - len(to_make))
    for outcome in engine.outcomes(to_make):
        if outcome.error:
            yield outcome.key, None
            continue
        record = store.add_trial(outcome.key, jobs[outcome.key], outcome.result)
        yield outcome.key, record


def _splits(drawn: Splits, runs: Iterable[RunSettings]) -> SplitOfRun:
    wanted = dict.fromkeys((settings.fraction, settings.seed) for settings in runs)
    return {(fraction, seed): drawn.of(fraction, seed) for fraction, seed in wanted}


def _tuned(settings: RunSettings, best: RunSettings) -> RunSettings:
    return replace(settings, **{name: getattr(best, name) for name in TUNED})
