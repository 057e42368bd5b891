"""Runs that were killed go on from what they have kept, and leave nothing behind."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softshare.evaluation.compare import compare
from softshare.evaluation.records import unfinished
from softshare.methods.contestants import POOLED_RIDGE, RIDGE
from softshare.methods.factorisations import TENSOR_TRAIN
from softshare.methods.named import AUTO
from softshare.methods.settings import RunSettings
from softshare.tasks.task_set import TaskSet
from softshare.training.loop import Loop

STEPS = 6

OF_TIME = ("seconds", "digest")


def made_tasks() -> TaskSet:
    generator = np.random.default_rng(0)
    data = {}
    for name in ("north", "south"):
        inputs = generator.normal(size=(40, 3))
        data[name] = (inputs, (inputs.sum(axis=1) > 0).astype(int))
    return TaskSet.from_arrays(data)


def compared(out: Path, **options: Any) -> None:
    given: dict[str, Any] = {"methods": ["tied"], "seeds": 1, "steps": STEPS, "hidden": [4]}
    compare(made_tasks(), out=out, base="none", workers=0, progress=False, **(given | options))


def records(out: Path) -> dict[str, Any]:
    found = {}
    for path in sorted(out.rglob("*")):
        said: Any = path.read_bytes() if path.is_file() else None
        if path.suffix == ".json":
            said = {key: part for key, part in json.loads(said).items() if key not in OF_TIME}
        found[str(path.relative_to(out))] = said
    return found


def killed_after(steps: int, out: Path, **options: Any) -> None:
    """A comparison that is killed when it has made so many steps of training, in all networks."""
    child = os.fork()
    if not child:
        try:
            step = Loop._step
            made = []

            def counted(loop: Loop, *arguments: Any) -> bool:
                if len(made) == steps:
                    os.kill(os.getpid(), signal.SIGKILL)
                made.append(None)
                return step(loop, *arguments)

            Loop._step = counted  # type: ignore[method-assign]
            compared(out, **options)
        finally:
            os._exit(1)
    os.waitpid(child, 0)


def counting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by the number of every step that is made from now on."""
    made: list[int] = []
    step_of = Loop._step

    def counted(loop: Loop, step: int, *arguments: Any) -> bool:
        made.append(step)
        return step_of(loop, step, *arguments)

    monkeypatch.setattr(Loop, "_step", counted)
    return made


SMALL_AUTO = replace(AUTO, name="small", presets={"default": (POOLED_RIDGE, RIDGE, TENSOR_TRAIN)})


def test_a_killed_run_goes_on_and_ends_as_one_that_nobody_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        whole = counting(patched)
        compared(tmp_path / "undisturbed", methods=[SMALL_AUTO])
    assert len(whole) == 2 * 4 * STEPS  # two methods, four folds
    monkeypatch.setattr(unfinished, "EVERY", timedelta(microseconds=1))
    out = tmp_path / "killed"
    killed_after(4 * STEPS + 2 * STEPS + 4, out, methods=[SMALL_AUTO])
    kept = sorted(out.glob("unfinished/*/*/*.safetensors"))
    assert len([path for path in kept if path.stem == "finished"]) == 2
    made = counting(monkeypatch)
    compared(out, methods=[SMALL_AUTO])
    assert made == [*range(5, STEPS + 1), *range(1, STEPS + 1)]
    assert records(out) == records(tmp_path / "undisturbed")


def test_a_run_of_less_than_a_minute_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    end = unfinished.UnfinishedRuns.end

    def looked(runs: unfinished.UnfinishedRuns, key: str) -> None:
        seen.append([path.name for path in (tmp_path / "unfinished").iterdir()])
        end(runs, key)

    monkeypatch.setattr(unfinished.UnfinishedRuns, "end", looked)
    compared(tmp_path)
    assert seen == [[], []]
    assert not (tmp_path / "unfinished").exists()


def test_a_disk_that_is_full_does_not_end_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unfinished, "EVERY", timedelta(microseconds=1))

    def full(*arguments: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("softshare.training.checkpoint_file.write_bytes", full)
    with pytest.warns(UserWarning, match="No space left on device; this run goes on and is not"):
        compared(tmp_path)
    assert len(list((tmp_path / "records").iterdir())) == 2


def test_a_machine_that_does_not_see_the_results_keeps_nothing(tmp_path: Path) -> None:
    settings = RunSettings("source", "tied", 1.0, 0)
    runs = unfinished.UnfinishedRuns(tmp_path / "not here")
    kept = runs.keeping("tied-f1-s0", settings)
    assert kept.checkpoints.folder == tmp_path / "not here" / "unfinished" / "tied-f1-s0"
    assert kept == settings
    assert kept.as_json() == settings.as_json()
    assert list(tmp_path.iterdir()) == []


def test_what_a_run_kept_goes_when_its_record_is_there(tmp_path: Path) -> None:
    compared(tmp_path)
    left = tmp_path / "unfinished" / "tied-f1-s0" / "training"
    left.mkdir(parents=True)
    (left / "step-000000001.safetensors").write_bytes(b"left by a kill")
    compared(tmp_path)
    assert not (tmp_path / "unfinished").exists()
