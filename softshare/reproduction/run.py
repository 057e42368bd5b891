"""One run of an experiment: a contestant on a case under a seed, from the data to a record."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from softshare.evaluation.jobs.run import versions
from softshare.evaluation.plan import default_budget
from softshare.methods.settings import RunSettings, checked_settings
from softshare.reproduction.described import digest_of
from softshare.reproduction.division import held_out, with_spare
from softshare.reproduction.experiment import Case, Contestant, Experiment, Search
from softshare.reproduction.measures import Judged
from softshare.reproduction.task_data import TaskData
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Run:
    """Which run it is.

    Args:
        case: name of the case.
        contestant: name of the contestant.
        candidate: name of its candidate.
        seed: of the division, the start and the order of the examples.
        is_trial: whether it only helps to choose a candidate: it never sees the test part.
        choice: of a reported run, how its candidate was chosen: candidate → score by search seed.
    """

    case: str
    contestant: str
    candidate: str
    seed: int
    is_trial: bool = False
    choice: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """Name of its record."""
        trial = f"-try-{self.candidate}" if self.is_trial else ""
        return f"{self.case}--{self.contestant}{trial}-s{self.seed}"


def settings_of(
    experiment: Experiment,
    run: Run,
) -> RunSettings:
    """What the engine of a comparison wants to know of a run."""
    budget = experiment.case(run.case).budget
    given = {
        "source": experiment.name,
        "method": run.contestant,
        "fraction": 1.0,
        "seed": run.seed,
        "steps": budget.steps,
        "batch_size": budget.batch_size,
        "learning_rate": budget.learning_rate,
    }
    return checked_settings({**given, **budget.settings})


def recipe_of(
    experiment: Experiment,
    run: Run,
) -> str:
    """A digest of all that determines a run but its seed, the choice among candidates included."""
    case, contestant = experiment.case(run.case), experiment.contestant(run.contestant)
    candidates: Any = contestant.candidates
    search: Any = experiment.search if len(candidates) > 1 else None
    if run.is_trial:
        candidates = candidates[run.candidate]
        search = (search.measure, search.spare or search.held_out)
    measures = {measure.name: measure.of for measure in experiment.measures}
    parts = (case.data, case.division, case.budget, candidates, search, measures)
    return digest_of(parts)


def make_run(
    experiment: Experiment,
    job: tuple[Run, RunSettings],
) -> dict[str, Any]:
    """Train and measure; the work of an engine's job.

    Returns:
        The record but for the claims that it serves. A run that diverges is a record too.
    """
    run, settings = job
    begin, cpu_begin = time.perf_counter(), time.process_time()
    case, contestant = experiment.case(run.case), experiment.contestant(run.contestant)
    parts = _parts(experiment, case, run)
    learned = None
    error = None
    try:
        settings = replace(settings, inputs=default_budget(parts.train)["inputs"])
        method = contestant.candidates[run.candidate]
        learned = method.learn(parts.train, parts.validation, settings)
    except FloatingPointError as diverged:
        error = str(diverged)
    measured: dict[str, Any] = {}
    if learned is not None:
        seen = Judged(learned, parts.train, parts.judged, learned.predict(parts.judged))
        measured = {each.name: each.of(seen) for each in _measures(experiment, run)}
    return {
        "key": run.key,
        "experiment": experiment.name,
        "case": run.case,
        "contestant": run.contestant,
        "candidate": run.candidate,
        "seed": run.seed,
        "is_trial": run.is_trial,
        "is_quick": experiment.is_quick,
        "is_made": case.data.is_made,
        "recipe": recipe_of(experiment, run),
        "steps": settings.steps,
        "data": {
            **_counted(parts, run),
            "train": _fingerprint(experiment, case, run, parts.train),
        },
        "measures": measured,
        "curve": [] if learned is None else list(learned.curve),
        "choice": dict(run.choice),
        "error": error,
        "versions": versions(),
        "seconds": round(time.perf_counter() - begin, 2),
        "cpu_seconds": round(time.process_time() - cpu_begin, 2),
    }


@dataclass(frozen=True, eq=False)
class _Parts:
    """The parts of a run as numbers.

    Args:
        train: what trains.
        validation: what training may look at.
        judged: what the result is measured on: of a trial never the test part.
    """

    train: TaskSet
    validation: TaskSet
    judged: TaskSet


def _parts(
    experiment: Experiment,
    case: Case,
    run: Run,
) -> _Parts:
    """The parts that a case's division draws, and of a trial those that its search makes of them.

    Spare examples judge a trial and do nothing else: the reported runs have no validation part
    either.
    """
    whole = _tasks(case.data.divided_as, run.seed)
    drawn = case.division(whole, run.seed)
    is_spare = False
    if run.is_trial:
        assert experiment.search is not None
        is_spare = experiment.search.spare > 0 and not len(drawn.validation)
        drawn = _of_trial(experiment.search, whole, drawn, run.seed)
    tasks = _tasks(case.data, run.seed)
    if not np.array_equal(tasks.offsets, whole.offsets):
        raise ValueError(f"{case.name}: a control needs the entries of its data")
    train, validation, test = prepare(tasks, drawn)
    looked_at = validation.select(np.empty(0, dtype=np.int64)) if is_spare else validation
    return _Parts(train, looked_at, judged=validation if run.is_trial else test)


def _of_trial(search: Search, whole: TaskSet, drawn: Split, seed: int) -> Split:
    """Parts without the test part, one of which a trial is judged on as validation part."""
    if len(drawn.validation):
        return replace(drawn, test=drawn.test[:0])
    if search.spare:
        return with_spare(whole, drawn, search.spare, seed)
    return held_out(whole, drawn, search.held_out, seed)


@lru_cache(maxsize=2)
def _tasks(
    data: TaskData,
    seed: int,
) -> TaskSet:
    """Tasks that the runs of one seed share; a worker process makes them for itself."""
    return data.tasks(seed)


def _measures(
    experiment: Experiment,
    run: Run,
) -> tuple[Any, ...]:
    if not run.is_trial:
        return experiment.measures
    assert experiment.search is not None
    return (experiment.measure(experiment.search.measure),)


def _counted(
    parts: _Parts,
    run: Run,
) -> dict[str, Any]:
    """How many examples each task has in each part: one number where all have the same."""
    named = {"train": parts.train, "validation": parts.validation, "test": parts.judged}
    if run.is_trial:
        named |= {"validation": parts.judged, "test": parts.judged.select(np.empty(0, dtype=int))}
    counts = {}
    for name, part in named.items():
        numbers = part.n_examples.tolist()
        alike = len(set(numbers)) == 1
        counts[name] = numbers[0] if alike else numbers
    return {"tasks": len(parts.train), "examples": counts}


_FINGERPRINTS: WeakKeyDictionary[TaskSet, dict[str, str]] = WeakKeyDictionary()
"""Tasks → of their training parts, by what divides them: thousands of images take seconds to
digest, and all contestants of a seed have the same.
"""


def _fingerprint(
    experiment: Experiment,
    case: Case,
    run: Run,
    train: TaskSet,
) -> str:
    """A digest of the training part, see :meth:`TaskSet.fingerprint`."""
    known = _FINGERPRINTS.setdefault(_tasks(case.data, run.seed), {})
    held = experiment.search.held_out if run.is_trial and experiment.search else None
    divided = digest_of((case.division, run.seed, run.is_trial, held))
    if divided not in known:
        known[divided] = train.fingerprint()
    return known[divided]


def trials_of(
    experiment: Experiment,
    case: Case,
    contestant: Contestant,
) -> list[Run]:
    """The runs that choose among a contestant's candidates in a case; none where there is one."""
    if experiment.search is None or len(contestant.candidates) == 1:
        return []
    return [
        Run(case.name, contestant.name, candidate, seed, is_trial=True)
        for seed in experiment.search.seeds
        for candidate in contestant.candidates
    ]
