"""Adapters of a pretrained network, for the twenty evaluation alphabets of Omniglot.

    SOFTSHARE_DATA=... python -m experiments.sums.adapters [--seeds 0 1 2] [--kinds ...]

A small convolutional network learns the 964 characters of the 30 background alphabets (all their
drawings, halved twice to 28 × 28 pixels; minutes of one core, once). Each of the twenty evaluation
alphabets is a task: two drawings of every character train, four choose the step, fourteen test. An
alphabet's output layer is always its own. What is adapted, and how many numbers each task has of
its own, the output layer and the four biases aside:

* ``scratch``: all layers, from a random start; ``fine-tuned``: all layers, from the trained ones;
* ``head``: none, the trained network is as it is;
* ``low rank``: a sum of four products beside the last three trained layers, each task's own;
* ``train R``: tensor trains across the tasks beside the same layers, of ranks R.

Runs are paired by seeds: one draw of the training drawings, one start, the same batches. Learning
rates are chosen on a draw of its own, by the drawings that choose the step there: first the output
layers', where nothing is adapted; then that of what is adapted, six for each kind (the trains
have that of rank 4). A run whose record exists is not run again: 64 of them, half a minute to a
minute of one core each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import softshare as ss
from softshare.data import omniglot
from softshare.network.predict import predict
from softshare.sharing.base import Sharing

RECORDS = Path(__file__).parent / "records"
PRETRAINED = Path(__file__).parent / "pretrained.npz"
SIZE = 28
N_BACKGROUND = 964 * 20
"""Images of the background alphabets, which come first."""

PRETRAINING_STEPS, PRETRAINING_BATCH = 1500, 128
STEPS, BATCH_SIZE = 300, 10
OUTPUT_RATES = (4e-3, 1.6e-2, 6.4e-2)
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 4e-3)
OF_NOTHING = 3e-5
"""The rate of ``head``, which adapts nothing."""
SEARCH_SEED = 100
ADAPTED = ("conv1", "conv2", "hidden")
RANK = 4
TRAIN_RANKS = (2, 4, 8)
KINDS = ("scratch", "fine-tuned", "head", "low rank", *(f"train {rank}" for rank in TRAIN_RANKS))


def main() -> None:
    """Pretrain once, then run what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="*", type=int, default=list(range(5)))
    parser.add_argument("--kinds", nargs="*", default=list(KINDS))
    asked = parser.parse_args()
    background, evaluation = read()
    if not PRETRAINED.exists():
        pretrain(background)
    with np.load(PRETRAINED) as arrays:
        trained = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    search = partial(searched, tasks=evaluation, trained=trained)
    output_rate = search("head", "output_rate", OUTPUT_RATES, rate=OF_NOTHING)
    chosen: dict[str, float] = {"head": OF_NOTHING}
    for kind in asked.kinds:
        alike = "train 4" if kind.startswith("train") else kind
        if alike not in chosen:
            chosen[alike] = search(alike, "rate", RATES, output_rate=output_rate)
        chosen[kind] = chosen[alike]
    for seed, kind in product(asked.seeds, asked.kinds):
        path = RECORDS / f"adapters-{kind.replace(' ', '-')}-{seed}.json"
        run(path, kind, chosen[kind], output_rate, seed, evaluation, trained)


def searched(
    kind: str,
    name: str,
    values: Sequence[float],
    *,
    tasks: ss.TaskSet,
    trained: Mapping[str, Tensor],
    **given: float,
) -> float:
    """The value of a rate that has the least error on the drawings that choose, of a draw that no
    result is taken from.
    """
    errors = {}
    for value in values:
        path = RECORDS / f"adapters-search-{kind.replace(' ', '-')}-{name}-{value:g}.json"
        rates = given | {name: value}
        record = run(path, kind, rates["rate"], rates["output_rate"], SEARCH_SEED, tasks, trained)
        errors[value] = record["validation"]
    return min(errors, key=lambda value: errors[value])


def read() -> tuple[ss.TaskSet, ss.TaskSet]:
    """One task of all background characters, and a task for every evaluation alphabet."""
    tasks = omniglot.load()
    images, targets, names = [], [], []
    data: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for number, task in enumerate(tasks.tasks):
        own = tasks.task_of == number
        rows = tasks.rows[own]
        small = halved(np.asarray(tasks.sources[0][rows]))
        if rows.max() < N_BACKGROUND:
            images.append(small)
            targets.append(len(names) + tasks.targets[own].astype(int))
            names += [f"{task.label} {one}" for one in task.classes]
        else:
            data[task.label] = (small, tasks.targets[own].astype(int))
    background = {"background": (np.concatenate(images), np.concatenate(targets))}
    alphabets = ss.TaskSet.from_arrays(data, kinds="multiclass")
    return (
        ss.TaskSet.from_arrays(background, kinds="multiclass"),
        replace(alphabets, train_fraction_of_all=True),
    )


def halved(images: np.ndarray) -> np.ndarray:
    """Means of pixels, ink 1 on 0. Shapes: (N, 1, 105, 105) to (N, 1, 28, 28)."""
    pixels = torch.from_numpy(images).float() / 255
    return nn.functional.adaptive_avg_pool2d(pixels, SIZE).numpy()


