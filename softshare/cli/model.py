"""``softshare predict``, ``evaluate``, ``inspect`` and ``add-task``: their options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cyclopts import Parameter

from softshare import cli
from softshare.cli.compare import Names, Told

ON_THE_TERMINAL = Told()


@Parameter(name="*", group="Table")
@dataclass(frozen=True)
class Written:
    """How a table is written, where it does not tell.

    Args:
        sheet: of a workbook; by default the only one with cells.
        sep: what stands between the fields of a text file.
        encoding: of a text file, such as latin-1.
    """

    sheet: str | None = None
    sep: str | None = None
    encoding: str | None = None


def predict(
    model: Path,
    table: str,
    /,
    *,
    out: Path | None = None,
    unknown_tasks: Literal["answer", "refuse"] = "answer",
    level: float = 0.9,
    keep: Names = (),
    written: Written = Written(),
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Predict the rows of a table, in the targets' own units.

    Columns may stand in another order, and others beside them. A row for each of the table's:
    what names its task, `predicted TARGET`, of numbers the ends of an interval, and of classes
    P(TARGET = CLASS) each.

    Args:
        model: folder that `softshare fit` has written.
        table: a file, a folder or a pattern, as for `softshare compare`.
        out: file of the predictions (.csv, .tsv, .jsonl or .parquet); by default they are written
            on the terminal, as CSV.
        unknown_tasks: answer rows of tasks that were not learned by what the learned ones have in
            common, or refuse them.
        level: the part of new rows that intervals hold.
        keep: columns of the table to write beside the predictions.
        written: how the table is written.
        told: how this tells what it did.
    """
    return cli.using.predict(model, table, out, unknown_tasks, level, keep, written, told)


def evaluate(
    model: Path,
    table: str,
    /,
    *,
    metric: str | None = None,
    written: Written = Written(),
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Judge a model by labelled rows that it has not learned from.

    Args:
        model: folder that `softshare fit` has written.
        table: a file, a folder or a pattern, with the targets.
        metric: to judge by, in place of roc_auc (binary), accuracy (multiclass) and rmse
            (regression).
        written: how the table is written.
        told: how this tells what it did.
    """
    return cli.using.evaluate(model, table, metric, written, told)


def inspect(model: Path, /, *, told: Told = ON_THE_TERMINAL) -> int:
    """Show what a model is: its tasks, what they share, how well it does.

    Args:
        model: folder that `softshare fit` has written.
        told: how this tells it.
    """
    return cli.using.inspect(model, told)


def add_task(
    model: Path,
    table: str,
    /,
    *,
    name: str | None = None,
    out: Path | None = None,
    written: Written = Written(),
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Add tasks that came later, by a few labelled rows of each.

    Each is what the learned tasks have in common, and an offset that its rows tell, drawn to theirs
    by as much as they are few. The answers for all other tasks stay as they are.

    Args:
        model: folder that `softshare fit` has written.
        table: labelled rows of tasks that the model does not know.
        name: of the task that all rows are of, where no column names it.
        out: folder of the model with these tasks; by default it takes the place of the other.
        written: how the table is written.
        told: how this tells what it did.
    """
    return cli.using.add_task(model, table, name, out, written, told)
