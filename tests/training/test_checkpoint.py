"""A training that was stopped and goes on ends as one that nobody stopped, bit for bit."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW
from torch.optim.lr_scheduler import CosineAnnealingLR

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback
from softshare.training.checkpoint_folder import CheckpointFolder
from softshare.training.diagnostic_history import DiagnosticHistory
from softshare.training.distributed import Processes
from softshare.training.fit import fit
from softshare.training.fit_arguments import require_checkpoints
from softshare.training.history import History
from softshare.training.lazy_adam import LazyAdam
from softshare.training.objective import Loss

STEPS = 22


class Draws(nn.Module):
    """A module that draws from all generators that code shares, as modules of others do."""

    def forward(self, inputs: Tensor) -> Tensor:
        noise = torch.rand_like(inputs) * random.random() * np.random.rand()  # noqa: NPY002
        return inputs + 0.1 * noise if self.training else inputs


class Normed(nn.Sequential):
    """A network with running statistics."""

    def __init__(self, shape: Any, n_outputs: int) -> None:
        super().__init__(
            nn.Linear(shape[0], 6),
            nn.BatchNorm1d(6),
            nn.ReLU(),
            Draws(),
            nn.Linear(6, n_outputs),
        )


SMALL = partial(mlp, hidden=(6, 6), dropout=0.3)


@dataclass(frozen=True)
class Case:
    """A kind of training."""

    sharing: Any
    template: Any = SMALL
    sparse_rows: bool = False
    options: dict[str, Any] = field(default_factory=dict)


CASES = {
    "apart": Case(Independent(), options={"keep_best": True}),
    "tensor train": Case(TensorTrain(ranks=0.5), options={"keep_best": True, "patience": 30}),
    "tensor normal": Case(TensorNormal(every=3, warm_up=5)),
    "trace norm": Case(TraceNorm("tucker", gamma=0.01, every=4)),
    "learned spread": Case(Tied() + TensorTrain(ranks=0.5), options={"policy": "temperature"}),
    "lazy": Case(
        TensorTrain(ranks=0.5),
        sparse_rows=True,
        options={"optimizer": LazyAdam, "tasks_per_step": 2, "clip_norm": 0.5},
    ),
    "momentum and schedule": Case(
        Tied(),
        template=partial(ordering_mlp, width=4, depth=2, dropout=0.3),
        options={
            "optimizer": partial(SGD, momentum=0.9),
            "schedule": partial(CosineAnnealingLR, T_max=STEPS),
            "policy": "shortest",
        },
    ),
    "statistics and draws": Case(Independent(), template=Normed, options={"optimizer": AdamW}),
}


class StoppedError(Exception):
    """Stands for whatever stops a training."""


@dataclass
class Stop:
    """Stops a training after a step."""

    at: int

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        if step == self.at:
            raise StoppedError
        return False


@dataclass
class PressCtrlC:
    """Does so in the middle of a step."""

    at: int

    def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
        if step == self.at:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def _ctrl_c_interrupts() -> Iterator[None]:
    """As in a terminal: a shell's background job ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def seed_generators() -> None:
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def made_tasks(seed: int = 0) -> TaskSet:
    generator = np.random.default_rng(seed)
    data = {}
    for name, rows in (("a", 30), ("b", 12), ("c", 21)):
        inputs = generator.normal(size=(rows, 4)).astype(np.float32)
        data[name] = (inputs, inputs.sum(axis=1) + generator.normal(size=rows))
    return TaskSet.from_arrays(data, kinds="regression")


def network_of(case: Case, seed: int = 1) -> MultiTaskNetwork:
    return MultiTaskNetwork(
        case.template,
        made_tasks(),
        sharing=case.sharing,
        seed=seed,
        sparse_rows=case.sparse_rows,
    )


def trained(
    case: Case,
    folder: Path | None,
    *,
    network: MultiTaskNetwork | None = None,
    stop: int | None = None,
    interrupt: int | None = None,
    every: int | None = 5,
    **changed: Any,
) -> tuple[MultiTaskNetwork, History, DiagnosticHistory]:
    network = network or network_of(case)
    seen = DiagnosticHistory(every=4)
    callbacks: list[Callback] = [seen]
    if stop is not None:
        callbacks.append(Stop(stop))
    if interrupt is not None:
        callbacks.append(PressCtrlC(interrupt))
    given: dict[str, Any] = {
        "steps": STEPS,
        "validation": made_tasks(1),
        "batch_size": 8,
        "evaluate_every": 3,
        "callbacks": callbacks,
        "checkpoint": folder,
        "checkpoint_every": None if folder is None else every,
        "seed": 3,
        **case.options,
        **changed,
    }
    history = fit(network, made_tasks(), **given)
    return network, history, seen


