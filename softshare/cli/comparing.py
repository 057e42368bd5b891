"""What ``softshare compare`` does: it reads the data, compares, and shows what was found."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from softshare.cli.app import SOME_FAILED, complain
from softshare.cli.compare import Compared, Data, Running, Told, Training
from softshare.cli.config import NAME, as_toml
from softshare.cli.flags import FLAGS
from softshare.cli.reading import read
from softshare.cli.results import default_folder
from softshare.cli.telling import tell_json
from softshare.data.named import default_fraction
from softshare.evaluation import compare as comparing
from softshare.evaluation.arguments import wrong_arguments
from softshare.evaluation.comparison import Comparison
from softshare.evaluation.jobs.cluster import TLS_FILES, Cluster
from softshare.files import write_text
from softshare.methods.named import METHODS
from softshare.methods.options import options_of_auto, read_options, unknown
from softshare.models import keeping
from softshare.report.findings import Findings
from softshare.report.listing import console_on
from softshare.report.markdown import FILE as MARKDOWN
from softshare.report.markdown import markdown_of
from softshare.report.page import write_report
from softshare.report.terminal import show
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.printable import printable
from softshare.tasks.task_set import TaskSet

ON_THE_TERMINAL = Told()

MODEL = "model"
"""The folder of results in which a model is kept."""


def run(
    source: str,
    data: Data,
    compared: Compared,
    training: Training,
    running: Running,
    told: Told = ON_THE_TERMINAL,
    *,
    wrong: Sequence[str] = (),
) -> int:
    """Compare; see :func:`softshare.cli.compare.compare`.

    Args:
        source: the data.
        data: how to read them.
        compared: what is compared.
        training: how every run is trained.
        running: where it runs.
        told: how this tells what it did.
        wrong: what is wrong with options that could not be read.

    Returns:
        The exit code.

    Raises:
        ValueError: something cannot be right; the message names all of it, by flags.
    """
    given, misread = read_options(compared.option)
    options = options_of_auto(given, preset=compared.preset, time_limit=compared.time_limit)
    fractions = compared.train_fraction or (default_fraction(source),)
    chosen: dict[str, Any] = {
        "methods": compared.methods or None,
        "fractions": fractions,
        "seeds": compared.seeds,
        "options": options,
    }
    settings = {
        "source": source,
        "metric": compared.metric,
        "class_weight": compared.class_weight,
        "task_weight": compared.task_weight,
        **asdict(training),
    }
    cluster = _cluster(running)
    problems = wrong_arguments(
        **chosen,
        workers=running.workers,
        cluster=cluster,
        settings={"trials": compared.search, **settings},
    )
    problems += _stray_files(running)
    problems += _wrong_keep(running.keep)
    phrases = list(wrong)
    if misread or problems:
        phrases.append(ArgumentError(*misread, *problems).told(FLAGS))
    tasks = read(source, data, phrases, fractions)
    config = {"source": source, **asdict(data), **asdict(compared), **asdict(training)}
    out = running.out or default_folder(source, data.target)
    return _compare(
        tasks,
        out,
        config,
        told,
        keep=running.keep,
        search=compared.search,
        workers=running.workers,
        cluster=cluster,
        reading=asdict(data),
        **chosen,
        **settings,
    )


def _compare(
    tasks: TaskSet,
    out: Path,
    config: Mapping[str, Any],
    told: Told,
    *,
    keep: str | None,
    **settings: Any,
) -> int:
    shown = not (told.quiet or told.json)
    comparison = comparing.compare(tasks, out=out, progress=shown, **settings)
    write_text(out / NAME, as_toml(config))
    diverged = [record["error"] for record in comparison.records]
    if all(diverged):
        raise ValueError(f"every run diverged: {diverged[0]}; try a smaller --learning-rate")
    report = write_report(out, left_out=comparison.left_out)
    findings = Findings(comparison.records, comparison.left_out)
    write_text(out / MARKDOWN, markdown_of(findings))
    if shown:
        show(findings, console_on(sys.stdout))
        print(printable(f"report:  {report}\nsummary: {out / comparing.SUMMARY}"))
    if keep is not None:
        model = keeping.keep(comparison.records, tasks, keep)
        model.save(out / MODEL)
        if shown:
            of_run = f"{model.method.name}, seed {model.settings.seed}"
            print(printable(f"model:   {out / MODEL} ({of_run})"))
    if told.json:
        tell_json(_as_json(comparison, out))
    _tell_failures(comparison.failures)
    return SOME_FAILED if comparison.failures else 0


def _tell_failures(failures: Mapping[str, BaseException]) -> None:
    """A line for every run that failed, and where the first was raised that nobody expected."""
    unexpected = []
    for key, error in failures.items():
        if isinstance(error, ArgumentError):
            complain(f"{key} failed: {error.told(FLAGS)}")
            continue
        complain(f"{key} failed: {type(error).__name__}: {error}")
        unexpected.append(error)
    for error in unexpected[:1]:
        told = "".join(traceback.format_exception(error))
        print(printable(told), end="", file=sys.stderr)


def _cluster(running: Running) -> Cluster | None:
    if running.cluster is None:
        return None
    files = {name: getattr(running, name) for name in TLS_FILES}
    given = {name: str(path) for name, path in files.items() if path is not None}
    return Cluster(running.cluster, **given)


def _as_json(comparison: Comparison, out: Path) -> dict[str, Any]:
    """What a comparison found, as plain values."""
    board = comparison.leaderboard.to_json(orient="records")
    return {
        "answer": comparison.answer,
        "leaderboard": json.loads(board),
        "cautions": comparison.cautions,
        "left_out": dict(comparison.left_out),
        "failures": {key: str(error) for key, error in comparison.failures.items()},
        "out": str(out),
    }


def _wrong_keep(method: str | None) -> list[Problem]:
    known = [keeping.BEST, *(each.name for each in METHODS)]
    return [] if method in (None, *known) else [("keep", unknown("method", str(method), known))]


def _stray_files(running: Running) -> list[Problem]:
    if running.cluster is not None:
        return []
    given = [name for name in TLS_FILES if getattr(running, name) is not None]
    return [(name, "only goes with a cluster") for name in given]
