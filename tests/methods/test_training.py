"""What the training part decides before a run."""

from __future__ import annotations

from dataclasses import replace

from softshare.evaluation.jobs.run import run
from softshare.tasks.splits import split
from tests.methods.made_tasks import made_tasks, settings_of


def test_the_record_says_what_was_decided() -> None:
    tasks = made_tasks()
    record = run(tasks, replace(settings_of("tied-first-layers"), steps=5), split(tasks, seed=0))
    assert record["settings"]["method_options"] == {}
    assert record["decided"]["method_options"]["first"] in (1, 2)
    assert run(tasks, replace(settings_of("tied"), steps=5), split(tasks, seed=0))["decided"] == {}


def test_the_test_part_decides_nothing() -> None:
    tasks = made_tasks()
    parts = split(tasks, seed=0)
    shuffled = tasks.targets.copy()
    shuffled[parts.test] = 1 - shuffled[parts.test]
    settings = replace(settings_of("tied-first-layers"), steps=5)
    first, second = (
        run(data, settings, parts) for data in (tasks, replace(tasks, targets=shuffled))
    )
    assert first["decided"] == second["decided"]
    assert first["curve"] == second["curve"]
