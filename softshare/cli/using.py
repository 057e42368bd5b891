"""What the commands do that use a model."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from softshare.cli.compare import Told
from softshare.cli.model import Written
from softshare.cli.telling import tell_json
from softshare.data.several_files import FILE, files_of, read_files, read_files_in_chunks
from softshare.data.table_file import check_file
from softshare.data.text_table import FileForm
from softshare.files import write_bytes
from softshare.models.folder import read_json
from softshare.models.inspection import inspected
from softshare.models.model import Model, load_model
from softshare.models.unfamiliar import absent_columns, unfamiliar
from softshare.report.listing import console_on, show_line
from softshare.report.model import show_evaluation, show_model
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task import label_of

CHUNK_ROWS = 100_000
"""Rows of a table that are in memory at a time."""

ENDINGS = (".csv", ".tsv", ".jsonl", ".parquet")


def predict(
    folder: Path,
    table: str,
    out: Path | None,
    unknown_tasks: Literal["answer", "refuse"],
    level: float,
    keep: Sequence[str],
    written: Written,
    told: Told,
) -> int:
    """See :func:`softshare.cli.model.predict`."""
    if out is not None and out.suffix not in ENDINGS:
        raise ArgumentError(("out", f"{out} must end in {', '.join(ENDINGS)}"))
    model = load_model(folder)
    frames, notes = [], []
    for chunk in _chunks(model, table, written):
        _check_columns(model, chunk, keep, table)
        notes += unfamiliar(model.form, chunk)
        predicted = model.predict(chunk, unknown_tasks=unknown_tasks, level=level)
        named = () if model.form.table is None else model.form.table.task
        beside = chunk[list(dict.fromkeys([*named, *keep]))]
        frames.append(pd.concat([beside, predicted], axis=1))
    predictions = pd.concat(frames, ignore_index=True)
    unknown = 0
    if "task is known" in predictions:
        unknown = int((~predictions["task is known"].astype(bool)).sum())
    if out is None:
        sys.stdout.write(predictions.to_csv(index=False))
        return 0
    write_bytes(out, _as_file(predictions, out))
    found = {
        "rows": len(predictions),
        "rows_of_unknown_tasks": unknown,
        "notes": list(dict.fromkeys(notes)),
        "out": str(out),
    }
    if told.json:
        tell_json(found)
    elif not told.quiet:
        _tell_predictions(found)
    return 0


def evaluate(folder: Path, table: str, metric: str | None, written: Written, told: Told) -> int:
    """See :func:`softshare.cli.model.evaluate`."""
    model = load_model(folder)
    found = model.evaluate(read_labelled(model, table, written), metric=metric)
    if told.json:
        tell_json(found.as_json())
    elif not told.quiet:
        show_evaluation(found.rows, found.means, console_on(sys.stdout))
    return 0


def read_labelled(model: Model, table: str, written: Written) -> pd.DataFrame:
    """A table of rows with their targets, with the columns that a model needs.

    Raises:
        ValueError: it lacks some; names them.
    """
    frame = read_files(files_of(table), form=_form(written), named=_names_files(model))
    _check_columns(model, frame, (), table)
    return frame


def inspect(folder: Path, told: Told) -> int:
    """See :func:`softshare.cli.model.inspect`."""
    found = inspected(read_json(folder))
    if told.json:
        tell_json(found)
    elif not told.quiet:
        show_model(found, console_on(sys.stdout))
    return 0


def add_task(
    folder: Path, table: str, name: str | None, out: Path | None, written: Written, told: Told
) -> int:
    """See :func:`softshare.cli.model.add_task`."""
    model = load_model(folder)
    frame = read_files(files_of(table), form=_form(written), named=_names_files(model))
    used = model.form.table
    if name is not None and used is not None:
        if len(used.task) != 1:
            raise ArgumentError(("name", f"tasks have several factors here: {used.task}"))
        frame = frame.assign(**{used.task[0]: name})
    _check_columns(model, frame, (), table)
    made = model.add_tasks(frame)
    new = made.added[len(model.added) :]
    made.save(folder if out is None else out)
    found = [{"task": label_of(task.name), "rows": task.rows} for task in new]
    if told.json:
        tell_json({"added": found, "out": str(folder if out is None else out)})
    elif not told.quiet:
        for task in new:
            console = console_on(sys.stdout)
            show_line(console, f"{label_of(task.name)}: added, from {task.rows:,} rows")
    return 0


def _chunks(model: Model, table: str, written: Written) -> Iterator[pd.DataFrame]:
    paths = files_of(table)
    for path in paths:
        check_file(path)
    if model.form.table is None:
        raise ValueError(
            "the model was not learned from a table; in Python, load_model(…).predict takes arrays"
        )
    form = _form(written)
    named = _names_files(model)
    return read_files_in_chunks(paths, CHUNK_ROWS, form=form, named=named)


def _form(written: Written) -> FileForm:
    return FileForm(written.sep, written.encoding, written.sheet)


def _names_files(model: Model) -> bool:
    """Whether the names of files tell the task."""
    table = model.form.table
    return table is not None and FILE in table.task


def _check_columns(model: Model, frame: pd.DataFrame, keep: Sequence[str], table: str) -> None:
    absent = absent_columns(model.form, frame)
    absent += [name for name in keep if name not in frame.columns]
    if absent:
        lacking = ", ".join(map(repr, absent))
        there = ", ".join(map(str, frame.columns[:20]))
        raise ValueError(f"{table} lacks the column(s) {lacking}; it has {there}")


def _as_file(predictions: pd.DataFrame, path: Path) -> bytes:
    if path.suffix == ".parquet":
        content: bytes = predictions.to_parquet(index=False)
        return content
    if path.suffix == ".jsonl":
        return predictions.to_json(orient="records", lines=True).encode()
    separator = "\t" if path.suffix == ".tsv" else ","
    return predictions.to_csv(index=False, sep=separator).encode()


def _tell_predictions(found: dict[str, object]) -> None:
    console = console_on(sys.stdout)
    show_line(console, f"{found['rows']:,} rows predicted: {found['out']}")
    if found["rows_of_unknown_tasks"]:
        told = f"{found['rows_of_unknown_tasks']:,} of tasks that were not learned"
        show_line(console, f"· {told}: answered by what the learned ones have in common")
    for note in found["notes"]:  # type: ignore[attr-defined]
        show_line(console, f"· {note}")
