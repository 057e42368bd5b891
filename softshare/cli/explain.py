"""``softshare explain``: its options."""

from __future__ import annotations

from pathlib import Path

from softshare import cli
from softshare.cli.compare import Told
from softshare.cli.model import Written

AS_IT_STANDS = Written()
ON_THE_TERMINAL = Told()


def explain(
    model: Path,
    table: str,
    /,
    *,
    out: Path | None = None,
    metric: str | None = None,
    repeats: int = 5,
    seed: int = 0,
    written: Written = AS_IT_STANDS,
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Tell what each column matters to all tasks, and to which tasks beyond.

    By how much the metric is worse where a column's values are exchanged between rows of one task
    (or between whole tasks, where they are facts of the task), with 95 % intervals.

    Args:
        model: folder that `softshare fit` has written.
        table: a file, a folder or a pattern, with the targets; best of rows that the model has not
            learned from.
        out: file of what is told (.json), or of a line for each column and task (.csv).
        metric: to tell by, in place of roc_auc (binary), accuracy (multiclass) and rmse
            (regression).
        repeats: how often each column's values are exchanged.
        seed: of the exchanges.
        written: how the table is written.
        told: how this tells what it did.
    """
    return cli.explaining.run(model, table, out, metric, repeats, seed, written, told)
