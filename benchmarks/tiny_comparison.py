"""A comparison so small that it can be made thousands of times, for what is done to its files.

Its runs are trained once, and remembered: a run touches no file, so that what is kept of it is the
same whether it is trained or remembered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from softshare.evaluation import compare as comparing
from softshare.evaluation.jobs.run import run
from softshare.evaluation.plan import make_plan
from softshare.evaluation.records.division import Splits
from softshare.evaluation.records.records import Record
from softshare.evaluation.records.store import Store
from softshare.methods.method import Method
from softshare.methods.settings import RunSettings
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet

ARGUMENTS: dict[str, Any] = {
    "methods": ["tied"],
    "seeds": 3,
    "steps": 2,
    "hidden": [2],
    "workers": 0,
    "progress": False,
}


def tasks() -> TaskSet:
    """Two tasks of forty rows."""
    random = np.random.default_rng(0)
    targets = np.arange(40) % 2
    data = {name: (random.normal(size=(40, 2)), targets) for name in ("north", "south")}
    return TaskSet.from_arrays(data)


@contextmanager
def remembered_runs() -> Iterator[None]:
    """Every run is trained when it is first asked for, and remembered while the context is open."""
    known: dict[str, dict[str, Any]] = {}

    def remembered(
        data: TaskSet,
        settings: RunSettings,
        split: Split,
        method: Method | None = None,
    ) -> dict[str, Any]:
        if settings.key not in known:
            known[settings.key] = run(data, settings, split, method)
        return known[settings.key]

    comparing.run = remembered
    try:
        yield
    finally:
        comparing.run = run


def compared(data: TaskSet, out: Path) -> Sequence[Record]:
    """The records of the comparison, made in this folder."""
    return comparing.compare(data, out=out, **ARGUMENTS).records


def taken_up(data: TaskSet, out: Path) -> Sequence[Record]:
    """The records that the comparison finds in this folder before it runs anything."""
    settings = {name: ARGUMENTS[name] for name in ("steps", "hidden")}
    plan = make_plan(
        data,
        methods=ARGUMENTS["methods"],
        fractions=(1.0,),
        seeds=ARGUMENTS["seeds"],
        workers=ARGUMENTS["workers"],
        settings={"source": "tasks", **settings},
    )
    return list(Store(out, plan.of_methods(), Splits(data), reading={}).records.values())


def files_in(folder: Path) -> dict[str, bytes]:
    """What stands in every file of a folder, hidden ones included."""
    paths = sorted(folder.rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}