def told(outcome: tuple[MultiTaskNetwork, History, DiagnosticHistory]) -> Any:
    """All that a training leaves behind, as bytes and numbers, times aside."""
    network, history, seen = outcome
    values = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    as_bytes = {name: value.detach().numpy().tobytes() for name, value in values.items()}
    rows = [{name: row[name] for name in row if name != "seconds"} for row in history]
    frames: list[Any] = [step for step, _ in seen.rows]
    for step, by_module in seen.rows:
        for module, own in by_module.items():
            frames += [(step, module, each.name, each.values.tolist()) for each in own]
    generators = (torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random())  # noqa: NPY002
    return as_bytes, rows, frames, generators


@pytest.mark.parametrize("name", CASES)
def test_a_stopped_training_goes_on_bit_for_bit(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    expected = told(trained(case, None))
    seed_generators()
    with pytest.raises(StoppedError):
        trained(case, tmp_path, stop=13)
    torch.rand(5)
    random.random()
    assert told(trained(case, tmp_path)) == expected


def test_a_killed_training_goes_on_and_a_finished_one_is_not_trained_again(tmp_path: Path) -> None:
    case = CASES["learned spread"]
    expected = told(trained(case, None))
    for step in (2, 14):
        child = os.fork()
        if not child:
            seed_generators()
            try:
                trained(case, tmp_path, stop=step, every=3)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(child, 0)
    assert names(tmp_path) == ["step-000000009.safetensors", "step-000000012.safetensors"]
    assert told(trained(case, tmp_path)) == expected
    seed_generators()
    assert told(trained(case, tmp_path, stop=1)) == expected  # no step is made
    assert names(tmp_path) == ["finished.safetensors", "step-000000020.safetensors"]


def test_a_cell_of_a_notebook_that_is_run_again_goes_on(tmp_path: Path) -> None:
    case = CASES["tensor train"]
    expected = told(trained(case, None))
    network = network_of(case)
    seed_generators()
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        trained(case, tmp_path, network=network, interrupt=11)
    assert signal.getsignal(signal.SIGINT) is before
    assert "step-000000011.safetensors" in names(tmp_path)  # the step in which it came
    assert told(trained(case, tmp_path, network=network)) == expected
    assert told(trained(case, tmp_path, network=network))[:3] == expected[:3]


def test_ctrl_c_in_the_last_step_still_ends_the_program(tmp_path: Path) -> None:
    class Last(PressCtrlC):
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            return step == self.at

    with pytest.raises(KeyboardInterrupt):
        trained(CASES["apart"], tmp_path, callbacks=[Last(4)])
    assert "finished.safetensors" in names(tmp_path)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_checkpoint_is_told_and_the_one_before_is_taken(
    tmp_path: Path, damage: str
) -> None:
    case = CASES["apart"]
    expected = told(trained(case, None))
    seed_generators()
    with pytest.raises(StoppedError):
        trained(case, tmp_path, stop=13)
    path = tmp_path / "step-000000010.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) - 300] ^= 4
    path.write_bytes({"flip": content, "cut": content[:-300], "empty": b""}[damage])
    with pytest.warns(UserWarning, match=r"000010.safetensors is damaged .* goes on from step 5$"):
        outcome = trained(case, tmp_path)
    assert told(outcome) == expected


def test_where_all_checkpoints_are_damaged_training_begins_anew(tmp_path: Path) -> None:
    case = CASES["apart"]
    expected = told(trained(case, None))
    seed_generators()
    (tmp_path / "step-000000010.safetensors").write_bytes(b"nothing")
    with pytest.warns(UserWarning, match="is damaged .* goes on from its beginning$"):
        outcome = trained(case, tmp_path)
    assert told(outcome) == expected


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"steps": 30}, "steps 22, now 30"),
        ({"seed": 4}, "seed 3, now 4"),
        ({"learning_rate": 0.01}, "learning_rate 0.001, now 0.01"),
        ({"optimizer": AdamW}, "optimizer"),
        ({"optimizer": partial(SGD, momentum=0.9)}, "optimizer"),
        ({"schedule": partial(CosineAnnealingLR, T_max=9)}, "schedule"),
        ({"clip_norm": 1.0}, "clip_norm None, now 1.0"),
        ({"binary_loss": "hinge"}, "(binary_loss logistic, now hinge)"),
        ({"batch_size": 9}, "(batch_size 8, now 9)"),
        ({"callbacks": []}, "callbacks ['DiagnosticHistory'], now []"),
        ({"validation": None, "keep_best": False}, "other data (validation)"),
        ({"network": 2}, "the weights that the network starts with"),
        ({"network": Case(Tied())}, "a network of other layers, sharing or tasks"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_another_training_is_refused_by_what_differs(
    tmp_path: Path, changed: dict[str, Any], named: str
) -> None:
    case = Case(Independent(), options={"keep_best": True})
    with pytest.raises(StoppedError):
        trained(case, tmp_path, stop=1)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = changed.pop("network", 1)
    network = network_of(case, seed=other) if isinstance(other, int) else network_of(other)
    with pytest.raises(ValueError, match="choose another folder, or delete this one") as told_so:
        trained(case, tmp_path, network=network, **changed)
    assert f"{tmp_path} holds another training" in str(told_so.value)
    assert named in str(told_so.value)
    assert "\n" not in str(told_so.value)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_data_are_refused(tmp_path: Path) -> None:
    case = CASES["apart"]
    with pytest.raises(StoppedError):
        trained(case, tmp_path, stop=1)
    with pytest.raises(ValueError, match=r"other data \(train\)"):
        fit(network_of(case), made_tasks(2), steps=STEPS, checkpoint=tmp_path)


def test_a_full_disk_ends_in_one_line_and_the_earlier_checkpoint_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES["apart"]
    expected = told(trained(case, None))
    seed_generators()
    written = []
    write = os.write

    def full(handle: int, content: bytes) -> int:
        written.append(handle)
        if len(written) > 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, content)

    with monkeypatch.context() as patched:
        patched.setattr("os.write", full)
        with pytest.raises(
            OSError, match=r"cannot write .*step-000000010.* No space left"
        ) as error:
            trained(case, tmp_path)
    assert "\n" not in str(error.value)
    assert names(tmp_path) == ["step-000000000.safetensors", "step-000000005.safetensors"]
    assert told(trained(case, tmp_path)) == expected


