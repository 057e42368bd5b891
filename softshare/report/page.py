"""One self-contained HTML page that says what was gained, for which task, and what is shared."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from softshare.evaluation.answer import answer, cautions
from softshare.evaluation.records.records import RECORDS, read_records, write_text
from softshare.evaluation.statistics import BASELINE
from softshare.methods.settings import OF_ONE_RUN, given_settings
from softshare.report import ordering, plates, tables
from softshare.report.comparison import Comparison
from softshare.report.hinton import task_correlations
from softshare.report.style import PALETTE, drawing
from softshare.report.words import count, duration, listed, share, span
from softshare.tasks.metrics import RELATIVE, metric_named

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
    return write_text(out / REPORT, render(Comparison(records, left_out or {})))


def render(comparison: Comparison) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("softshare", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with drawing():
        drawn = {
            "gains_of_methods": plates.gains_of_methods(comparison),
            "gains_over_fractions": plates.gains_over_fractions(comparison),
            "gains_of_tasks": list(plates.gains_of_tasks(comparison)),
            "learning_curves": list(plates.learning_curves(comparison)),
            "sharing_by_layer": list(plates.sharing_by_layer(comparison)),
            "likeness": plates.likeness(comparison),
            "task_correlations": list(task_correlations(comparison)),
            "orders": list(ordering.orders(comparison)),
        }
    page = environment.get_template("report.html.jinja")
    return page.render(
        comparison=comparison,
        palette=PALETTE,
        share=share,
        **drawn,
        **_words(comparison),
        **_tables(comparison),
    )


def _words(comparison: Comparison) -> dict[str, object]:
    told = cautions(comparison.records)
    by_chance = 0.025 * len(comparison.tasks)
    metrics = [
        *sorted({str(task["metric"]) for task in comparison.tasks}),
        *([RELATIVE] if comparison.mixed else []),
    ]
    return {
        "answer": answer(comparison.records),
        "cautions": told[:MOST_CAUTIONS],
        "more_cautions": told[MOST_CAUTIONS:],
        "facts": _facts(comparison),
        "metrics": [metric_named(metric) for metric in metrics],
        "without_gain": listed(comparison.without_gain) if comparison.without_gain else "",
        "by_chance": f"about {by_chance:,.0f}" if by_chance >= 1 else "fewer than one",
        "warnings": _warnings(comparison),
        "notes": list(
            dict.fromkeys(note for record in comparison.records for note in record["data"]["notes"])
        ),
        "command": _command(comparison),
        "baseline": BASELINE,
        "left_out": comparison.left_out,
        "most_rows": tables.MOST_ROWS,
    }


def _tables(comparison: Comparison) -> dict[str, object]:
    return {
        "boards": {
            fraction: tables.board(comparison, fraction) for fraction in comparison.fractions
        },
        "task_gains": tables.task_gains(comparison),
        "other_metrics": tables.other_metrics(comparison),
        "layer_sizes": tables.layer_sizes(comparison),
        "task_sizes": tables.task_sizes(comparison),
        "settings": tables.settings(comparison),
    }


def _facts(comparison: Comparison) -> dict[str, str]:
    """What was run, in a few words each."""
    kinds = Counter(str(task["kind"]) for task in comparison.tasks)
    steps = max(
        (int(row["step"]) for record in comparison.records for row in record["curve"]), default=0
    )
    return {
        "data": str(comparison.records[0]["settings"]["source"]),
        "tasks": f"{len(comparison.tasks):,} ({', '.join(kinds)})",
        "training rows a task": span(
            int(task["n_train"])
            for record in comparison.records
            for task in record["data"]["tasks"]
        ),
        "of the training part": ", ".join(share(fraction) for fraction in comparison.fractions),
        "steps": f"{steps:,}",
        "seeds": str(len(comparison.seeds)),
        "runs": f"{len(comparison.records):,}",
        "time of all runs": duration(sum(record["seconds"] for record in comparison.records)),
    }


def _warnings(comparison: Comparison) -> list[str]:
    """What the runs warn of, each warning once, with the methods and the number of runs that gave
    it.
    """
    counted = Counter(
        f"{record['settings']['method']}: {warning}"
        for record in comparison.records
        for warning in record["sharing"]["warnings"]
    )
    return [f"{warning} ({count(runs, 'run')})" for warning, runs in counted.items()]


def _command(comparison: Comparison) -> str:
    """The command that runs the comparison again, as far as its records know it."""
    values = comparison.records[0]["settings"]
    words = [
        "softshare",
        "compare",
        str(values["source"]),
        "--methods",
        *sorted(comparison.methods),
    ]
    words += [
        "--train-fraction",
        *(f"{fraction:g}" for fraction in comparison.fractions),
        "--seeds",
        str(len(comparison.seeds)),
    ]
    given = {
        name: value
        for record in comparison.records
        for name, value in given_settings(record["settings"]).items()
    }
    for name, value in given.items():
        if name not in ("source", "trials", *OF_ONE_RUN) and "." not in name and value is not None:
            words += [
                f"--{name.replace('_', '-')}",
                *map(str, value if isinstance(value, list) else [value]),
            ]
    if options := [f"{name}={value}" for name, value in given.items() if "." in name]:
        words += ["--option", *options]
    if values.get("trials"):
        words += ["--search", str(values["trials"])]
    return shlex.join(words)
