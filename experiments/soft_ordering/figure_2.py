"""Soft ordering, Figure 2: two tasks of random labels, fitted by layers in one order or in two.

    softshare reproduce soft-ordering/figure-2

Published: curves only. Permuted layers fit n samples of each task as well as parallel ones fit half
as many, without activations (128 inputs) and with ReLU (16 inputs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

import softshare as ss
from experiments.soft_ordering.orders import PAPER, Orders
from softshare.network.templates.soft_layer_ordering import random_labels_network
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import Budget, Case, Contestant, Experiment
from softshare.reproduction.measures import Measure, mean_accuracy
from softshare.reproduction.task_data import Drawn
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet

INPUTS = {"linear": 128, "relu": 16}
SAMPLES = {"linear": (96, 192, 384), "relu": (192, 384, 768)}
N_TASKS = 2


@dataclass(frozen=True)
class RandomLabels:
    """Draws two tasks: inputs uniform in [0, 1], labels 0 or 1 by chance.

    Args:
        n: samples of each task.
        width: numbers in an input.
        one_task: whether both tasks have the same samples and labels (the control).
    """

    n: int
    width: int
    one_task: bool = False

    def __call__(self, seed: int) -> TaskSet:
        """The tasks of a seed."""
        examples = {}
        for number in range(N_TASKS):
            random = np.random.default_rng([seed, 0 if self.one_task else number])
            inputs = random.random((self.n, self.width)).astype(np.float32)
            examples[f"task {number + 1}"] = (inputs, random.permutation(self.n) % 2)
        return TaskSet.from_arrays(examples, kinds="binary")


def fitted(tasks: TaskSet, seed: int) -> Split:
    """All samples train, and are judged by how well they are fitted."""
    everything = np.arange(len(tasks.rows))
    return Split(everything, everything[:0], everything)


def case(activation: Literal["linear", "relu"], n: int) -> Case:
    """A point of the figure."""
    return Case(
        name=f"{activation}-{n}",
        data=Drawn(RandomLabels(n, INPUTS[activation])),
        division=fitted,
        budget=Budget(steps=STEPS[activation], batch_size=n),
        seeds=10,
        shown=f"{SHOWN[activation]}, {n} samples a task",
        x=n,
        contestants=(f"parallel-{activation}", f"permuted-{activation}"),
    )


def contestants(activation: Literal["linear", "relu"]) -> Sequence[Contestant]:
    """Both orders of two layers with this activation, or none, and everything shared."""
    template = partial(random_labels_network, activation=activation)
    both = Orders(template, ends={"output": ss.Tied()}).contestants("parallel", "permuted")
    shown = SHOWN[activation]
    return [
        replace(each, name=f"{each.name}-{activation}", shown=f"{each.shown}, {shown}")
        for each in both
    ]


def axis_of(activation: str) -> tuple[str, ...]:
    """The cases of one panel."""
    return tuple(f"{activation}-{n}" for n in SAMPLES[activation])


SHOWN = {"linear": "no activation", "relu": "ReLU"}
STEPS = {"linear": 500, "relu": 6000}
"""After which the loss falls hardly further: with ReLU both orders fit 384 samples by then."""

CASES = (
    *(case("linear", n) for n in reversed(SAMPLES["linear"])),
    *(case("relu", n) for n in reversed(SAMPLES["relu"])),
)
"""The hardest first, of which the claims are."""


def same_task(of: Case, data: RandomLabels) -> Case:
    """The control: one task twice, which two orders cannot fit better than one."""
    return replace(
        of,
        name=f"same-{of.name}",
        shown=f"control: {of.shown}, one task twice",
        data=Drawn(replace(data, one_task=True)),
        x=None,
    )


LINEAR, RELU = case("linear", 384), case("relu", 768)

EXPERIMENT = Experiment(
    name="soft-ordering/figure-2",
    paper=PAPER,
    place="Figure 2",
    shows="two orders of the same layers fit two unrelated tasks better than one order does.",
    protocol="reduced",
    departures=(
        "Three numbers of samples a panel, of which every step sees all, and 500 or 6,000 steps.",
        "Each task has as many samples of one label as of the other.",
    ),
    minutes=6,
    cases=(
        *CASES,
        same_task(LINEAR, RandomLabels(384, INPUTS["linear"])),
        same_task(RELU, RandomLabels(768, INPUTS["relu"])),
    ),
    contestants=(*contestants("linear"), *contestants("relu")),
    measures=(Measure("fitted", mean_accuracy, "samples fitted, %", better="higher"),),
    drawings=(
        OverCases("fitted", axis="samples of each task", cases=axis_of("linear")),
        OverCases("fitted", axis="samples of each task", cases=axis_of("relu"), name="relu"),
    ),
)

QUICK = EXPERIMENT.quick(
    replace(each, data=each.data.reduced(8), budget=Budget(steps=4, batch_size=8), seeds=1)
    for each in (EXPERIMENT.cases[2], EXPERIMENT.cases[5])
)