def test_a_folder_that_cannot_be_written_is_told_before_the_first_step(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"file.*choose another folder \(checkpoint\)"):
        trained(CASES["apart"], tmp_path / "file" / "folder", stop=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"checkpoint_every": 5}, "needs a folder"),
        ({"checkpoint": "a", "checkpoint_every": 0}, "at least 1"),
        ({"checkpoint": "a", "checkpoint_every": 0.5}, "timedelta"),
        ({"checkpoint": "a", "checkpoint_every": True}, "got True"),
        ({"checkpoint": "a", "checkpoint_every": timedelta(0)}, "at least 1"),
        ({"clip_norm": 0}, "above 0"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(network_of(CASES["apart"]), made_tasks(), steps=1, **arguments)


def test_a_callback_whose_state_needs_code_is_refused_at_the_start(tmp_path: Path) -> None:
    class Odd:
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            raise StoppedError

        def state_dict(self) -> dict[str, Any]:
            return {"of": print}

        def load_state_dict(self, state: dict[str, Any]) -> None: ...

    with pytest.raises(TypeError, match="callbacks keeps a builtin_function"):
        trained(CASES["apart"], tmp_path, callbacks=[Odd()])


def test_parts_have_names_that_later_versions_look_for(tmp_path: Path) -> None:
    case = CASES["momentum and schedule"]
    with pytest.raises(StoppedError):
        trained(case, tmp_path, stop=6)
    newest = CheckpointFolder(tmp_path).newest()
    assert newest is not None
    always = {"network", "generators", "recorder", "callbacks"}
    assert set(newest.state) == always | {"optimizer", "schedule", "spreads"}
    trained(case, tmp_path)
    newest = CheckpointFolder(tmp_path).newest()
    assert newest is not None
    assert newest.finished
    assert set(newest.state) == always


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    folder = CheckpointFolder(tmp_path)
    monkeypatch.setattr("softshare.training.checkpoint_folder.os.listdir", refused)
    monkeypatch.setattr(
        "softshare.training.checkpoint_folder.remove_unfinished", lambda paths: None
    )
    told = f"checkpoint: cannot read {tmp_path}: Permission denied; make it readable, or choose"
    with pytest.raises(OSError, match=told):
        folder.newest()


def test_a_training_of_several_processes_cannot_be_kept() -> None:
    processes = Processes()
    require_checkpoints("folder", 5, processes)
    processes.count = 2
    require_checkpoints(None, None, processes)
    with pytest.raises(
        ValueError, match="several processes cannot be kept; leave it out, or train"
    ):
        require_checkpoints("folder", 5, processes)
