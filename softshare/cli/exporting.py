"""What ``softshare export`` does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from softshare.cli.compare import Told
from softshare.cli.telling import tell_json
from softshare.models.export.inputs import description_of
from softshare.models.model import load_model
from softshare.report.listing import console_on, show_line
from softshare.tasks.arguments import ArgumentError


def run(
    folder: Path,
    out: Path,
    task: str | None,
    format: Literal["onnx", "torch"] | None,
    told: Told,
) -> int:
    """See :func:`softshare.cli.export.export`."""
    model = load_model(folder)
    labels = [one.label for one in model.form.tasks]
    if task is not None and task not in labels and not model.added:
        some = ", ".join(labels[:10])
        raise ArgumentError(("task", f"the model has no task {task!r}; it has {some}"))
    try:
        model.export(out, format=format, task=task)
    except ImportError as error:
        raise ArgumentError(("format", str(error))) from None
    description = description_of(model, task)
    if told.json:
        tell_json({**description, "out": str(out)})
        return 0
    if told.quiet:
        return 0
    console = console_on(sys.stdout)
    size = out.stat().st_size / 1e6
    n_tasks = len(description["tasks"])
    show_line(console, f"{n_tasks:,} task(s) in {out}, {size:.1f} MB")
    return 0
