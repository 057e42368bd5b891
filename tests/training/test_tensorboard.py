"""What training writes for TensorBoard, held against its history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training import tensorboard
from softshare.training.fit import fit
from softshare.training.history import History
from softshare.training.objective import Loss
from softshare.training.tensorboard import TensorBoard


class Writer:
    """Stands for TensorBoard's own, which is an extra: it remembers what it is to write."""

    made: list[Writer]

    def __init__(self, folder: str, *, purge_step: int | None) -> None:
        self.folder, self.purge_step = folder, purge_step
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.histograms: dict[str, list[int]] = {}
        Writer.made.append(self)

    def add_scalar(self, name: str, value: float, step: int) -> None:
        self.scalars.setdefault(name, []).append((step, value))

    def add_histogram(self, name: str, values: Tensor, step: int) -> None:
        self.histograms.setdefault(name, []).append(step)

    def flush(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _writer(monkeypatch: pytest.MonkeyPatch) -> None:
    Writer.made = []
    monkeypatch.setattr(tensorboard, "SummaryWriter", Writer)


def made_tasks() -> TaskSet:
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=(20, 4)).astype(np.float32)
    data = {name: (inputs, inputs.sum(axis=1) * sign) for name, sign in (("a", 1), ("b", -1))}
    return TaskSet.from_arrays(data, kinds="regression")


def trained(folder: Path, *callbacks: Any, **options: Any) -> History:
    tasks = made_tasks()
    network = MultiTaskNetwork(ordering_mlp, tasks, sharing=Tied())
    written = TensorBoard(folder, tasks=tasks)
    given = {"validation": tasks, "steps": 9, "evaluate_every": 3}
    return fit(network, tasks, callbacks=[written, *callbacks], **given, **options)


def test_the_curves_are_those_of_the_history(tmp_path: Path) -> None:
    history = trained(tmp_path)
    (writer,) = Writer.made
    assert writer.folder == str(tmp_path)
    for column, curve in (("train_loss", "loss/train"), ("validation_loss", "loss/validation")):
        assert writer.scalars[curve] == [(row["step"], row[column]) for row in history]
    of_tasks = [writer.scalars["task/a"], writer.scalars["task/b"]]
    means = np.mean([[value for _, value in curve] for curve in of_tasks], axis=0)
    np.testing.assert_allclose(means[1:], history.column("train_loss")[1:], rtol=0.5)
    assert writer.histograms
    assert set(map(tuple, writer.histograms.values())) == {(3, 6, 9)}


def test_a_training_that_goes_on_writes_no_point_twice(tmp_path: Path) -> None:
    class Stop:
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            if step == 7:
                raise KeyboardInterrupt
            return False

    whole = trained(tmp_path)
    (undisturbed,) = Writer.made
    kept = {"checkpoint": tmp_path / "kept", "checkpoint_every": 4}
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, Stop(), **kept)
    assert trained(tmp_path, **kept).column("train_loss") == whole.column("train_loss")
    first, second = Writer.made[1:]
    assert (undisturbed.purge_step, first.purge_step) == (None, None)
    assert second.purge_step == 4  # beyond the checkpoint of step 4 the curves are written anew
    for curve, points in undisturbed.scalars.items():
        before = [point for point in first.scalars[curve] if point[0] < 4]
        assert before + second.scalars[curve] == points


def test_without_tensorboard_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorboard, "SummaryWriter", None)
    with pytest.raises(ImportError, match=r"pip install 'softshare\[tensorboard\]'"):
        TensorBoard(tmp_path)
