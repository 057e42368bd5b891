"""The results page: all claims and verdicts, then table by table what the records say."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from softshare.files import write_text
from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Experiment
from softshare.reproduction.found import (
    claims_of,
    experiments_folder,
    read_experiments,
    results_folder,
)
from softshare.reproduction.records import RECORDS, read_records
from softshare.reproduction.results import Results
from softshare.reproduction.survey import Judged, survey
from softshare.reproduction.tables import choices_of, markdown, table_of, verdicts_of
from softshare.reproduction.verdict import Verdict
from softshare.reproduction.written import files_of, notes_on

PAGE = Path("docs") / "results.md"

HEAD = """\
# The five papers' tables and figures, run again

<!-- made by `make results` from the records in experiments/: no table, verdict or figure is typed
in by hand; in what a protocol departs stands in the experiment's file -->

Every claim below was written down in [`experiments/claims.toml`](../experiments/claims.toml) before
its runs, and its verdict follows from the records alone, by the rules of [this page](reproduce.md).
Gains are paired over seeds: two runs of one seed have the same rows and the same total of steps,
and start from the same weights where these are of one form. Candidates are chosen on draws of their
own, on rows that neither train nor test in these. Where a set has no test part of its own (Omniglot
and Office-Caltech), a row that helped to choose may test in a reported draw: for all contestants
alike, and for all of them to their advantage.
"""


@dataclass(frozen=True)
class Shown:
    """An experiment as the page shows it.

    Args:
        results: its committed records.
        verdicts: on its claims.
    """

    results: Results
    verdicts: Mapping[Claim, Verdict]


def shown(experiment: Experiment) -> Shown:
    """What the committed records of an experiment say."""
    records = read_records(results_folder(experiment) / RECORDS)
    results = Results(experiment, records)
    verdicts = {claim: results.verdict(claim) for claim in claims_of(experiment)}
    return Shown(results, verdicts)


def all_files() -> dict[Path, str]:
    """Every file that is made of committed records → its content: tables, figures and the page."""
    all_shown = [shown(experiment) for experiment in read_experiments()]
    root = experiments_folder().parent
    files = {}
    for each in all_shown:
        if each.results.counted:
            folder = results_folder(each.results.experiment)
            for name, content in files_of(each.results, each.verdicts).items():
                files[folder / name] = content
    files[root / PAGE] = page_of(all_shown)
    return files


def write_all() -> list[Path]:
    """Make every table, figure and the page again, and tell which files there are."""
    files = all_files()
    for path, content in files.items():
        write_text(path, content)
    return list(files)


def page_of(all_shown: Sequence[Shown]) -> str:
    """The page."""
    parts = [HEAD, _summary(all_shown), _for_practitioners(all_shown)]
    with_records = [each for each in all_shown if each.results.counted]
    without = [each for each in all_shown if not each.results.counted]
    parts += [_section(each) for each in with_records]
    if without:
        parts.append(_not_run(without))
    return "\n".join(parts)


def _summary(all_shown: Sequence[Shown]) -> str:
    """All claims and verdicts."""
    rows = []
    for each in all_shown:
        for claim, verdict in each.verdicts.items():
            link = f"[{claim.experiment}](#{_anchor(claim.experiment)})"
            place = link if each.results.counted else claim.experiment
            rows.append([place, claim.text, f"**{verdict.told}**"])
    return "## All claims\n\n" + markdown(["experiment", "claim", "verdict"], rows)


def _for_practitioners(all_shown: Sequence[Shown]) -> str:
    """Which ideas survive, and where."""
    judged = []
    for each in all_shown:
        for claim, verdict in each.verdicts.items():
            judged.append(Judged(each.results.experiment, claim, verdict))
    return "## In short, for practitioners\n\n" + survey(judged)


def _section(each: Shown) -> str:
    """One experiment: table, verdicts, figures."""
    experiment = each.results.experiment
    root = experiments_folder().parent
    folder = os.path.relpath(results_folder(experiment), root / PAGE.parent)
    lines = [
        f"## {experiment.name}",
        "",
        f"{experiment.paper}, {experiment.place}. The paper: {experiment.shows}",
        "",
        f"`softshare reproduce {experiment.name}`, {experiment.minutes:g} minutes on two cores.",
        "",
        *notes_on(each.results),
        "Mean ± standard deviation over the seeds; in brackets the paper's number.",
        "",
        table_of(each.results),
    ]
    if each.verdicts:
        lines.append(verdicts_of(each.verdicts))
        lines += _deviations(each.verdicts)
    if choices := choices_of(each.results):
        lines.append(choices)
    for drawn in experiment.drawings:
        lines += [f"![{experiment.shows}]({Path(folder).as_posix()}/{drawn.name}.svg)", ""]
    return "\n".join(lines)


def _deviations(verdicts: Mapping[Claim, Verdict]) -> list[str]:
    """How tests depart from the paper, and what was not counted."""
    lines = []
    for claim, verdict in verdicts.items():
        notes = list(claim.deviations)
        if verdict.not_counted:
            notes.append(f"{verdict.not_counted} records serve another version of the claim.")
        if notes:
            lines.append(f"- {claim.text} {' '.join(notes)}")
    return [*lines, ""] if lines else []


def _not_run(without: Sequence[Shown]) -> str:
    """Experiments without records, with their commands and costs."""
    rows = []
    for each in without:
        experiment = each.results.experiment
        command = f"`softshare reproduce {experiment.name}`"
        place = f"{experiment.place}: {experiment.shows}"
        rows.append([command, place, f"{experiment.minutes:g}"])
    heads = ["command", "what it shows", "minutes on two cores"]
    return "## Without records\n\n" + markdown(heads, rows)


def _anchor(name: str) -> str:
    """Of a heading, as Markdown's readers make it."""
    return name.replace("/", "")
