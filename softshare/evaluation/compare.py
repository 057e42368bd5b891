"""Methods compared: every method at every training fraction for every seed, each run a record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from softshare.evaluation.comparison import Comparison
from softshare.evaluation.jobs.display import watching
from softshare.evaluation.jobs.engine import default_workers, open_engine
from softshare.evaluation.jobs.progress import WatchedEngine, Watcher
from softshare.evaluation.jobs.run import run
from softshare.evaluation.plan import ComparisonPlan, fractions_of_parts, make_plan
from softshare.evaluation.records.records import Record, write_text
from softshare.evaluation.records.store import Store
from softshare.evaluation.select import FINAL_SEEDS, SEARCH_SEED, runs_of_search, search_settings
from softshare.methods.options import GivenOptions
from softshare.methods.settings import TUNED, RunSettings
from softshare.tasks.splits import Split, split
from softshare.tasks.task_set import TaskSet

SUMMARY = "summary.csv"

SplitOfRun = Mapping[tuple[float, int], Split]
"""(training fraction, seed) → split."""


def compare(
    tasks: TaskSet,
    *,
    source: str = "tasks",
    reading: Mapping[str, Any] | None = None,
    methods: Sequence[str] | None = None,
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
    search: int = 0,
    options: GivenOptions | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
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
        methods: names of methods, ``["all"]``, or None for those that run by default and apply;
            independent learning is always among them.
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
        search: trials on validation data by which settings are chosen for every method; 0: none.
        options: method → its option → value, such as ``{"tensor-ring": {"shared": "cv"}}``; a
            search leaves them as they are.
        out: folder for records, splits and ``summary.csv``; runs that it holds are not run again.
            None keeps all in memory.
        workers: processes; None: one a CPU; 0: run in this process.
        cluster: address of a Dask scheduler to use instead of processes here.
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
        "metric": metric,
    }
    settings |= {
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "dropout": dropout,
        "base": base,
        "trials": search,
    }
    plan = make_plan(
        tasks,
        methods=methods,
        fractions=fractions,
        seeds=seeds,
        workers=workers,
        settings=settings,
        options=options,
    )
    folder = None if out is None else Path(out)
    store = Store(folder, plan.of_methods(), tasks, reading=reading or {})
    missing = {
        key: run_settings for key, run_settings in plan.runs().items() if key not in store.records
    }
    failures: dict[str, BaseException] = {}
    if missing:
        with watching(progress) as watcher:
            failures = _run_all(
                tasks, plan, missing, store, workers=workers, cluster=cluster, progress=watcher
            )
    if not store.records:
        raise next(iter(failures.values()))
    comparison = Comparison(
        tuple(record for _, record in sorted(store.records.items())), plan.left_out, failures
    )
    if store.out is not None:
        write_text(store.out / SUMMARY, comparison.summary.to_csv(index=False))
    return comparison


def _run_all(
    tasks: TaskSet,
    plan: ComparisonPlan,
    missing: Mapping[str, RunSettings],
    store: Store,
    *,
    workers: int | None,
    cluster: str | None,
    progress: Watcher | None,
) -> dict[str, BaseException]:
    """Make the missing runs, keep their records, and tell which failed."""
    trials = plan.common.trials
    starts = (
        list(
            {
                (settings.method, settings.fraction): settings for settings in missing.values()
            }.values()
        )
        if trials
        else []
    )
    searching = [
        replace(start, seed=seed) for start in starts for seed in (SEARCH_SEED, *FINAL_SEEDS)
    ]
    splits = _splits(tasks, [*missing.values(), *searching])
    total = len(missing) + runs_of_search(trials) * len(starts)
    failures = {}
    workers = min(default_workers() if workers is None else workers, total)
    with open_engine(_run_one, (tasks, splits), workers=workers, cluster=cluster) as engine:
        watched = WatchedEngine(engine, total, progress)
        if trials:
            tuned = search_settings(plan.methods, starts, partial(_trials, watched, store, splits))
            missing = {
                key: _tuned(settings, tuned[settings.method, settings.fraction])
                for key, settings in missing.items()
            }
            watched.expect(len(missing))  # there are fewer finalists where trials failed
        for outcome in watched.outcomes(missing):
            if outcome.error is None:
                settings = missing[outcome.key]
                store.add(settings, outcome.result, splits[settings.fraction, settings.seed])
            else:
                failures[outcome.key] = outcome.error
    return failures


def _run_one(shared: tuple[TaskSet, SplitOfRun], settings: RunSettings) -> dict[str, Any]:
    tasks, splits = shared
    return run(tasks, settings, splits[settings.fraction, settings.seed])


def _trials(
    engine: WatchedEngine, store: Store, splits: SplitOfRun, jobs: Mapping[str, RunSettings]
) -> Iterator[tuple[str, Record | None]]:
    """Records of trials: those that were made before, then those that had to be made."""
    kept = {key: record for key, settings in jobs.items() if (record := store.trial(key, settings))}
    yield from kept.items()
    engine.skip(len(kept))
    for outcome in engine.outcomes(
        {key: settings for key, settings in jobs.items() if key not in kept}
    ):
        settings = jobs[outcome.key]
        split_of_trial = splits[settings.fraction, settings.seed]
        yield (
            outcome.key,
            None if outcome.error else store.add_trial(outcome.key, outcome.result, split_of_trial),
        )


def _splits(tasks: TaskSet, runs: Iterable[RunSettings]) -> SplitOfRun:
    wanted = dict.fromkeys((settings.fraction, settings.seed) for settings in runs)
    parts = fractions_of_parts(tasks)
    return {
        (fraction, seed): split(tasks, seed=seed, fractions=parts, train_fraction=fraction)
        for fraction, seed in wanted
    }


def _tuned(settings: RunSettings, best: RunSettings) -> RunSettings:
    return replace(settings, **{name: getattr(best, name) for name in TUNED})
