"""Which records are of an experiment's own runs, as it is now or as another place has them too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from softshare.reproduction.described import digest_of
from softshare.reproduction.experiment import Case, Experiment
from softshare.reproduction.records import RECORDS, TRIALS, Record, read_records
from softshare.reproduction.run import Run, recipe_of
from softshare.tasks.arguments import ArgumentError


def current_records(experiment: Experiment, records: Sequence[Record]) -> list[Record]:
    """The records that are of runs of this very experiment: its data, divisions, budgets, methods
    and measures.
    """
    recipes: dict[Run, str | None] = {}
    current = []
    for record in records:
        run = _run_of(record, seed=0)  # the same of all seeds
        if run not in recipes:
            recipes[run] = recipe_of(experiment, run) if _has(experiment, run) else None
        same = record["experiment"] == experiment.name
        same = same and record["is_quick"] == experiment.is_quick
        if same and record["recipe"] == recipes[run]:
            current.append(record)
    return current


def runs_of_others(experiment: Experiment, out: Path) -> Iterator[tuple[Run, Record]]:
    """Runs that this experiment has in common with others, as these have made and measured them.

    Args:
        experiment: whose runs are wanted.
        out: its folder; the others' are beside it.

    Yields:
        A run, and its record as this experiment's; ``taken_from`` says whose it was.
    """
    names = {measure.name for measure in experiment.measures}
    for other in experiment.same_runs:
        folder = out.parent / other.name.split("/")[1]
        try:
            kept = [*read_records(folder / RECORDS), *read_records(folder / TRIALS)]
        except ArgumentError:  # damaged: whoever runs the other is told, and here they are made
            continue
        for record in current_records(other, kept):
            run = _run_of(record, seed=record["seed"])
            if record["is_quick"] != experiment.is_quick or not _in_common(experiment, other, run):
                continue
            measured = record["measures"].items()
            yield (
                run,
                {
                    **record,
                    "experiment": experiment.name,
                    "taken_from": other.name,
                    "recipe": recipe_of(experiment, run),
                    "measures": {name: value for name, value in measured if name in names},
                },
            )


def _in_common(experiment: Experiment, other: Experiment, run: Run) -> bool:
    """Whether both make the same of a run, and the other measures all that is wanted of it."""
    if not (_has(experiment, run) and _has(other, run)):
        return False
    wanted = {measure.name: digest_of(measure.of) for measure in experiment.measures}
    measured = {measure.name: digest_of(measure.of) for measure in other.measures}
    return wanted.items() <= measured.items() and _made(experiment, run) == _made(other, run)


def _made(experiment: Experiment, run: Run) -> str:
    """A digest of what determines a run's weights, the choice among candidates included."""
    case, contestant = experiment.case(run.case), experiment.contestant(run.contestant)
    cases = [case] if case.chosen_in is None else [case, experiment.case(case.chosen_in)]
    search = experiment.search if len(contestant.candidates) > 1 else None
    return digest_of((*map(_drawn, cases), contestant.candidates, search))


def _drawn(case: Case) -> tuple[object, ...]:
    return case.data, case.division, case.budget


def _run_of(record: Record, *, seed: int) -> Run:
    return Run(
        record["case"],
        record["contestant"],
        record["candidate"],
        seed=seed,
        is_trial=record["is_trial"],
        choice=record["choice"],
    )


def _has(experiment: Experiment, run: Run) -> bool:
    """Whether the experiment has a run's case, contestant and candidate."""
    cases = [case.name for case in experiment.cases]
    contestants = [each.name for each in experiment.contestants]
    if run.case not in cases or run.contestant not in contestants:
        return False
    return run.candidate in experiment.contestant(run.contestant).candidates
