"""What ``softshare reproduce`` does: lists experiments, runs one, makes the results page."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from softshare.cli.app import SOME_FAILED, complain
from softshare.cli.compare import Told
from softshare.cli.results import RESULTS
from softshare.cli.telling import tell_json
from softshare.report.listing import console_on, show_line
from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Experiment
from softshare.reproduction.found import (
    claims_of,
    read_experiment,
    read_experiments,
    results_folder,
)
from softshare.reproduction.page import shown, write_all
from softshare.reproduction.records import RECORDS, plain, read_records
from softshare.reproduction.results import Results
from softshare.reproduction.running import run_missing
from softshare.reproduction.tables import table_of
from softshare.reproduction.verdict import Verdict
from softshare.reproduction.written import files_of, notes_on, write_files
from softshare.tasks.arguments import ArgumentError

Verdicts = Mapping[Claim, Verdict]


def run(
    name: str | None,
    *,
    list_all: bool,
    page: bool,
    quick: bool,
    seeds: int | None,
    cases: Sequence[str],
    out: Path | None,
    workers: int | None,
    cluster: str | None,
    told: Told,
) -> int:
    """See :func:`softshare.cli.reproduce.reproduce`.

    Raises:
        ArgumentError: nothing is named, there is no such experiment, or its folder has other runs.
    """
    if list_all:
        return _list(told)
    if page:
        return _write_page(told)
    if name is None:
        raise ArgumentError(
            ("name", "name an experiment, such as dmtrl/table-2, or ask for --list")
        )
    experiment = read_experiment(name, quick=quick)
    claims = () if quick else claims_of(experiment)
    if out is None:
        out = RESULTS / "quick" / name if quick else results_folder(experiment)
    failures = run_missing(
        experiment,
        out,
        claims=claims,
        seeds=seeds,
        cases=cases,
        workers=0 if quick and workers is None else workers,
        cluster=cluster,
        progress=not (told.quiet or told.json),
    )
    results = Results(experiment, read_records(out / RECORDS))
    verdicts = {claim: results.verdict(claim) for claim in claims}
    write_files(out, files_of(results, verdicts))
    if told.json:
        tell_json(_as_json(results, verdicts, out))
    elif not told.quiet:
        _tell(results, verdicts, out)
    for key, error in failures.items():
        complain(f"{key} failed: {type(error).__name__}: {error}")
    return SOME_FAILED if failures else 0


def _tell(results: Results, verdicts: Verdicts, out: Path) -> None:
    console = console_on(sys.stdout)
    lines = [*notes_on(results), *table_of(results).splitlines(), ""]
    lines += [f"{claim.id}: {claim.text} {verdict.told}" for claim, verdict in verdicts.items()]
    lines += ["", f"table, figures and records: {out}"]
    for line in lines:
        show_line(console, line)


def _list(told: Told) -> int:
    rows = [_row(experiment) for experiment in read_experiments()]
    if told.json:
        tell_json({"experiments": rows})
        return 0
    console = console_on(sys.stdout)
    for row in rows:
        data = ", ".join(row["data"]) or "none"
        if row["missing"]:
            data += f" (missing: {', '.join(row['missing'])})"
        show_line(console, f"{row['name']}: {row['shows']}")
        numbers = f"{row['minutes']:g} minutes on two cores, {row['protocol']} protocol"
        show_line(console, f"    {numbers}; data: {data}; {row['records']} records")
        for claim, verdict in row["verdicts"].items():
            show_line(console, f"    {claim}: {verdict}")
    return 0


def _row(experiment: Experiment) -> dict[str, Any]:
    """What a list says of an experiment."""
    found = shown(experiment)
    verdicts = {claim.text: verdict.told for claim, verdict in found.verdicts.items()}
    needs = dict.fromkeys(name for case in experiment.cases for name in case.data.needs)
    missing = dict.fromkeys(name for case in experiment.cases for name in case.data.missing)
    return {
        "name": experiment.name,
        "place": f"{experiment.paper}, {experiment.place}",
        "shows": experiment.shows,
        "minutes": experiment.minutes,
        "protocol": experiment.protocol,
        "data": list(needs),
        "missing": list(missing),
        "records": len(found.results.counted),
        "verdicts": verdicts,
    }


def _write_page(told: Told) -> int:
    written = write_all()
    if told.json:
        tell_json({"files": [str(path) for path in written]})
    elif not told.quiet:
        console = console_on(sys.stdout)
        for path in written:
            show_line(console, str(path))
    return 0


def _as_json(results: Results, verdicts: Verdicts, out: Path) -> dict[str, Any]:
    rows = []
    for case in results.cases():
        for each in results.contestants(case):
            for record in results.of(case.name, each.name).values():
                row = {name: record[name] for name in ("case", "contestant", "seed", "measures")}
                rows.append(row)
    told = {claim.id: verdict.told for claim, verdict in verdicts.items()}
    content: dict[str, Any] = plain({"runs": rows, "verdicts": told, "out": str(out)})
    return content
