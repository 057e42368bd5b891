"""What the experiments of the TRMTL paper on CIFAR-10's three tasks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import softshare as ss
from experiments.trmtl.digits import PAPER
from softshare.data import cifar10, cifar10_made
from softshare.methods.recipe import Recipe
from softshare.network.templates.tensor_ring_nets import CIFAR10_RINGS, cifar10_cnn
from softshare.reproduction.controls import permuted_inputs
from softshare.reproduction.division import ByFraction
from softshare.reproduction.experiment import SEARCH_SEEDS, Budget, Case, Contestant, Search
from softshare.reproduction.measures import Measure, accuracies, mean_accuracy, weights
from softshare.reproduction.task_data import Changed, FromFiles
from softshare.sharing.base import Sharing

DEPARTURES = (
    "20,000 of the 50,000 images to train on, where only these are there.",
    "Two candidates for every method (learning rates; strengths; ε; ranks), chosen at 5 % of each"
    " task; the paper has rank 10 throughout.",
    "MRN's prior is on the last hidden layer, as tasks differ in their number of outputs, and it"
    " learns the tasks' covariance alone.",
    "All methods make the same total of steps, those of a factorisation's start apart among them.",
)

TASKS = FromFiles(sets=(cifar10.SET,), load=cifar10.load, made=cifar10_made.made)
UNRELATED = Changed(TASKS, permuted_inputs)
"""The control: each task sees the pixels in an order of its own."""

NAMES = {"a": "things", "b": "four-legged", "c": "bird or frog"}
"""The paper's letters, and what the tasks are called."""

BUDGET = Budget(steps=3000, batch_size=32)
SEARCH = Search("mean", seeds=SEARCH_SEEDS[:1])

MEASURES = (
    Measure("mean", mean_accuracy, "mean accuracy, %", better="higher"),
    Measure("accuracy", accuracies, "accuracy, %", better="higher"),
    Measure("weights", weights, "weights", digits=0),
)

BELOW = ("conv0", "conv1")
LAYERS = (*BELOW, *CIFAR10_RINGS)


def recipe(name: str, sharing: Mapping[str, Sharing], *, apart: float = 0) -> Recipe:
    """The network under a sharing; what it does not name is each task's own."""
    shared = {**sharing, "*": ss.Independent()}
    return Recipe(name, cifar10_cnn, shared, apart=apart, rows=2, paper=PAPER)


def apart() -> dict[str, Recipe]:
    """Two learning rates."""
    of = recipe("apart", {})
    return {"usual": of, "slow": replace(of, learning_rate=3e-4)}


def tied_below() -> dict[str, Recipe]:
    """Tied layers below a prior on the last hidden one, of two strengths."""
    candidates = {}
    for key, scale in (("full", 1.0), ("a-tenth", 0.1)):
        prior = ss.TensorNormal(scale=scale, every=50, warm_up=0)
        sharing: dict[str, Sharing] = {**dict.fromkeys(LAYERS[:-1], ss.Tied()), LAYERS[-1]: prior}
        candidates[key] = replace(recipe("mrn", sharing), initial="independent")
    return candidates


def factorised(name: str, sharing: type[ss.Tucker] | type[ss.TensorTrain]) -> dict[str, Recipe]:
    """All hidden layers, ranks by ε from networks trained apart for half of the steps."""
    return {
        key: recipe(name, dict.fromkeys(LAYERS, sharing(epsilon=epsilon)), apart=0.5)
        for key, epsilon in (("a-tenth", 0.1), ("three-tenths", 0.3))
    }


def rings(pattern: str) -> dict[str, Recipe]:
    """Two ranks; the first two layers are dense and each task's own."""
    candidates = {}
    for rank in (10, 16):
        sharing: dict[str, Sharing] = dict.fromkeys(
            CIFAR10_RINGS, ss.TensorRing(rank, shared=pattern, cores=4)
        )
        candidates[f"rank-{rank}"] = replace(
            recipe(f"trmtl-{pattern}", sharing), initial="independent"
        )
    return candidates


STL = Contestant("apart", apart(), "apart (STL)")
RELATIONSHIPS = Contestant("mrn", tied_below(), "MRN")
TUCKER = Contestant("tucker", factorised("tucker", ss.Tucker), "DMTRL, Tucker")
TENSOR_TRAIN = Contestant("tt", factorised("tt", ss.TensorTrain), "DMTRL, TT")


def trmtl(pattern: str) -> Contestant:
    """Rings of a pattern."""
    return Contestant(f"trmtl-{pattern}", rings(pattern), f"TRMTL {pattern}")


def case(a: int, b: int, c: int) -> Case:
    """So many per cent of each task's images train; the given images test."""
    shares = dict(zip(NAMES.values(), (a / 100, b / 100, c / 100), strict=True))
    return Case(
        f"{a}-{b}-{c}",
        TASKS,
        ByFraction(train=shares, parts=(0.8, 0.0, 0.2)),
        BUDGET,
        seeds=5,
        shown=f"{a}, {b}, {c} %",
        chosen_in=None if (a, b, c) == (5, 5, 5) else "5-5-5",
    )


def tiny(of: Case) -> Case:
    """A case of a quick run."""
    every = ByFraction(parts=(0.8, 0.0, 0.2))
    budget = replace(of.budget, steps=2, batch_size=2)
    return replace(of, data=of.data.reduced(3), division=every, budget=budget, seeds=1)
