"""Trainings that are kept while the run lasts that they are a part of."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tensor_train import TensorTrain
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from softshare.training.kept import Checkpoints
from softshare.training.objective import Loss

STEPS = 9
ALWAYS = timedelta(0)


class StoppedError(Exception):
    """Stands for whatever stops a run."""


class Steps:
    """Notes a training's steps, and stops it after one of them."""

    def __init__(self, stop: int | None = None) -> None:
        self.made: list[int] = []
        self._stop = stop

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        self.made.append(step)
        if step == self._stop:
            raise StoppedError
        return False


def trained(checkpoints: Checkpoints | None, steps: Steps, **changed: Any) -> dict[str, bytes]:
    """What a training ends with, to the bit."""
    generator = np.random.default_rng(0)
    data = {}
    for name in "ab":
        inputs = generator.normal(size=(12, 3)).astype(np.float32)
        data[name] = (inputs, inputs.sum(axis=1))
    tasks = TaskSet.from_arrays(data, kinds="regression")
    network = MultiTaskNetwork(mlp, tasks, sharing=TensorTrain(0.5), seed=1)
    given = {"steps": STEPS, "batch_size": 4, "callbacks": [steps], **changed}
    fit(network, tasks, checkpoint=checkpoints, **given)
    return {name: value.detach().numpy().tobytes() for name, value in network.named_parameters()}


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return lambda seconds: now.__setitem__(0, seconds)


def test_a_stopped_training_of_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    expected = trained(None, Steps())
    with pytest.raises(StoppedError):
        trained(Checkpoints(tmp_path / "run", every=ALWAYS), Steps(stop=5))
    again = Steps()
    assert trained(Checkpoints(tmp_path / "run", every=ALWAYS), again) == expected
    # The step in which it stopped had not ended, and is made again.
    assert again.made == [5, 6, 7, 8, 9]


def test_a_finished_training_of_a_run_is_not_trained_again(tmp_path: Path) -> None:
    expected = trained(Checkpoints(tmp_path / "run", every=ALWAYS), Steps())
    assert "finished.safetensors" in files_in(tmp_path)
    again = Steps()
    assert trained(Checkpoints(tmp_path / "run", every=ALWAYS), again) == expected
    assert again.made == []


def test_trainings_of_one_run_have_folders_of_their_own(tmp_path: Path) -> None:
    run = Checkpoints(tmp_path / "run", every=ALWAYS)
    first = trained(run, Steps())
    second = trained(run, Steps(), learning_rate=0.1)
    assert first != second
    assert len(list((tmp_path / "run").iterdir())) == 2
    assert trained(run, Steps()) == first
    assert trained(run, Steps(), learning_rate=0.1) == second


def test_nothing_is_kept_of_a_run_that_has_not_lasted_for_a_while(tmp_path: Path) -> None:
    trained(Checkpoints(tmp_path / "run"), Steps())
    assert not (tmp_path / "run").exists()


def test_of_a_run_that_is_kept_short_trainings_are_not(
    tmp_path: Path, clock: Callable[[float], None]
) -> None:
    (tmp_path / "run").mkdir()
    run = Checkpoints(tmp_path / "run")
    trained(run, Steps())
    assert files_in(tmp_path) == []

    class AWhile(Steps):
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            clock(1000.0 + step)  # it takes 9 seconds, a minute's checkpoint is not due
            return False

    trained(run, AWhile())
    assert files_in(tmp_path) == ["finished.safetensors"]


def test_where_the_results_are_not_seen_nothing_is_made(tmp_path: Path) -> None:
    run = Checkpoints(tmp_path / "elsewhere" / "run", every=ALWAYS)
    trained(run, Steps())
    assert list(tmp_path.iterdir()) == []


def test_a_run_goes_on_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = trained(None, Steps())

    def full(handle: int, content: bytes) -> int:
        raise OSError("no room")

    monkeypatch.setattr(os, "write", full)
    with pytest.warns(UserWarning, match="no room.*; this run goes on and is not kept"):
        assert trained(Checkpoints(tmp_path / "run", every=ALWAYS), Steps()) == expected
