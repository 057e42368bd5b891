"""Soft ordering, Section 5: what a layer does, seen by sweeping one of its scales.

    softshare reproduce soft-ordering/section-5

Published: images of two of ten MNIST "4"s, each a task from the place to the brightness of a pixel;
in every context, depth or task, the first layer's scale has a similar effect.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

import softshare as ss
from experiments.soft_ordering.orders import PAPER, RATE_OF_SCALES
from softshare.data import mnist
from softshare.methods.recipe import Recipe
from softshare.network.templates.soft_layer_ordering import brightness_network
from softshare.reproduction.experiment import Budget, Case, Contestant, Experiment
from softshare.reproduction.measures import Judged, Measure
from softshare.reproduction.sweeps import Swept, swept_images
from softshare.reproduction.task_data import FromFiles
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Scaled

N_IMAGES = 10
SHOWN = 7
"""Pixels a side of the images that a record keeps."""


def made_fours() -> TaskSet:
    """Ten bright bars, each a little farther to the right than the last."""
    line = np.arange(mnist.SIZE) / (mnist.SIZE - 1)
    places = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)
    targets = {}
    for number in range(N_IMAGES):
        distance = places[:, 1] - 0.2 - 0.06 * number
        targets[f"image {number}"] = np.exp(-((distance / 0.1) ** 2))
    tasks = TaskSet.from_shared_inputs(places, targets, kinds="regression")
    scaling = np.tile([0.0, 1.0], (N_IMAGES, 1))
    return replace(tasks, preprocessing=(Scaled(1.0),), target_scaling=scaling)


def all_pixels(tasks: TaskSet, seed: int) -> Split:
    """Every pixel trains, and is judged by how well it is fitted."""
    everything = np.arange(len(tasks.rows))
    return Split(everything, everything[:0], everything)


def squared_error(judged: Judged) -> float:
    """Mean over tasks of the mean squared error of the brightness."""
    errors = []
    for outputs, targets in zip(judged.outputs, judged.targets, strict=True):
        errors.append(float(np.mean((outputs[:, 0] - targets) ** 2)))
    return float(np.mean(errors))


ORDERED = Recipe(
    "soft",
    brightness_network,
    {"*": ss.Tied(bias="tied")},
    initial="independent",
    rates={"core.scales": RATE_OF_SCALES},
    paper=PAPER,
)
ONE_ORDER = replace(
    ORDERED,
    name="parallel",
    sharing={"core.scales": ss.FixedOrder("parallel"), "*": ss.Tied(bias="tied")},
    rates={},
)
FOURS = Case(
    "fours",
    FromFiles((mnist.SET,), partial(mnist.brightness, N_IMAGES), made_fours),
    all_pixels,
    Budget(steps=4000, batch_size=196),
    seeds=3,
    shown='ten "4"s',
)

EXPERIMENT = Experiment(
    name="soft-ordering/section-5",
    paper=PAPER,
    place="Section 5",
    shows="one layer has similar effects at all depths and in all tasks.",
    protocol="reduced",
    departures=(
        "4,000 steps of 196 pixels. In one order for all, nothing distinguishes the tasks.",
        "Figures show every fourth pixel.",
    ),
    minutes=15,
    cases=(FOURS,),
    contestants=(
        Contestant("parallel", ONE_ORDER, "one order for all"),
        Contestant("soft", ORDERED, "soft order"),
    ),
    measures=(
        Measure("squared-error", squared_error, "squared error", better="lower", digits=4),
        Measure(
            "swept",
            partial(swept_images, side=mnist.SIZE, shown=SHOWN),
            "images as a scale is swept",
            in_table=False,
        ),
    ),
    drawings=(Swept("swept", "soft"),),
)

QUICK = EXPERIMENT.quick((replace(FOURS, budget=Budget(steps=4, batch_size=32), seeds=1),))
