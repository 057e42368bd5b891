"""One self-contained HTML page that says what was gained, for which task, and what is shared."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from softshare.evaluation.answer import answer_in_parts
from softshare.evaluation.apart import WAYS
from softshare.evaluation.cautions import cautions
from softshare.evaluation.intervals import MIN_POOLED, MIN_SEEDS
from softshare.evaluation.records.records import RECORDS, read_records
from softshare.evaluation.statistics import BASELINE
from softshare.evaluation.words import count, duration, listed
from softshare.files import write_text
from softshare.methods.settings import OF_ONE_RUN, OF_THE_DATA, given_settings
from softshare.report import ordering, plates, tables
from softshare.report.findings import Findings
from softshare.report.hinton import task_correlations
from softshare.report.look import columns_of, read_look
from softshare.report.own_parts import own_parts
from softshare.report.style import PALETTE, drawing
from softshare.report.weighing import weighings
from softshare.report.words import per_cent, span
from softshare.tasks.look import Look
from softshare.tasks.metrics import RELATIVE, metric_named
from softshare.tasks.printable import printable

REPORT = "report.html"
MOST_CAUTIONS = 8


def write_report(out: Path, *, left_out: Mapping[str, str] | None = None) -> Path:
    """Write ``out/report.html`` from the records in ``out/records``: one file that needs no
    network.

    The same records give the same bytes.

    Args:
        out: the folder of a comparison.
        left_out: methods that could not apply to the tasks, and why.

    Returns:
        The report's path.

    Raises:
        ValueError: the folder holds no records, or a file there is none.
    """
    records = read_records(out / RECORDS)
    if not records:
        raise ValueError(
            f"out: {out / RECORDS} holds no run records to report on; run `softshare "
            "compare` with this --out first"
        )
    findings = Findings(records, left_out or {})
    return write_text(out / REPORT, render(findings, read_look(out)))


def render(findings: Findings, look: Look | None = None) -> str:
    """The page as HTML, with how the data were read where that is known."""
    environment = Environment(
        loader=PackageLoader("softshare", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with drawing():
        drawn = {
            "gains_of_methods": plates.gains_of_methods(findings),
            "gains_over_fractions": plates.gains_over_fractions(findings),
            "gains_of_tasks": list(plates.gains_of_tasks(findings)),
            "learning_curves": list(plates.learning_curves(findings)),
            "sharing_by_layer": list(plates.sharing_by_layer(findings)),
            "likeness": plates.likeness(findings),
            "task_correlations": list(task_correlations(findings)),
            "orders": list(ordering.orders(findings)),
            "weighings": list(weighings(findings)),
        }
    page = environment.get_template("report.html.jinja")
    html = page.render(
        findings=findings,
        look=look,
        look_columns=columns_of(look) if look else None,
        palette=PALETTE,
        per_cent=per_cent,
        **drawn,
        **_words(findings),
        **_tables(findings),
    )
    return printable(html)


def _words(findings: Findings) -> dict[str, object]:
    told = cautions(findings.records)
    told_first, *told_beside = answer_in_parts(findings.records)
    by_chance = 0.025 * len(findings.tasks)
    metrics = [
        *sorted({str(task["metric"]) for task in findings.tasks}),
        *([RELATIVE] if findings.mixed else []),
    ]
    return {
        "answer": told_first,
        "beside_answer": told_beside,
        "cautions": told[:MOST_CAUTIONS],
        "more_cautions": told[MOST_CAUTIONS:],
        "facts": _facts(findings),
        "metrics": [metric_named(metric) for metric in metrics],
        "without_gain": listed(findings.without_gain) if findings.without_gain else "",
        "by_chance": f"about {by_chance:,.0f}" if by_chance >= 1 else "fewer than one",
        "warnings": _warnings(findings),
        "notes": list(
            dict.fromkeys(note for record in findings.records for note in record["data"]["notes"])
        ),
        "command": _command(findings),
        "baseline": BASELINE,
        "apart": findings.way_apart,
        "apart_choice": _apart_choice(findings),
        "min_seeds": MIN_SEEDS,
        "min_pooled": MIN_POOLED,
        "left_out": findings.left_out,
        "most_rows": tables.MOST_ROWS,
        "chosen_on": _chosen_on(findings),
    }


def _tables(findings: Findings) -> dict[str, object]:
    return {
        "boards": {fraction: tables.board(findings, fraction) for fraction in findings.fractions},
        "task_gains": tables.task_gains(findings),
        "other_metrics": tables.other_metrics(findings),
        "layer_sizes": tables.layer_sizes(findings),
        "own_parts": own_parts(findings),
        "task_sizes": tables.task_sizes(findings),
        "settings": tables.settings(findings),
    }


def _chosen_on(findings: Findings) -> str:
    """What examples choose settings and steps: a part of their own, or folds held out."""
    if any(task["n_validation"] for task in findings.tasks):
        return "the validation part"
    return "folds held out of the training part"


def _apart_choice(findings: Findings) -> str:
    """Among how many ways to learn apart it was chosen, where there are several."""
    ways = [method for method in findings.methods if method in WAYS]
    if len(ways) < 2:
        return ""
    chosen_on = _chosen_on(findings)
    return f", the best of {count(len(ways), 'way')} to do so on {chosen_on}"


def _facts(findings: Findings) -> dict[str, str]:
    """What was run, in a few words each."""
    kinds = Counter(str(task["kind"]) for task in findings.tasks)
    return {
        "data": _called(str(findings.records[0]["settings"]["source"])),
        "tasks": f"{len(findings.tasks):,} ({', '.join(kinds)})",
        "training rows a task": span(
            int(task["n_train"]) for record in findings.records for task in record["data"]["tasks"]
        ),
        "of the training part": ", ".join(per_cent(fraction) for fraction in findings.fractions),
        "steps at most": f"{findings.records[0]['settings']['steps']:,}",
        "seeds": str(len(findings.seeds)),
        "runs": f"{len(findings.records):,}",
        "time of all runs": duration(sum(record["seconds"] for record in findings.records)),
    }


def _warnings(findings: Findings) -> list[str]:
    """What the runs warn of, each warning once, with the methods and the number of runs that gave
    it.
    """
    counted = Counter(
        f"{record['settings']['method']}: {warning}"
        for record in findings.records
        for warning in record["sharing"]["warnings"]
    )
    return [f"{warning} ({count(runs, 'run')})" for warning, runs in counted.items()]


NO_OPTIONS = (*OF_THE_DATA, *OF_ONE_RUN, "trials", "n_folds")
"""Settings that no option sets, or that the command holds already."""


def _command(findings: Findings) -> str:
    """The command that runs the comparison again, as far as its records know it."""
    values = findings.records[0]["settings"]
    words = [
        "softshare",
        "compare",
        str(values["source"]),
        "--methods",
        *sorted(findings.methods),
    ]
    words += [
        "--train-fraction",
        *(f"{fraction:g}" for fraction in findings.fractions),
        "--seeds",
        str(len(findings.seeds)),
    ]
    words += _options_of_reading(findings.records[0].get("reading") or {})
    given = {
        name: value
        for record in findings.records
        for name, value in given_settings(record["settings"]).items()
    }
    for name, value in given.items():
        if name not in NO_OPTIONS and "." not in name and value is not None:
            words += [
                f"--{name.replace('_', '-')}",
                *map(str, value if isinstance(value, list) else [value]),
            ]
    if options := [f"{name}={value}" for name, value in given.items() if "." in name]:
        words += ["--option", *options]
    if values.get("trials"):
        words += ["--search", str(values["trials"])]
    return shlex.join(words)


def _options_of_reading(reading: Mapping[str, Any]) -> list[str]:
    """The options that say how the data were read; those that are off or empty left out."""
    words: list[str] = []
    for name, value in reading.items():
        is_empty = isinstance(value, str | list | tuple | Mapping) and not value
        if value is None or value is False or is_empty:
            continue
        flag = f"--{name.replace('_', '-')}"
        values: list[str] = []
        if isinstance(value, Mapping):
            values = [f"{column}={item}" for column, item in value.items()]
        elif isinstance(value, list | tuple):
            values = list(map(str, value))
        elif value is not True:
            values = [str(value)]
        if name == "na":
            words += [f"{flag}={item}" for item in values]  # -999 is no option
        else:
            words += [flag, *values]
    return words


def _called(source: str) -> str:
    """A data set's name, or a table's without the folders that it lies in."""
    return PurePath(source).name or source
