"""What the experiments of the TRMTL paper on MNIST have in common: data, networks, contestants."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod

from torch import nn

import softshare as ss
from softshare.data import mnist
from softshare.methods.recipe import Recipe
from softshare.network.templates.initialised import he_initialised
from softshare.network.templates.standard import mlp
from softshare.network.templates.tensor_ring_nets import DIGITS_MODES, DIGITS_WIDTHS
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByCount
from softshare.reproduction.experiment import Budget, Case, Contestant
from softshare.reproduction.measures import Measure, accuracies, mean_accuracy, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

PAPER = "Tensor Ring Nets Adapted Deep Multi-Task Learning, ICLR 2019 submission"

HALVED = True
"""Images of 14 × 14 and a network of their size; False: the paper's own, thirty times the time."""

WIDTHS = {28 * 28: DIGITS_WIDTHS, 14 * 14: (256, 256, 64)}
"""Pixels → widths of the hidden layers."""

HALVED_MODES = {
    "layers.0": ((7, 7, 2, 2), (4, 4, 4, 4)),
    "layers.1": ((4, 4, 4, 4), (4, 4, 4, 4)),
    "layers.2": ((4, 4, 4, 4), (4, 4, 2, 2)),
}
MODES = HALVED_MODES if HALVED else DIGITS_MODES

DEPARTURES = (
    "Images of 14 × 14 (each pixel the mean of four) and hidden layers of 256, 256 and 64 for the"
    " paper's 1296, 1296 and 256: a thirtieth of its time, and of its weights 265 thousand apart"
    " for 6,060 thousand, so that rings of one rank save a tenth of what they save there.",
    "Outputs for a task's own five digits; weights drawn as He et al. (2015) draw them.",
    "All methods make the same total of steps, those of a factorisation's start apart among them.",
    "All 10,000 test images judge; they are the same for all seeds, whose images to train on and"
    " initial weights differ.",
    "MRN's heads start from weights of their own: from common ones, the first class of either task"
    " asks the tied layers for the same features.",
)

DIGITS = FromFiles(
    sets=(mnist.SET,),
    load=partial(mnist.odd_even, halved=HALVED),
    made=partial(mnist.made_odd_even, halved=HALVED),
)
UNRELATED = Changed(DIGITS, permuted_inputs)
"""The control: each task sees the pixels in an order of its own, and shares nothing with the other.
"""

BUDGET = Budget(steps=240, batch_size=32)

MEASURES = (
    Measure("accuracy", accuracies, "accuracy, %", better="higher"),
    Measure("mean", mean_accuracy, "mean accuracy, %", better="higher"),
    Measure("weights", weights, "weights", digits=0),
)


def network(input_shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """The perceptron for images of either size."""
    return mlp(input_shape, n_outputs, hidden=WIDTHS[prod(input_shape)])


NETWORK = partial(he_initialised, template=network)


def recipe(
    name: str, hidden: Sharing, output: Sharing | None = None, *, apart: float = 0
) -> Recipe:
    """The network with its hidden layers shared so; outputs are each task's own otherwise."""
    sharing = {"layers.*": hidden, "*": output or ss.Independent()}
    return Recipe(name, NETWORK, sharing, apart=apart, paper=PAPER)


def rings(pattern: str, rank: int) -> Recipe:
    """Hidden layers as rings of one rank, which can start at random only."""
    ring = ss.TensorRing(rank, shared=pattern, modes=MODES)
    return replace(recipe(f"trmtl-{pattern}", ring), initial="independent")


def counts(odd: int, even: int) -> ByCount:
    """So many images of each task train."""
    return ByCount({"odd": odd, "even": even})


def tiny(case: Case) -> Case:
    """A case of a quick run: a few images of each digit, a few steps, one seed."""
    return replace(
        case,
        data=case.data.reduced(6),
        division=counts(20, 10),
        budget=replace(case.budget, steps=4, batch_size=8),
        seeds=1,
    )


APART = recipe("apart", ss.Independent())
MRN = replace(
    recipe("mrn", ss.Tied(), ss.TensorNormal(modes=("in", "out", "task"), scale=1.0, warm_up=0)),
    initial="independent",
)


def factorised(name: str, sharing: type[ss.Tucker] | type[ss.TensorTrain]) -> dict[str, Recipe]:
    """Ranks by ε from networks that half of the steps have trained apart."""
    return {
        key: recipe(name, sharing(epsilon=epsilon), apart=0.5)
        for key, epsilon in (("a-tenth", 0.1), ("three-tenths", 0.3))
    }


def at_rates(of: Recipe) -> dict[str, Recipe]:
    """Two learning rates to choose from."""
    return {
        "usual": replace(of, learning_rate=1e-3),
        "fast": replace(of, learning_rate=3e-3),
    }


def of_ranks(pattern: str) -> dict[str, Recipe]:
    """Two ranks to choose from."""
    return {f"rank-{rank}": rings(pattern, rank) for rank in (5, 10)}


STL = Contestant("apart", at_rates(APART), "apart (STL)")
RELATIONSHIPS = Contestant("mrn", at_rates(MRN), "MRN")
TUCKER = Contestant("tucker", factorised("tucker", ss.Tucker), "DMTRL, Tucker")
TENSOR_TRAIN = Contestant("tt", factorised("tt", ss.TensorTrain), "DMTRL, TT")
