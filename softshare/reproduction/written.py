"""What is made of an experiment's records: table, figures and verdicts, as text and as files."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from softshare.files import write_text
from softshare.report.style import drawing
from softshare.reproduction.claims import Claim
from softshare.reproduction.results import Results
from softshare.reproduction.tables import choices_of, csv_of, table_of, verdicts_of
from softshare.reproduction.verdict import Verdict

TABLE, CSV = "table.md", "table.csv"


def files_of(
    results: Results,
    verdicts: Mapping[Claim, Verdict],
) -> dict[str, str]:
    """Name of a file → its content: the table twice, and every figure."""
    experiment = results.experiment
    told = [f"# {experiment.name}: {experiment.shows}", "", *notes_on(results), table_of(results)]
    if verdicts:
        told.append(verdicts_of(verdicts))
    if choices := choices_of(results):
        told.append(choices)
    files = {TABLE: "\n".join(told), CSV: csv_of(results)}
    for each in experiment.drawings:
        with drawing():
            files[f"{each.name}.svg"] = svg_of(each.draw(results))
    return files


def write_files(
    out: Path,
    files: Mapping[str, str],
) -> None:
    """Write them into an experiment's folder."""
    for name, content in files.items():
        write_text(out / name, content)


def notes_on(results: Results) -> list[str]:
    """What a reader of the numbers must know: quick, made, reduced, outdated."""
    experiment = results.experiment
    notes = []
    if experiment.is_quick:
        notes.append("**A quick run, on tiny data with few steps: it shows that all of it works.**")
    if results.is_made:
        names = ", ".join(
            dict.fromkeys(name for case in experiment.cases for name in case.data.missing)
        )
        notes.append(f"**Made examples stand in for {names or 'files that were missing'}.**")
    if experiment.protocol == "reduced":
        notes.append(f"Reduced protocol. {' '.join(experiment.departures)}")
    elif experiment.departures:
        notes.append(f"Full protocol. {' '.join(experiment.departures)}")
    if results.outdated:
        told = f"{results.outdated} records are of another version of the experiment"
        notes.append(f"{told} and not counted.")
    return [line for note in notes for line in (note, "")]


def svg_of(figure: Figure) -> str:
    """A figure as SVG that is the same wherever it is drawn; text stays text."""
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
    figure.savefig(buffer, format="svg", metadata=metadata, facecolor="white")
    text = re.sub(r"(\.\d\d)\d+", r"\1", buffer.getvalue())
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
