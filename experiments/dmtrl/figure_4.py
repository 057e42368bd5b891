"""DMTRL, Figure 4: alphabets of Omniglot; error by the share of drawings that train, sharing by
layer, the most and the least related alphabets.

    softshare reproduce dmtrl/figure-4

Published: curves only. The factorised methods err less than networks apart at all shares, tied
layers from half of the drawings on; at 10 % the sharing strength ρ falls from the lower layers to
the upper ones; by the upper ones Georgian (Mkhedruli) and Inuktitut are the most related, Balinese
and ULOG the least.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import softshare as ss
from softshare.data import omniglot
from softshare.methods.recipe import Recipe
from softshare.network.templates.standard import omniglot_cnn
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import Bars, OverCases
from softshare.reproduction.experiment import (
    SEARCH_SEEDS,
    Budget,
    Case,
    Contestant,
    Experiment,
    Search,
)
from softshare.reproduction.layer_measures import fall, related_pairs
from softshare.reproduction.measures import Measure, mean_error, ratio_of_weights, rho
from softshare.reproduction.pairs import Pairs
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

PAPER = "Yang & Hospedales, Deep multi-task representation learning, ICLR 2017"

ALPHABETS = (
    "Mkhedruli_(Georgian)",
    "Inuktitut_(Canadian_Aboriginal_Syllabics)",
    "Balinese",
    "ULOG",
    "Angelic",
    "Braille",
    "Futurama",
    "Greek",
    "Latin",
    "Tagalog",
)
"""The four that the paper names, and six others; with None in their place the experiment has all 50
at five times the cost.
"""

DRAWINGS = FromFiles(
    sets=(omniglot.SET,),
    load=partial(omniglot.load, ALPHABETS),
    made=omniglot.made,
)

HIDDEN_LAYERS = ("conv0", "conv1", "conv2", "hidden")
FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
SLOWEST, SLOW, USUAL = 2.5e-4, 5e-4, 1e-3
RATES = (1.25e-4, SLOWEST, SLOW, USUAL, 2e-3, 4e-3)
"""Six trials for everyone, of the learning rate and of what else a method has to choose."""
STARTS = (0.5, 0.75)
"""Of the steps, in which the tasks are trained apart before their weights are factorised: by ε,
which finds nothing in common in weights that were just drawn.
"""


def factorised(name: str, sharing: Sharing) -> dict[str, Recipe]:
    """The factorisation by ε of the weights of tasks trained apart, after each of the starts and at
    each of three rates.
    """
    recipe = Recipe(name, omniglot_cnn, sharing, paper=PAPER)
    candidates = {}
    for rate in (SLOWEST, SLOW, USUAL):
        for part in STARTS:
            candidate = replace(recipe, apart=part, learning_rate=rate)
            candidates[f"rate-{rate:g}-apart-{100 * part:g}"] = candidate
    return candidates


def apart() -> dict[str, Recipe]:
    """Networks that share nothing, at each of the rates."""
    recipe = Recipe("apart", omniglot_cnn, ss.Independent(), paper=PAPER)
    return {f"rate-{rate:g}": replace(recipe, learning_rate=rate) for rate in RATES}


def tied_first() -> dict[str, Recipe]:
    """Hard sharing of the first one to three layers at each of two rates."""
    candidates = {}
    for rate in (SLOWEST, USUAL):
        for count in (1, 2, 3):
            sharing = {**dict.fromkeys(HIDDEN_LAYERS[:count], ss.Tied()), "*": ss.Independent()}
            recipe = Recipe("ud-mtl", omniglot_cnn, sharing, paper=PAPER)
            candidates[f"rate-{rate:g}-first-{count}"] = replace(recipe, learning_rate=rate)
    return candidates


def of_drawings(fraction: float) -> ByFraction:
    """This share of every character's 20 drawings trains, an eighth of the others validates."""
    rest = 1 - fraction
    return ByFraction(train=fraction, parts=(fraction, rest / 8, 7 * rest / 8))


def case(fraction: float) -> Case:
    """A point of the axis."""
    return Case(
        name=f"{100 * fraction:g}-percent",
        data=DRAWINGS,
        division=of_drawings(fraction),
        budget=Budget(steps=200, batch_size=5),
        seeds=5,
        shown=f"{100 * fraction:g} %",
        x=100 * fraction,
        chosen_in=None if fraction == 0.1 else "10-percent",
    )


def tiny(full: Case) -> Case:
    """A case of a quick run: made alphabets, a few steps, one seed."""
    return replace(full, budget=Budget(steps=4, batch_size=2), seeds=1)


TEN_PERCENT = case(0.1)

EXPERIMENT = Experiment(
    name="dmtrl/figure-4",
    paper=PAPER,
    place="Figure 4",
    shows="what alphabets share, by the share of drawings that train, and in which layers.",
    protocol="reduced",
    departures=(
        "Ten of the 50 alphabets and 200 steps of five drawings each; the paper does not say how"
        " many steps.",
        "Six trials each, on validation drawings of one draw at 10 %: networks apart choose among"
        " six learning rates, factorised ones among three and two starts (how long tasks are"
        " trained apart before), tied ones among two and the number of their tied layers.",
        "ρ falls nearly as much in networks that share nothing: its claim tells little of sharing.",
        "ρ is measured in one gauge for all methods, from the singular vectors of the composed"
        " weights, and pairs of alphabets by the cosine of their weights.",
    ),
    minutes=120,
    cases=(
        TEN_PERCENT,
        *(case(fraction) for fraction in FRACTIONS if fraction != 0.1),
        replace(
            TEN_PERCENT,
            name="unrelated",
            shown="control: pixels in each alphabet's own order",
            data=Changed(DRAWINGS, permuted_inputs),
            seeds=3,
            x=None,
            contestants=("apart", "laf", "tucker", "tt"),
        ),
    ),
    contestants=(
        Contestant("apart", apart(), "apart (STL)"),
        Contestant("laf", factorised("laf", ss.LastAxisFlattening(epsilon=0.1)), "LAF"),
        Contestant("tucker", factorised("tucker", ss.Tucker(epsilon=0.1)), "Tucker"),
        Contestant("tt", factorised("tt", ss.TensorTrain(epsilon=0.1)), "TT"),
        Contestant("ud-mtl", tied_first(), "first layers tied (UD-MTL)"),
    ),
    measures=(
        Measure("error", mean_error, "error, %", better="lower"),
        Measure("ratio", partial(ratio_of_weights, template=omniglot_cnn), "ratio of weights"),
        Measure("rho", rho, "ρ", in_table=False),
        Measure("rho-fall", partial(fall, of=rho), "ρ, lowest less highest layer", digits=3),
        Measure("pairs", partial(related_pairs, layer="hidden"), "cosine", in_table=False),
    ),
    search=Search("error", seeds=SEARCH_SEEDS[:1]),
    drawings=(
        OverCases("error", axis="drawings that train, %"),
        Bars("rho", name="sharing-by-layer"),
        Pairs("pairs", contestant="tucker", shown="cosine, last hidden layer"),
    ),
)

QUICK = EXPERIMENT.quick((tiny(TEN_PERCENT), tiny(case(0.5))))
