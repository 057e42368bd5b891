"""TRMTL, Table 3: Omniglot's characters with MNIST's digits, two tasks that have little in common.

    softshare reproduce trmtl/table-3

Published: accuracies of both by the share of the characters' drawings that train, see
``PUBLISHED``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import prod

from torch import nn

import softshare as ss
from experiments.trmtl.digits import PAPER
from softshare.data import mnist, omniglot, omniglot_sets
from softshare.methods.recipe import Recipe
from softshare.network.templates.initialised import he_initialised
from softshare.network.templates.standard import mlp
from softshare.network.templates.tensor_ring_nets import (
    OMNIGLOT_MNIST_MODES,
    OMNIGLOT_MNIST_WIDTHS,
)
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import Dots, OverCases
from softshare.reproduction.experiment import (
    SEARCH_SEEDS,
    Budget,
    Case,
    Contestant,
    Experiment,
    Published,
    Search,
)
from softshare.reproduction.measures import Measure, accuracies, mean_accuracy, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

SHRINK = 3
"""35 × 35 pixels for 105 × 105, and MNIST's halved; 1: the paper's own, whose 121 million weights
of one layer take hundreds of times as long.
"""

WIDTHS = {
    **OMNIGLOT_MNIST_WIDTHS,
    35 * 35: (441, 441, 64),
    14 * 14: (441, 441, 16),
}
"""Pixels → widths of the hidden layers."""

SHRUNK_MODES = {
    "layers.0": [((7, 7, 5, 5), (7, 7, 3, 3)), ((7, 7, 2, 2), (7, 7, 3, 3))],
    "layers.1": ((7, 7, 3, 3), (7, 7, 3, 3)),
    "layers.2": [((7, 7, 3, 3), (2, 2, 4, 4)), ((7, 7, 3, 3), (2, 2, 2, 2))],
}
MODES = OMNIGLOT_MNIST_MODES if SHRINK == 1 else SHRUNK_MODES

COLUMNS = ("apart", "tucker", "tt", "trmtl-200", "trmtl-211")
PUBLISHED = {
    50: ("55.0 98.1", "47.3 98.5", "50.0 98.4", "58.4 98.3", "59.7 98.3"),
    70: ("60.5 98.1", "46.1 98.3", "50.9 98.6", "62.9 98.3", "65.4 98.3"),
    100: ("63.3 98.1", "50.7 98.5", "52.3 98.5", "66.8 98.3", "67.5 98.3"),
}
"""Per cent of the drawings → accuracy on characters and on digits."""

DATA = FromFiles(
    sets=(omniglot.SET, mnist.SET),
    load=partial(omniglot_sets.characters_and_digits, SHRINK),
    made=partial(omniglot_sets.made_characters_and_digits, SHRINK),
)
BUDGET = Budget(steps=400, batch_size=32)


def network(input_shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """The perceptron for images of this size."""
    return mlp(input_shape, n_outputs, hidden=WIDTHS[prod(input_shape)])


def recipe(name: str, sharing: dict[str, Sharing], *, apart: float = 0) -> Recipe:
    """The network under a sharing of some hidden layers."""
    template = partial(he_initialised, template=network)
    shared = {**sharing, "*": ss.Independent()}
    # Tasks of different shapes have no weights to start from in common.
    return Recipe(name, template, shared, apart=apart, initial="independent", rows=4, paper=PAPER)


def apart() -> dict[str, Recipe]:
    """Two learning rates."""
    of = recipe("apart", {})
    return {
        "usual": replace(of, learning_rate=1e-3),
        "fast": replace(of, learning_rate=2e-3),
    }


def factorised(name: str, sharing: type[ss.Tucker] | type[ss.TensorTrain]) -> dict[str, Recipe]:
    """The only layer of one shape in both tasks, its ranks by ε."""
    return {
        key: recipe(name, {"layers.1": sharing(epsilon=epsilon)}, apart=0.5)
        for key, epsilon in (("a-tenth", 0.1), ("three-tenths", 0.3))
    }


def rings(pattern: str) -> dict[str, Recipe]:
    """Two ranks."""
    return {
        f"rank-{rank}": recipe(
            f"trmtl-{pattern}",
            {"layers.*": ss.TensorRing(rank, shared=pattern, modes=MODES)},
        )
        for rank in (12, 24)
    }


def share(percent: int) -> ByFraction:
    """This share of the characters' drawings trains, and all digits; given parts test."""
    train = {"characters": percent / 100, "digits": 1.0}
    return ByFraction(train=train, parts=(0.8, 0.0, 0.2))


def case(percent: int) -> Case:
    """A row of the table."""
    return Case(
        f"{percent}-percent",
        DATA,
        share(percent),
        BUDGET,
        seeds=5,
        shown=f"{percent} % of the drawings",
        x=percent,
        chosen_in=None if percent == 50 else "50-percent",
    )


def tiny(of: Case) -> Case:
    """A case of a quick run."""
    budget = replace(of.budget, steps=4, batch_size=8)
    return replace(of, data=of.data.reduced(6), budget=budget, seeds=1)


EXPERIMENT = Experiment(
    name="trmtl/table-3",
    paper=PAPER,
    place="Table 3",
    shows="rings gain on a hard task from an easy one that has little in common with it.",
    protocol="reduced",
    departures=(
        "Characters of 35 × 35 pixels and digits of 14 × 14, with hidden layers of 441, 441 and 64"
        " (digits: 16) for 11,025 twice and 64 (1,225 twice and 16): the paper's network has 243"
        " million weights.",
        "Rings have four cores in every layer; the first two of the first layer are those that"
        " suit both tasks, as in the paper.",
        "Fifty characters, the first five of each of ten alphabets; the paper does not say how"
        " many.",
        "The last six of a character's twenty drawings test, and 100 % is of the other fourteen;"
        " the paper does not say what tests.",
        "DMTRL shares the second layer, the only one of one shape; all methods make the same total"
        " of steps, those of its start apart among them.",
        "Two candidates for every method (learning rates; ε; ranks), chosen on one draw at 50 %.",
    ),
    minutes=35,
    cases=(
        case(50),
        replace(
            case(50),
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=Changed(DATA, permuted_inputs),
            x=None,
            seeds=3,
            contestants=("apart", "trmtl-200", "trmtl-211"),
        ),
        case(100),
        case(70),
    ),
    contestants=(
        Contestant("apart", apart(), "apart (STL)"),
        Contestant("tucker", factorised("tucker", ss.Tucker), "DMTRL, Tucker"),
        Contestant("tt", factorised("tt", ss.TensorTrain), "DMTRL, TT"),
        Contestant("trmtl-200", rings("200"), "TRMTL 200"),
        Contestant("trmtl-211", rings("211"), "TRMTL 211"),
    ),
    measures=(
        Measure("accuracy", accuracies, "accuracy, %", better="higher"),
        Measure("mean", mean_accuracy, "mean accuracy, %", better="higher"),
        Measure("weights", weights, "weights", digits=0),
    ),
    published=tuple(
        Published(f"{percent}-percent", contestant, f"accuracy/{task}", value)
        for percent, cells in PUBLISHED.items()
        for contestant, cell in zip(COLUMNS, cells, strict=True)
        for task, value in zip(("characters", "digits"), map(float, cell.split()), strict=True)
    ),
    search=Search("mean", seeds=SEARCH_SEEDS[:1]),
    drawings=(
        Dots("accuracy/characters"),
        OverCases("accuracy/characters", axis="drawings that train, %", name="by-drawings"),
    ),
)

QUICK = EXPERIMENT.quick([tiny(EXPERIMENT.cases[0])])
