"""Soft ordering, Section 4.4: forty attributes of the faces of CelebA.

    softshare reproduce soft-ordering/table-celeba

Published, mean accuracy in per cent: parallel order 89.79, soft order 91.21; others' single tasks
89.63. The images have no public home: they go to ``celeba/img_align_celeba``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from torch import nn

import softshare as ss
from experiments.soft_ordering.orders import PAPER, Orders
from softshare.data import celeba
from softshare.data.made_images import made_images
from softshare.network.templates.soft_layer_ordering import attributes_network
from softshare.reproduction.controls import shuffled_targets
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import Budget, Case, Experiment, Published
from softshare.reproduction.measures import Measure, mean_accuracy
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.tasks.task_set import TaskSet

SIZE = 64
CHANNELS = (16, 32, 64)
N_MADE, N_ATTRIBUTES = 160, 6


def encoder(input_shape: Sequence[int]) -> nn.Module:
    """A small convolutional network in place of a ResNet-50."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    n_in = input_shape[0]
    for number, n_out in enumerate(CHANNELS):
        layers[f"conv{number}"] = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        layers[f"relu{number}"] = nn.ReLU()
        n_in = n_out
    layers["pool"] = nn.AdaptiveAvgPool2d(4)
    return nn.Sequential(layers)


def faces_network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The encoder, and the paper's layers on its features."""
    head = attributes_network((CHANNELS[-1], 4, 4), n_outputs)
    below = OrderedDict(images=encoder(input_shape))
    return nn.Sequential(OrderedDict([*below.items(), *head.named_children()]))


def made_faces() -> TaskSet:
    """Images of a few patterns, each of which has some of the attributes."""
    kinds = np.arange(N_MADE) % 8
    has = np.random.default_rng(0).random((8, N_ATTRIBUTES)) < 0.5
    has[:2] = [[False], [True]]
    targets = {f"attribute {number}": has[kinds, number] for number in range(N_ATTRIBUTES)}
    parts = np.repeat(np.array(["train", "test"], dtype=object), [N_MADE // 2, N_MADE // 2])
    images = made_images(kinds, size=SIZE, channels=3)
    return TaskSet.from_shared_inputs(images, targets, kinds="binary", parts=parts)


FACES = FromFiles((celeba.SET,), partial(celeba.load, size=SIZE), made_faces)
SHARED = {"images.*": ss.Tied(), "encoder": ss.Tied(), "output": ss.Independent()}
ALL = Case(
    "attributes",
    FACES,
    ByFraction(),
    Budget(steps=5000, batch_size=32),
    seeds=5,
    shown="forty attributes",
)

EXPERIMENT = Experiment(
    name="soft-ordering/table-celeba",
    paper=PAPER,
    place="Section 4.4",
    shows="attributes that learn their order of shared layers are told better than in one order.",
    protocol="reduced",
    departures=(
        "Images of 64 × 64 and a small convolutional network, without any pretraining, in place of"
        " a ResNet-50 with the weights of ImageNet; 5,000 steps of Adam.",
        "Scales have ten times the learning rate of the weights.",
    ),
    minutes=1500,
    cases=(
        ALL,
        replace(
            ALL,
            name="shuffled",
            shown="control: attributes shuffled among the faces",
            data=Changed(FACES, shuffled_targets),
        ),
    ),
    contestants=Orders(faces_network, SHARED).contestants(),
    measures=(Measure("accuracy", mean_accuracy, "mean accuracy, %", better="higher"),),
    published=(
        Published("attributes", "apart", "accuracy", 89.63),
        Published("attributes", "parallel", "accuracy", 89.79),
        Published("attributes", "soft", "accuracy", 91.21),
    ),
    drawings=(Dots("accuracy"),),
)

QUICK = EXPERIMENT.quick(
    (replace(ALL, data=FACES.reduced(4), budget=Budget(steps=3, batch_size=8), seeds=1),)
)
