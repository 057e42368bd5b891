"""An experiment's missing runs, made by the engine of a comparison and kept in its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.jobs.display import watching
from softshare.evaluation.jobs.engine import open_engine
from softshare.evaluation.jobs.machine import default_workers
from softshare.evaluation.jobs.progress import WatchedEngine, Watcher
from softshare.evaluation.records.unfinished import UnfinishedRuns
from softshare.evaluation.results_folder import claimed
from softshare.files import remove_unfinished
from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Case, Contestant, Experiment
from softshare.reproduction.records import RECORDS, TRIALS, Record, read_records, write_record
from softshare.reproduction.results import mean_of
from softshare.reproduction.run import Run, make_run, settings_of, trials_of
from softshare.reproduction.same_runs import current_records, runs_of_others
from softshare.tasks.arguments import ArgumentError

MOST_NAMED = 3
"""Records that a message names."""


@dataclass
class Kept:
    """The records in an experiment's folder.

    Args:
        out: the folder.
        experiment: whose runs they are.
        claims: all claims of the experiment.

    Raises:
        ArgumentError: records are damaged, or of another version of the experiment.
    """

    out: Path
    experiment: Experiment
    claims: Sequence[Claim]
    records: dict[str, Record] = field(init=False)
    trials: dict[str, Record] = field(init=False)

    def __post_init__(self) -> None:
        remove_unfinished(self.out / name for name in ("", RECORDS, TRIALS))
        self.records = {record["key"]: record for record in read_records(self.out / RECORDS)}
        self.trials = {record["key"]: record for record in read_records(self.out / TRIALS)}
        self.unfinished = UnfinishedRuns(self.out)
        kept = [*self.records.values(), *self.trials.values()]
        _require_same_version(self.experiment, self.out, kept)

    def has(
        self,
        run: Run,
    ) -> bool:
        """Whether a run need not be made."""
        return run.key in (self.trials if run.is_trial else self.records)

    def add(
        self,
        run: Run,
        result: Mapping[str, Any],
    ) -> None:
        """Keep what a run gave, with the digests of the claims that it serves."""
        served: dict[str, str] = {}
        if not (run.is_trial or self.experiment.is_quick):
            for claim in self.claims:
                if claim.serves(run.case, run.contestant):
                    served[claim.id] = claim.digest
        record = {**result, "claims": served}
        folder, records = (TRIALS, self.trials) if run.is_trial else (RECORDS, self.records)
        write_record(self.out / folder, record)
        records[run.key] = dict(record)
        self.unfinished.end(run.key)


def run_missing(
    experiment: Experiment,
    out: Path,
    *,
    claims: Sequence[Claim] = (),
    seeds: int | None = None,
    cases: Sequence[str] = (),
    workers: int | None = None,
    cluster: str | Cluster | None = None,
    progress: Watcher | bool | None = None,
) -> dict[str, BaseException]:
    """Make the runs of an experiment that its folder has no record of, seed by seed.

    Args:
        experiment: what to run.
        out: its folder.
        claims: those of the experiment.
        seeds: of the cases with the most; others have their own number at most. None: as many as
            the experiment says.
        cases: names of the cases to run; all when empty.
        workers: processes; None: one a CPU; 0: this process.
        cluster: a Dask cluster to use instead, or its address.
        progress: as in :func:`softshare.compare`.

    Returns:
        Key of a run that failed → what it raised.

    Raises:
        ArgumentError: something is wrong with the arguments or with the folder.
    """
    chosen = _chosen_cases(experiment, cases, seeds)
    with claimed(out):
        kept = Kept(out, experiment, claims)
        wanted = _runs(experiment, chosen)
        _take_over(kept, [*wanted, *_trials(experiment, wanted)])
        missing = [run for run in wanted if not kept.has(run)]
        if not missing:
            return {}
        _require_data(experiment, {run.case for run in missing})
        failures: dict[str, BaseException] = {}
        trials = _trials(experiment, missing)
        to_try = [run for run in trials if not kept.has(run)]
        total = len(to_try) + len(missing)
        workers = min(default_workers() if workers is None else workers, total)
        with (
            open_engine(make_run, experiment, workers=workers, cluster=cluster) as engine,
            watching(progress) as watcher,
        ):
            watched = WatchedEngine(engine, total, watcher)
            failures |= _make(watched, kept, to_try)
            failures |= _make(watched, kept, [_decided(kept, run) for run in missing])
        kept.unfinished.close()
    return failures


def _take_over(
    kept: Kept,
    wanted: Sequence[Run],
) -> None:
    """Keep what other places of the paper have made of the runs that are wanted."""
    keys = {run.key for run in wanted}
    for run, record in runs_of_others(kept.experiment, kept.out):
        if run.key in keys and not kept.has(run):
            kept.add(run, record)


def _make(
    engine: WatchedEngine,
    kept: Kept,
    runs: Iterable[Run],
) -> dict[str, BaseException]:
    """Make runs and keep what they gave."""
    of_key = {run.key: run for run in runs}
    jobs = {}
    for key, run in of_key.items():
        settings = kept.unfinished.keeping(key, settings_of(kept.experiment, run))
        jobs[key] = (run, settings)
    failures = {}
    for outcome in engine.outcomes(jobs):
        if outcome.error is None:
            kept.add(of_key[outcome.key], outcome.result)
        else:
            failures[outcome.key] = outcome.error
    return failures


def _chosen_cases(
    experiment: Experiment,
    names: Sequence[str],
    seeds: int | None,
) -> list[Case]:
    """The cases to run, with their numbers of seeds."""
    known = [case.name for case in experiment.cases]
    for name in names:
        if name not in known:
            told = f"there is no case {name!r}; choose from {', '.join(known)}"
            raise ArgumentError(("cases", told))
    if seeds is not None and seeds < 1:
        raise ArgumentError(("seeds", f"must be at least 1, got {seeds}"))
    most = max(case.seeds for case in experiment.cases)
    chosen = []
    for case in experiment.cases:
        if names and case.name not in names:
            continue
        if seeds is not None:
            own = seeds if case.seeds == most else min(case.seeds, seeds)
            case = replace(case, seeds=own)
        chosen.append(case)
    return chosen


def _runs(
    experiment: Experiment,
    cases: Sequence[Case],
) -> list[Run]:
    """All reported runs, seed by seed: what is finished when it is stopped early are pairs."""
    runs = []
    for seed in range(max(case.seeds for case in cases)):
        for case in cases:
            if seed >= case.seeds:
                continue
            for contestant in experiment.those_of(case):
                only = next(iter(contestant.candidates))
                runs.append(Run(case.name, contestant.name, only, seed))
    return runs


def _trials(
    experiment: Experiment,
    missing: Sequence[Run],
) -> list[Run]:
    """The trials by which the candidates of the missing runs are chosen, each once."""
    trials: dict[str, Run] = {}
    for run in missing:
        case, contestant = _searched(experiment, run)
        for trial in trials_of(experiment, case, contestant):
            trials.setdefault(trial.key, trial)
    return list(trials.values())


def _searched(
    experiment: Experiment,
    run: Run,
) -> tuple[Case, Contestant]:
    """The case whose search serves a run, and its contestant."""
    case = experiment.case(run.case)
    if case.chosen_in is not None:
        case = experiment.case(case.chosen_in)
    return case, experiment.contestant(run.contestant)


def _decided(
    kept: Kept,
    run: Run,
) -> Run:
    """A run with the candidate that its trials have chosen, and all their scores.

    Raises:
        ArgumentError: no candidate has a score under every search seed.
    """
    experiment = kept.experiment
    case, contestant = _searched(experiment, run)
    trials = trials_of(experiment, case, contestant)
    if not trials:
        return run
    assert experiment.search is not None
    measure = experiment.search.measure
    scores: dict[str, list[float | None]] = {name: [] for name in contestant.candidates}
    for trial in trials:
        record = kept.trials.get(trial.key, {"measures": {}})
        scores[trial.candidate].append(record["measures"].get(measure))
    means = {}
    for name, values in scores.items():
        mean = mean_of(values)
        if mean is not None:
            means[name] = mean
    if not means:
        told = f"every candidate of {contestant.name} failed in case {case.name}"
        raise ArgumentError(("search", told))
    lower = experiment.measure(measure).better == "lower"
    best = (min if lower else max)(means, key=means.__getitem__)
    choice = {"measure": measure, "case": case.name, "scores": scores}
    return replace(run, candidate=best, choice=choice)


def _require_data(
    experiment: Experiment,
    cases: set[str],
) -> None:
    """Refuse to start where a case's files are missing and nothing stands in for them."""
    missing: set[str] = set()
    for name in sorted(cases):
        data = experiment.case(name).data
        if not data.is_made:
            missing |= set(data.missing)
    if missing:
        names = ", ".join(sorted(missing))
        remedy = "`softshare data get` downloads what has a public home"
        told = f"{experiment.name} needs {names}, not found in the data folder; {remedy}"
        raise ArgumentError(("data", told))


def _require_same_version(
    experiment: Experiment,
    out: Path,
    records: Sequence[Record],
) -> None:
    """Refuse to mix runs of an experiment that has changed since, or quick runs with others."""
    current = {record["key"] for record in current_records(experiment, records)}
    others = [record["key"] for record in records if record["key"] not in current]
    if others:
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        named = f"{', '.join(others[:MOST_NAMED])}{more}"
        remedy = "delete them to run them again, or choose another folder"
        told = f"{out} holds records of another version of {experiment.name}: {named}; {remedy}"
        raise ArgumentError(("out", told))
