"""DMTRL, Figure 3: gender and age group of the faces of Adience, as more of the images train.

    softshare reproduce dmtrl/figure-3

The set's images are to be had on request only. Without them made images of its form stand in, which
show that the experiment runs; with them in the data folder the same command runs on them.

Published: curves only. For gender the factorised methods err less than networks apart, and tied
layers not always; for age they mostly do, and tied layers are worse where all images train.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import softshare as ss
from softshare.data import adience
from softshare.methods.recipe import Recipe
from softshare.network.templates.convolutional import levi_hassner_cnn
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import (
    SEARCH_SEEDS,
    Budget,
    Case,
    Contestant,
    Experiment,
    Search,
)
from softshare.reproduction.measures import Measure, errors, mean_error, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

PAPER = "Yang & Hospedales, Deep multi-task representation learning, ICLR 2017"

FACES = FromFiles(sets=(adience.SET,), load=adience.load, made=adience.made)

HIDDEN_LAYERS = ("conv0", "conv1", "conv2", "hidden0", "hidden1")
FRACTIONS = (0.05, 0.1, 0.2, 0.5, 1.0)
RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3)
"""Five trials for everyone, as there are five numbers of tied layers."""

CNN = partial(levi_hassner_cnn, hidden=512)
SOME = ByFraction(parts=(0.8, 0.2, 0.0))


def at_rates(name: str, sharing: Sharing, *, apart: float = 0.0) -> dict[str, Recipe]:
    """The network under a sharing of all layers but the outputs, at each of the rates."""
    recipe = Recipe(name, CNN, sharing, apart=apart, paper=PAPER)
    return {f"rate-{rate:g}": replace(recipe, learning_rate=rate) for rate in RATES}


def tied_first() -> dict[str, Recipe]:
    """Hard sharing of the first one to five layers."""
    candidates = {}
    for count in range(1, len(HIDDEN_LAYERS) + 1):
        sharing = {**dict.fromkeys(HIDDEN_LAYERS[:count], ss.Tied()), "*": ss.Independent()}
        candidates[f"first-{count}"] = Recipe("ud-mtl", CNN, sharing, paper=PAPER)
    return candidates


def case(fraction: float) -> Case:
    """A point of the axis."""
    return Case(
        name=f"{100 * fraction:g}-percent",
        data=FACES,
        division=replace(SOME, train=fraction),
        budget=Budget(steps=2000, batch_size=64),
        seeds=5,
        shown=f"{100 * fraction:g} %",
        x=100 * fraction,
        chosen_in=None if fraction == 0.2 else "20-percent",
    )


def tiny(full: Case) -> Case:
    """A case of a quick run: a few made faces of each class, a few steps, one seed."""
    return replace(
        full,
        data=full.data.reduced(3),
        division=replace(SOME, train=1.0),
        budget=Budget(steps=2, batch_size=4),
        seeds=1,
    )


EXPERIMENT = Experiment(
    name="dmtrl/figure-3",
    paper=PAPER,
    place="Figure 3",
    shows="what gender and age group of a face share, by the number of images that train.",
    protocol="reduced",
    departures=(
        "Images of 64 × 64, and 2,000 steps at every fraction; the paper says neither.",
        "The first of the five folds tests, a fifth of the others' people validates.",
        "Weights are drawn as He et al. (2015) draw them.",
    ),
    minutes=3000,
    cases=(
        *(case(fraction) for fraction in FRACTIONS),
        replace(
            case(0.2),
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=Changed(FACES, permuted_inputs),
            x=None,
            chosen_in=None,
        ),
    ),
    contestants=(
        Contestant("apart", at_rates("apart", ss.Independent()), "apart (STL)"),
        Contestant("laf", at_rates("laf", ss.LastAxisFlattening(epsilon=0.1), apart=0.5), "LAF"),
        Contestant("tucker", at_rates("tucker", ss.Tucker(epsilon=0.1), apart=0.5), "Tucker"),
        Contestant("tt", at_rates("tt", ss.TensorTrain(epsilon=0.1), apart=0.5), "TT"),
        Contestant("ud-mtl", tied_first(), "first layers tied (UD-MTL)"),
    ),
    measures=(
        Measure("errors", errors, "error, %", better="lower"),
        Measure("mean-error", mean_error, "mean error, %", better="lower"),
        Measure("weights", weights, "weights", digits=0),
    ),
    search=Search("mean-error", seeds=SEARCH_SEEDS[:1]),
    drawings=(
        OverCases("errors/gender", axis="images that train, %", logarithmic=True),
        OverCases("errors/age", axis="images that train, %", logarithmic=True, name="age"),
    ),
)

QUICK = EXPERIMENT.quick((replace(tiny(case(0.2)), contestants=("apart", "laf", "ud-mtl")),))
