"""What ``softshare fit`` does: it reads the data, learns a model, and keeps it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from softshare.cli.compare import Data, Told, Training
from softshare.cli.fit import Learning
from softshare.cli.flags import FLAGS
from softshare.cli.reading import read
from softshare.cli.telling import tell_json
from softshare.methods.options import options_of_auto, read_options
from softshare.models.folder import check_free, read_json
from softshare.models.inspection import inspected
from softshare.models.learning import learn
from softshare.report.listing import console_on
from softshare.report.model import show_model
from softshare.tasks.arguments import ArgumentError


def run(
    source: str,
    out: Path,
    data: Data,
    learning: Learning,
    training: Training,
    told: Told,
    *,
    wrong: Sequence[str] = (),
) -> int:
    """Learn a model and keep it; see :func:`softshare.cli.fit.fit`.

    Returns:
        The exit code.

    Raises:
        ValueError: something cannot be right; the message names all of it, by flags.
    """
    given, misread = read_options(learning.option)
    phrases = list(wrong)
    others = [name for name in given if name != learning.method]
    if others:
        misread.append(("options", f"of {', '.join(others)}, but the method is {learning.method}"))
    if misread:
        phrases.append(ArgumentError(*misread).told(FLAGS))
    check_free(out)
    tasks = read(source, data, phrases)
    options = options_of_auto(given, preset=learning.preset, time_limit=learning.time_limit)
    model = learn(
        tasks,
        method=learning.method,
        source=source,
        seed=learning.seed,
        options=options.get(learning.method),
        metric=learning.metric,
        checkpoint=out,
        class_weight=learning.class_weight,
        task_weight=learning.task_weight,
        **asdict(training),
    )
    model.save(out)
    found = {**inspected(read_json(out)), "out": str(out)}
    if told.json:
        tell_json(found)
    elif not told.quiet:
        show_model(found, console_on(sys.stdout))
        print(f"model: {out}")
    return 0
