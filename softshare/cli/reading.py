"""From the options that say how data are read to a task set."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from softshare.cli.compare import Data
from softshare.cli.flags import FLAGS
from softshare.data.load import load
from softshare.data.terminal import with_files
from softshare.evaluation.plan import fractions_of_parts
from softshare.report.listing import console_on
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task_set import TaskSet


def read(
    source: str,
    data: Data,
    wrong: Sequence[str],
    fractions: Sequence[float] = (),
) -> TaskSet:
    """The tasks, unless the data or other arguments are wrong.

    Args:
        source: the data.
        data: how to read them.
        wrong: what is wrong with other arguments.
        fractions: fractions of the training part for which tasks must be large enough.

    Raises:
        ValueError: names all that is wrong, by flags.
    """
    phrases = list(wrong)
    try:
        reading = partial(
            load,
            source,
            n_tasks=data.tasks,
            task=data.task,
            target=data.target,
            kinds=_kinds(data.kind),
            drop=data.drop,
            split=data.split,
            group=data.group,
            weight=data.weight,
            image_size=data.image_size,
            skip_broken=data.skip_broken,
            sheet=data.sheet,
            columns=_columns(data.columns),
            positive=data.positive,
            na=data.na or None,
            decimal=data.decimal,
            sep=data.sep,
            encoding=data.encoding,
        )
        tasks = with_files(reading, console_on(sys.stderr))
        if data.drop_small_tasks and not wrong:
            for fraction in fractions:
                parts = fractions_of_parts(tasks)
                tasks = tasks.drop_small_tasks(train_fraction=fraction, fractions=parts)
    except ArgumentError as error:
        phrases.append(error.told(FLAGS))
    except (ValueError, OSError, ImportError) as error:
        phrases.append(str(error))
    if phrases:
        raise ValueError("; ".join(phrases))
    return tasks


def _kinds(given: Sequence[str]) -> Any:
    """``binary`` for all targets, or ``COLUMN=KIND`` for some."""
    if len(given) < 2 and "=" not in "".join(given):
        return given[0] if given else None
    return _pairs("kinds", given, "expected one kind for all targets or COLUMN=KIND for each")


def _columns(given: Sequence[str]) -> Any:
    """``COLUMN=READING`` for some."""
    return _pairs("columns", given, "expected COLUMN=READING, such as price=number") or None


def _pairs(argument: str, given: Sequence[str], expected: str) -> dict[str, str]:
    odd = [pair for pair in given if "=" not in pair]
    if odd:
        raise ArgumentError((argument, f"{expected}, got {', '.join(odd)}"))
    return dict(pair.rsplit("=", 1) for pair in given)
