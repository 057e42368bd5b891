"""What the experiments of the TRMTL paper on Omniglot have in common."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import softshare as ss
from experiments.trmtl.digits import PAPER
from softshare.data import omniglot, omniglot_sets
from softshare.methods.recipe import Recipe
from softshare.network.templates.tensor_ring_nets import OMNIGLOT_MODES, omniglot_cnn
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.experiment import SEARCH_SEEDS, Budget, Case, Contestant, Search
from softshare.reproduction.measures import Measure, accuracies, mean_accuracy, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

SHRINK = 3
"""35 × 35 pixels; 1: the paper's 105 × 105, ten times the time."""

SHRUNK_MODES = {**OMNIGLOT_MODES, "hidden0": ((9, 8, 6, 6), (4, 4, 4, 4))}
MODES = OMNIGLOT_MODES if SHRINK == 1 else SHRUNK_MODES

DEPARTURES = (
    "Images of 35 × 35 (each pixel the mean of nine), whose 2,592 features the first affine layer"
    " takes for 23,328: a tenth of the time.",
    "Fifty characters are told apart in each task, the first five of each of its ten alphabets: the"
    " paper has outputs for fifty, and does not say which.",
    "All methods make the same total of steps, those of a factorisation's start apart among them.",
    "MRN's prior learns the tasks' covariance alone: that of 2,592 features takes longer than the"
    " training.",
    "Two candidates for every method (learning rates; strengths; ε; ranks), chosen on one draw at"
    " 10 %.",
)

TASKS = FromFiles(
    sets=(omniglot.SET,),
    load=partial(omniglot_sets.groups, SHRINK),
    made=partial(omniglot_sets.made_groups, SHRINK),
)
UNRELATED = Changed(TASKS, permuted_inputs)
"""The control: each task sees the pixels in an order of its own."""

BUDGET = Budget(steps=160, batch_size=24)
SEARCH = Search("mean", seeds=SEARCH_SEEDS[:1])

MEASURES = (
    Measure("mean", mean_accuracy, "mean accuracy, %", better="higher"),
    Measure("accuracy", accuracies, "accuracy, %", better="higher"),
    Measure("weights", weights, "weights", digits=0),
)

LAYERS = ("conv0", "conv1", "conv2", "hidden0")


def recipe(name: str, sharing: dict[str, Sharing], *, apart: float = 0) -> Recipe:
    """The network under a sharing; what it does not name is each task's own."""
    shared = {**sharing, "*": ss.Independent()}
    return Recipe(name, omniglot_cnn, shared, apart=apart, rows=1, paper=PAPER)


def at_rates(of: Recipe) -> dict[str, Recipe]:
    """Two learning rates to choose from."""
    return {
        "usual": replace(of, learning_rate=1e-3),
        "fast": replace(of, learning_rate=2e-3),
    }


def tied_below() -> dict[str, Recipe]:
    """All layers tied below a prior on the last hidden one, since outputs differ in number; two
    strengths.
    """
    candidates = {}
    for key, scale in (("full", 1.0), ("a-tenth", 0.1)):
        prior = ss.TensorNormal(scale=scale, every=20, warm_up=0)
        sharing: dict[str, Sharing] = {**dict.fromkeys(LAYERS[:-1], ss.Tied()), "hidden0": prior}
        candidates[key] = replace(recipe("mrn", sharing), initial="independent")
    return candidates


def factorised(name: str, sharing: type[ss.Tucker] | type[ss.TensorTrain]) -> dict[str, Recipe]:
    """All layers of one shape, ranks by ε from networks trained apart for half of the steps."""
    return {
        key: recipe(name, dict.fromkeys(LAYERS, sharing(epsilon=epsilon)), apart=0.5)
        for key, epsilon in (("a-tenth", 0.1), ("three-tenths", 0.3))
    }


def rings(pattern: str) -> dict[str, Recipe]:
    """Two ranks; the first layer is dense and each task's own, as in the paper."""
    candidates = {}
    for rank in (8, 12):
        ring = ss.TensorRing(rank, shared=pattern, modes=MODES)
        sharing: dict[str, Sharing] = dict.fromkeys(LAYERS[1:], ring)
        candidates[f"rank-{rank}"] = replace(
            recipe(f"trmtl-{pattern}", sharing), initial="independent"
        )
    return candidates


STL = Contestant("apart", at_rates(recipe("apart", {})), "apart (STL)")
RELATIONSHIPS = Contestant("mrn", tied_below(), "MRN")
TENSOR_TRAIN = Contestant("tt", factorised("tt", ss.TensorTrain), "DMTRL, TT")
TUCKER = Contestant("tucker", factorised("tucker", ss.Tucker), "DMTRL, Tucker")
TRMTL = Contestant("trmtl-432", rings("432"), "TRMTL 432")


def tiny(case: Case) -> Case:
    """A case of a quick run: a few drawings of each character, a few steps, one seed; without the
    decompositions of the largest layer, which take as long as all the rest.
    """
    return replace(
        case,
        data=case.data.reduced(10),
        budget=replace(case.budget, steps=4, batch_size=8),
        seeds=1,
        contestants=("apart", "mrn", "trmtl-432"),
    )
