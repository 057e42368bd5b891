"""What the experiments of the DMTRL paper on MNIST have in common: data, networks, contestants."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import softshare as ss
from softshare.data import mnist
from softshare.methods.recipe import Recipe
from softshare.network.templates.initialised import he_initialised
from softshare.network.templates.standard import TemplateFactory, lenet
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByFraction
from softshare.reproduction.experiment import SEARCH_SEEDS, Budget, Case, Contestant, Search
from softshare.reproduction.measures import Measure, ratio_of_weights, ten_way_error, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

PAPER = "Yang & Hospedales, Deep multi-task representation learning, ICLR 2017"

DEPARTURES = (
    "Images of 14 × 14 (each pixel the mean of four) and half the channels of the paper's network:"
    " on the paper's own a seed takes ten times as long.",
    "Ranks by an ε above the paper's .1, chosen among values at which no more weights are left than"
    " in the paper: networks keep much of the noise that they start from.",
    "Six trials each on two draws: networks apart choose among six learning rates, factorised ones"
    " among three and two ε at each, tied ones among two and the number of their tied layers."
    " 2,000 images that neither train nor test judge the trials, as a fifth of 600 tells these"
    " networks apart by chance.",
    "640 steps of 16 images, which err as 320 of 60 do on images that neither train nor test.",
    "All weights are drawn as He et al. (2015) draw them; all methods of a seed start from one draw"
    " and make the same total of steps, those of a factorisation's start apart among them.",
    "The ten-way error by the highest output stands for the error of the captions, which speak of"
    " the binary one, where to answer 'no' always errs in 10 %.",
)

DIGITS = FromFiles(
    sets=(mnist.SET,),
    load=partial(mnist.load, halved=True),
    made=partial(mnist.made, halved=True),
)
UNRELATED = Changed(DIGITS, permuted_inputs)
"""The control: each task sees the pixels in an order of its own, and shares nothing with others."""

LENET = partial(
    he_initialised, template=partial(lenet, channels=(16, 32), windows=(5, 4), hidden=128)
)
LARGE_LENET = partial(
    he_initialised, template=partial(lenet, channels=(16, 32), windows=(5, 4), hidden=512)
)
"""With a hidden layer as wide as the paper's text has it."""

HIDDEN_LAYERS = ("conv0", "conv1", "hidden")

BUDGET = Budget(steps=640, batch_size=16)
SEARCH = Search("error", seeds=SEARCH_SEEDS[:2], spare=2000)

MEASURES = (
    Measure("error", ten_way_error, "error, %", better="lower"),
    Measure("weights", weights, "weights", digits=0),
    Measure("ratio", partial(ratio_of_weights, template=LENET), "ratio of weights", "lower"),
)

SLOW, USUAL, FAST = 5e-4, 1e-3, 2e-3
RATES = (SLOW, 7e-4, USUAL, 1.4e-3, FAST, 2.8e-3)
"""Six trials for everyone, of the learning rate and of what else a method has to choose."""

Epsilons = Mapping[float, tuple[float, float]]
"""Learning rate → two ε: the further weights have moved from where all tasks start, the larger the
ε at which no more of them are left than in the paper.
"""

LAF: Epsilons = {SLOW: (0.09, 0.1), USUAL: (0.125, 0.15), FAST: (0.2, 0.25)}
TUCKER: Epsilons = {SLOW: (0.175, 0.2), USUAL: (0.21, 0.25), FAST: (0.275, 0.3)}
TT: Epsilons = {SLOW: (0.08, 0.1), USUAL: (0.125, 0.15), FAST: (0.175, 0.2)}


def of_images(fraction: float) -> ByFraction:
    """This fraction of the 60,000 images trains, none is set aside; the 10,000 test."""
    return ByFraction(train=fraction, parts=(6 / 7, 0.0, 1 / 7))


def apart() -> dict[str, Recipe]:
    """Networks that share nothing, at each of the rates."""
    recipe = Recipe("apart", LENET, ss.Independent(), binary_loss="hinge", paper=PAPER)
    return {f"rate-{rate:g}": replace(recipe, learning_rate=rate) for rate in RATES}


def of_ranks(name: str, sharing: Callable[..., Sharing], of_rate: Epsilons) -> dict[str, Recipe]:
    """Networks that half of the steps have trained apart, factorised at each ε."""
    recipe = Recipe(name, LENET, apart=0.5, binary_loss="hinge", paper=PAPER)
    candidates = {}
    for rate, epsilons in of_rate.items():
        for epsilon in epsilons:
            factorised = replace(recipe, sharing=sharing(epsilon=epsilon), learning_rate=rate)
            candidates[f"rate-{rate:g}-lost-{epsilon:g}"] = factorised
    return candidates


def tied_first(name: str, template: TemplateFactory) -> dict[str, Recipe]:
    """Hard sharing of the first one, two or three layers."""
    candidates = {}
    for rate in (USUAL, FAST):
        for count in range(1, len(HIDDEN_LAYERS) + 1):
            sharing = {**dict.fromkeys(HIDDEN_LAYERS[:count], ss.Tied()), "*": ss.Independent()}
            recipe = Recipe(name, template, sharing, binary_loss="hinge", paper=PAPER)
            candidates[f"rate-{rate:g}-first-{count}"] = replace(recipe, learning_rate=rate)
    return candidates


APART = Contestant("apart", apart(), "apart (STL)")
FACTORISED = (
    Contestant("laf", of_ranks("laf", ss.LastAxisFlattening, LAF), "LAF"),
    Contestant("tucker", of_ranks("tucker", ss.Tucker, TUCKER), "Tucker"),
    Contestant("tt", of_ranks("tt", ss.TensorTrain, TT), "TT"),
)
TIED = Contestant("ud-mtl", tied_first("ud-mtl", LENET), "first layers tied (UD-MTL)")
TIED_LARGE = Contestant(
    "ud-mtl-large", tied_first("ud-mtl-large", LARGE_LENET), "the same, wider (UD-MTL-Large)"
)


def tiny(case: Case) -> Case:
    """A case of a quick run: a few images of each digit, a few steps, one seed."""
    return replace(
        case,
        data=case.data.reduced(4),
        division=of_images(1.0),
        budget=replace(case.budget, steps=4, batch_size=8),
        seeds=1,
    )