def network(input_shape: Any, n_outputs: int) -> nn.Sequential:
    """Three convolutions, a hidden layer and the output."""

    def block(n_in: int, n_out: int) -> nn.Conv2d:
        return nn.Conv2d(n_in, n_out, 3, padding=1)

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for number, (n_in, n_out) in enumerate(((1, 32), (32, 32), (32, 64))):
        layers[f"conv{number}"] = block(n_in, n_out)
        layers[f"relu{number}"] = nn.ReLU()
        layers[f"pool{number}"] = nn.MaxPool2d(2)
    layers["flat"] = nn.Flatten()
    layers["hidden"] = nn.Linear(64 * 9, 128)
    layers["relu"] = nn.ReLU()
    layers["output"] = nn.Linear(128, n_outputs)
    return nn.Sequential(layers)


class LowRank(nn.Module):
    """A trained layer, and beside it one of low rank that starts at zero (Hu et al. 2022)."""

    def __init__(self, base: nn.Conv2d | nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down: nn.Module
        self.up: nn.Conv2d | nn.Linear
        if isinstance(base, nn.Conv2d):
            self.down = nn.Conv2d(base.in_channels, RANK, 3, padding=1, bias=False)
            self.up = nn.Conv2d(RANK, base.out_channels, 1, bias=False)
        else:
            self.down = nn.Linear(base.in_features, RANK, bias=False)
            self.up = nn.Linear(RANK, base.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        """The sum of both."""
        total: Tensor = self.base(inputs) + self.up(self.down(inputs))
        return total


def template(
    input_shape: Any, n_outputs: int, *, trained: Mapping[str, Tensor], low_rank: bool
) -> nn.Module:
    """The network with trained values below its output, and low-rank layers where asked for."""
    made = network(input_shape, n_outputs)
    made.load_state_dict(dict(trained), strict=False)
    if low_rank:
        for name in ADAPTED:
            setattr(made, name, LowRank(getattr(made, name)))
    return made


def pretrain(background: ss.TaskSet) -> None:
    """Learn all background characters, and keep all layers but the output."""
    begin = time.process_time()
    made = ss.MultiTaskNetwork(network, background, sharing=ss.Independent(), seed=0)
    steps = PRETRAINING_STEPS
    history = ss.fit(made, background, steps=steps, batch_size=PRETRAINING_BATCH, seed=0)
    plain = made.task("background")
    values = {}
    for name, value in plain.state_dict().items():
        if not name.startswith("output"):
            values[name] = value.numpy()
    np.savez(PRETRAINED, **values)
    print(f"pretrained: {list(history)[-1]}, {time.process_time() - begin:.0f} s", flush=True)


def made(
    kind: str, train: ss.TaskSet, trained: Mapping[str, Tensor], seed: int
) -> ss.MultiTaskNetwork:
    """The network of a kind before its first step."""
    own: dict[str, Sharing] = {"output": ss.Independent()}
    make: Any = partial(template, trained=trained, low_rank=kind == "low rank")
    if kind == "scratch":
        make = network
    if kind in ("scratch", "fine-tuned"):
        own["*"] = ss.Independent()
    if kind == "low rank":
        own |= {"*down": ss.Independent(), "*up": ss.Independent()}
    if kind.startswith("train"):
        rank = int(kind.removeprefix("train "))
        # A convolution's modes are height, width, inputs, outputs and tasks; 3 is all of a height.
        in_convolutions = ss.Pretrained() + ss.TensorTrain((min(3, rank), rank, rank, rank))
        own |= dict.fromkeys(ADAPTED, in_convolutions)
        own["hidden"] = ss.Pretrained() + ss.TensorTrain((rank, rank))
    own.setdefault("*", ss.Pretrained())
    return ss.MultiTaskNetwork(make, train, sharing=own, initial="common", seed=seed)


def run(
    path: Path,
    kind: str,
    rate: float,
    output_rate: float,
    seed: int,
    tasks: ss.TaskSet,
    trained: Mapping[str, Tensor],
) -> dict[str, Any]:
    """Train and measure, and write the record, unless there is one."""
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text())
        return known
    begin = time.process_time()
    train, validation, test = tasks.split(seed=seed, fractions=(0.1, 0.2, 0.7), train_fraction=0.1)
    together = made(kind, train, trained, seed)
    own = [
        value.numel()
        for name, value in together.named_parameters()
        if value.requires_grad and "output" not in name
    ]
    ss.fit(
        together,
        train,
        validation=validation,
        steps=STEPS,
        batch_size=BATCH_SIZE,
        learning_rate=rate,
        learning_rates={"output": output_rate},
        evaluate_every=STEPS // 5,
        keep_best="jointly",
        seed=seed,
    )
    record = {"kind": kind, "rate": rate, "output_rate": output_rate, "seed": seed}
    record |= {"own": round(sum(own) / len(train), 1)}
    record |= {"validation": error(together, validation), "test": error(together, test)}
    record |= {"seconds": round(time.process_time() - begin, 1)}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(record, flush=True)
    return record


def error(network: ss.MultiTaskNetwork, tasks: ss.TaskSet) -> float:
    """The alphabets' mean share of wrong answers."""
    wrong = []
    for number, scores in enumerate(predict(network, tasks)):
        wanted = tasks.targets[tasks.task_of == number]
        wrong.append((scores.numpy().argmax(1) != wanted).mean())
    return round(float(np.mean(wrong)), 5)


if __name__ == "__main__":
    main()
