"""Trainings and sweeps killed at random, which go on from their checkpoints.

``python -m benchmarks.resumed [KILLS [SEED]]`` kills (-9) a training at a random moment, lets it go
on, kills it again at another, lets it end, and holds its weights and history against those of one
that nobody disturbed, bit for bit; kinds of trainings take turns: what is shared and how, learned
spreads, covariances, lazy updates, dropout, schedules, random modules. Then it does the same with a
comparison in two worker processes, ``auto`` among its methods, whose runs write a checkpoint every
tenth of a second: all its processes are killed at once, and its folder must in the end hold
what an undisturbed one holds, times aside, with nothing left behind. Every training and every sweep
is killed so often in all, every other time when there are checkpoints. 20 kills of each take about
ten minutes on two idle cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR

from benchmarks.kills import MOST_SECONDS, alive, contents, in_a_process, kill_process, said_in
from softshare.evaluation.compare import compare
from softshare.evaluation.records import unfinished
from softshare.methods.contestants import POOLED_RIDGE, RIDGE
from softshare.methods.factorisations import TENSOR_TRAIN
from softshare.methods.named import AUTO
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from softshare.training.diagnostic_history import DiagnosticHistory
from softshare.training.fit import fit
from softshare.training.lazy_adam import LazyAdam

STEPS = 120
EVERY = 3
"""Steps between checkpoints of a training: writing takes a good part of its time."""

PART_OF_TRAININGS = 0.25
"""Of the time that a sweep takes: what its trainings, that leave checkpoints, do."""

OUTCOME = "outcome.json"

KILLED_TRAININGS = "kills of trainings"
KILLED_SWEEPS = "kills of sweeps"
WITH_CHECKPOINTS = "of these when there were checkpoints"

OF_TORCH = "torchinductor"
"""Begins the name of the folder for temporary files that PyTorch makes with any optimizer."""

SMALL_AUTO = replace(AUTO, name="small", presets={"default": (POOLED_RIDGE, RIDGE, TENSOR_TRAIN)})


class Draws(nn.Module):
    """Draws from all generators that code shares, as modules of others may do."""

    def forward(self, inputs: Tensor) -> Tensor:
        """The inputs, and in training some noise."""
        if not self.training:
            return inputs
        return inputs + 0.1 * random.random() * np.random.rand() * torch.rand_like(inputs)  # noqa: NPY002


def normed(shape: Any, n_outputs: int) -> nn.Module:
    """A network with running statistics and noise of its own."""
    first = [nn.Linear(shape[0], 8), nn.BatchNorm1d(8), nn.ReLU(), Draws()]
    return nn.Sequential(*first, nn.Linear(8, n_outputs))


@dataclass(frozen=True)
class Kind:
    """A kind of training.

    Args:
        sharing: of the network.
        template: of the tasks' networks.
        options: of the training.
    """

    sharing: Any
    template: Any = mlp
    options: Mapping[str, Any] = field(default_factory=dict)


DROPPING = partial(mlp, dropout=0.3)

KINDS = {
    "independent": Kind(Independent(), options={"keep_best": True}),
    "tensor train, dropout": Kind(TensorTrain(ranks=0.5), DROPPING, {"keep_best": True}),
    "tensor normal": Kind(TensorNormal(every=4, warm_up=8), options={"patience": 60}),
    "sum, learned spread": Kind(Tied() + TensorTrain(ranks=0.5), DROPPING),
    "lazy": Kind(TensorTrain(ranks=0.5), DROPPING, {"optimizer": LazyAdam, "tasks_per_step": 2}),
    "schedule": Kind(
        Tied(),
        options={
            "optimizer": partial(SGD, momentum=0.9),
            "schedule": partial(CosineAnnealingLR, T_max=STEPS),
            "policy": "temperature",
            "clip_norm": 1.0,
        },
    ),
    "statistics and noise": Kind(Independent(), normed),
}


def main(kills: int = 100, seed: int = 0) -> int:
    """Kill trainings so often, and sweeps, or until Ctrl-C; returns the exit code."""
    torch.set_num_threads(1)
    generator = random.Random(seed)
    faults: list[str] = []
    made: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        _trainings(Path(folder) / "trainings", kills, generator, made, faults)
        _sweeps(Path(folder) / "sweeps", kills, generator, made, faults)
    for what, count in made.items():
        print(f"{count} {what}")
    print(f"{len(faults)} faults", *faults, sep="\n")
    return bool(faults)


def _trainings(
    place: Path, kills: int, generator: random.Random, made: Counter[str], faults: list[str]
) -> None:
    """Kill trainings, each twice before it may end."""
    number = 0
    expected = {}
    seconds = {}
    for name in KINDS:
        begin = time.monotonic()
        _until_the_end(place / name, partial(train, name))
        seconds[name] = time.monotonic() - begin
        expected[name] = (place / name / "out" / OUTCOME).read_text()
    while made[KILLED_TRAININGS] < kills:
        name = list(KINDS)[number % len(KINDS)]
        own = place / str(number)
        work = partial(train, name)
        for _ in range(2):
            made[KILLED_TRAININGS] += _killed(own, work, generator.random() * seconds[name])
        _until_the_end(own, work)
        if (own / "out" / OUTCOME).read_text() != expected[name]:
            faults.append(f"training {number}, {name}: other weights or history")
        number += 1
        print(f"{made[KILLED_TRAININGS]} {KILLED_TRAININGS}, {name}", file=sys.stderr)


def _sweeps(
    place: Path, kills: int, generator: random.Random, made: Counter[str], faults: list[str]
) -> None:
    """Kill sweeps, each twice before it may end."""
    begin = time.monotonic()
    _until_the_end(place / "undisturbed", sweep)
    seconds = time.monotonic() - begin
    expected = contents(place / "undisturbed" / "out")
    number = 0
    while made[KILLED_SWEEPS] < kills:
        own = place / str(number)
        # Most of a sweep is starting processes: one of two kills waits for a checkpoint first.
        has_checkpoints = partial(_has_checkpoints, own / "out")
        for part, after in ((1.0, _at_once), (PART_OF_TRAININGS, has_checkpoints)):
            wait = generator.random() * part * seconds
            made[KILLED_SWEEPS] += _killed(own, sweep, wait, after=after)
            made[WITH_CHECKPOINTS] += has_checkpoints()
        _until_the_end(own, sweep)
        found = contents(own / "out")
        different = [name for name in {*found, *expected} if found.get(name) != expected.get(name)]
        faults += [f"sweep {number}: other than expected: {name}" for name in sorted(different)]
        left = [path for path in (own / "tmp").iterdir() if not path.name.startswith(OF_TORCH)]
        faults += [f"sweep {number}: left behind: {path}" for path in left]
        number += 1
        print(f"{made[KILLED_SWEEPS]} {KILLED_SWEEPS}", *different, *left, file=sys.stderr)


def train(name: str, out: Path) -> None:
    """One training of a kind; what it ends with is written beside its checkpoints."""
    kind = KINDS[name]
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    lazy = kind.options.get("optimizer") is LazyAdam
    tasks = _tasks(0)
    network = MultiTaskNetwork(kind.template, tasks, sharing=kind.sharing, sparse_rows=lazy)
    seen = DiagnosticHistory(every=7)
    history = fit(
        network,
        tasks,
        validation=_tasks(1),
        steps=STEPS,
        batch_size=8,
        evaluate_every=5,
        callbacks=[seen],
        checkpoint=out / "checkpoints",
        checkpoint_every=EVERY,
        **kind.options,
    )
    digest = hashlib.blake2b()
    for value in (*network.parameters(), *network.buffers()):
        digest.update(value.detach().numpy().tobytes())
    rows = [{name: row[name] for name in row if name != "seconds"} for row in history]
    drawn = [torch.rand(1).item(), random.random(), np.random.rand()]  # noqa: NPY002
    outcome = {"weights": digest.hexdigest(), "rows": rows, "drawn": drawn, "seen": len(seen.rows)}
    (out / OUTCOME).write_text(json.dumps(outcome))


def sweep(out: Path) -> None:
    """One comparison, whose runs keep what they train all the time."""
    unfinished.EVERY = timedelta(seconds=0.1)
    compare(
        _tasks(0),
        methods=["tied", SMALL_AUTO],
        seeds=1,
        steps=150,
        hidden=[4],
        base="none",
        out=out,
        workers=2,
        progress=False,
    )


def _tasks(seed: int) -> TaskSet:
    """Three tasks of thirty rows or more."""
    generator = np.random.default_rng(seed)
    data = {}
    for number, name in enumerate(("north", "south", "west")):
        inputs = generator.normal(size=(30 + 20 * number, 4)).astype(np.float32)
        data[name] = (inputs, inputs.sum(axis=1) + generator.normal(size=len(inputs)))
    return TaskSet.from_arrays(data, kinds="regression")


def _at_once() -> bool:
    return True


def _has_checkpoints(out: Path) -> bool:
    return any(out.glob("unfinished/*/*/*"))


def _killed(
    place: Path,
    work: Callable[[Path], None],
    seconds: float,
    *,
    after: Callable[[], bool] = _at_once,
) -> bool:
    """Whether some work was killed so many seconds after something had come true, and had not ended
    before.
    """
    first = in_a_process(place, work)
    while alive([first]) and not after():
        time.sleep(0.01)
    time.sleep(seconds)
    family = alive([first])
    if family:
        family += alive(first.children(recursive=True))
    for process in family:
        kill_process(process)
    os.waitpid(first.pid, 0)
    psutil.wait_procs(family[1:], timeout=MOST_SECONDS)
    return bool(family)


def _until_the_end(place: Path, work: Callable[[Path], None]) -> None:
    """Let some work end.

    Raises:
        RuntimeError: it does not.
    """
    code = in_a_process(place, work).wait(MOST_SECONDS)
    if code:
        raise RuntimeError(f"it does not go on: code {code}, {said_in(place)}")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
