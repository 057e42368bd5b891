"""What the experiments of the DMTRL paper on MNIST have in common: data, networks, contestants."""

from __future__ import annotations

from collections.abc import Callable
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
    "Three trials each: networks apart choose among learning rates, factorised ones among ε at the"
    " usual rate, which may not be their best.",
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
SEARCH = Search("error", seeds=SEARCH_SEEDS[:2])

MEASURES = (
    Measure("error", ten_way_error, "error, %", better="lower"),
    Measure("weights", weights, "weights", digits=0),
    Measure("ratio", partial(ratio_of_weights, template=LENET), "ratio of weights", "lower"),
)

RATES = {"slow": 5e-4, "usual": 1e-3, "fast": 2e-3}
"""Three trials for everyone: of the learning rate, of ε, or of the number of tied layers (UD-MTL).
"""


def of_images(fraction: float) -> ByFraction:
    """This fraction of the 60,000 images trains, none is set aside; the 10,000 test."""
    return ByFraction(train=fraction, parts=(6 / 7, 0.0, 1 / 7))


def at_rates(name: str, sharing: Sharing) -> dict[str, Recipe]:
    """The network under a sharing, at each of the rates."""
    recipe = Recipe(name, LENET, sharing, binary_loss="hinge", paper=PAPER)
    return {key: replace(recipe, learning_rate=rate) for key, rate in RATES.items()}


def of_ranks(
    name: str, sharing: Callable[..., Sharing], epsilons: tuple[float, ...]
) -> dict[str, Recipe]:
    """Networks that half of the steps have trained apart, factorised at each ε."""
    recipe = Recipe(name, LENET, apart=0.5, binary_loss="hinge", paper=PAPER)
    candidates = {}
    for epsilon in epsilons:
        candidates[f"lost-{epsilon:g}"] = replace(recipe, sharing=sharing(epsilon=epsilon))
    return candidates


def tied_first(name: str, template: TemplateFactory) -> dict[str, Recipe]:
    """Hard sharing of the first one, two or three layers."""
    candidates = {}
    for count in range(1, len(HIDDEN_LAYERS) + 1):
        sharing = {**dict.fromkeys(HIDDEN_LAYERS[:count], ss.Tied()), "*": ss.Independent()}
        recipe = Recipe(name, template, sharing, binary_loss="hinge", paper=PAPER)
        candidates[f"first-{count}"] = recipe
    return candidates


APART = Contestant("apart", at_rates("apart", ss.Independent()), "apart (STL)")
FACTORISED = (
    Contestant("laf", of_ranks("laf", ss.LastAxisFlattening, (0.15, 0.2, 0.25)), "LAF"),
    Contestant("tucker", of_ranks("tucker", ss.Tucker, (0.25, 0.3, 0.35)), "Tucker"),
    Contestant("tt", of_ranks("tt", ss.TensorTrain, (0.15, 0.2, 0.25)), "TT"),
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
