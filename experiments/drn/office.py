"""What the experiments of the DRN paper have in common: domains, networks, contestants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import nn

import softshare as ss
from softshare.data import office_caltech
from softshare.data.made_tasks import made_tasks
from softshare.methods.contestants import LINEAR_MTFL, LINEAR_MTRL, LINEAR_RMTL
from softshare.methods.recipe import Recipe
from softshare.network.templates.bottleneck import bottleneck
from softshare.network.templates.standard import lenet
from softshare.reproduction.division import ByFraction
from softshare.reproduction.experiment import Budget, Case, Contestant
from softshare.reproduction.measures import Measure, accuracies, mean_accuracy
from softshare.reproduction.task_data import FromFiles
from softshare.sharing.base import Sharing
from softshare.tasks.task_set import TaskSet

PAPER = "Long, Wang & Yu, Learning multiple tasks with deep relationship networks, 2015/2017"

DEPARTURES = (
    "Networks stand on published features instead of a fine-tuned AlexNet: activations of GoogLeNet"
    " (without Caltech, where there are none; the paper's numbers are averaged over the same three"
    " domains) and counts of SURF words.",
    "The penalty enters as the paper's objective has it, at scale 1, unless validation data prefer"
    " a part of it; of those without a prior, validation data choose among learning rates and a"
    " pull of the output layer towards zero. Layers without a prior start untrained.",
    "Draws that choose are of the same images as the draws that are reported, since the set has no"
    " test part of its own: an image that chose may test, the same for all that are compared.",
)

PERCENTAGES = (5, 10, 20)
WIDTH = 256

N_CLASSES = len(office_caltech.CLASSES)


def made_domains(
    domains: Sequence[str], shape: tuple[int, ...], *, n_test: int = 0
) -> Callable[[], TaskSet]:
    """Makes small domains of the same kinds of objects, in place of files that are not there."""
    forms = dict.fromkeys(domains, (shape, N_CLASSES))
    return partial(made_tasks, forms, each=10, n_test=n_test, of_all=not n_test)


GOOGLENET = FromFiles(
    (office_caltech.SET,),
    office_caltech.googlenet,
    made_domains(tuple(office_caltech.FEATURES["googlenet"]), (1024,)),
)
SURF = FromFiles(
    (office_caltech.SET,),
    office_caltech.surf,
    made_domains(tuple(office_caltech.COUNTS), (800,)),
)


def network(input_shape: Sequence[int], n_outputs: int) -> nn.Module:
    """The paper's bottleneck and classifier on features; below them two convolutions on images."""
    if len(input_shape) == 1:
        return bottleneck(input_shape, n_outputs, width=WIDTH)
    return lenet(input_shape, n_outputs, channels=(16, 32), windows=(5, 3), hidden=WIDTH)


def of_all(percentage: int) -> ByFraction:
    """So many per cent of every class train, all the others test."""
    share = percentage / 100
    return ByFraction(train=share, parts=(share, 0.0, 1 - share))


BUDGET = Budget(steps=200, batch_size=32)


def recipe(name: str, sharing: Mapping[str, Sharing]) -> Recipe:
    """Networks under a sharing; every task's own layers start from draws of their own."""
    return Recipe(name, network, sharing, initial="independent", paper=PAPER)


def trials(name: str, sharing: Mapping[str, Sharing], *, output: Sharing) -> dict[str, Recipe]:
    """Three trials of a sharing without a prior: two learning rates, and a pull of the output
    layer towards zero, as a prior has it that learns nothing.
    """
    plain = recipe(name, {"output": output, **sharing})
    candidates = {"usual": plain, "fast": replace(plain, learning_rate=FAST)}
    if output == ss.Independent():
        pulled = recipe(name, {"output": PULL, **sharing})
        return {"pulled": pulled, **candidates}
    return {**candidates, "slow": replace(plain, learning_rate=SLOW)}


def at_scales(name: str, *, all_layers: bool = False) -> dict[str, Recipe]:
    """A prior of each of three scales on the output layers, the others tied; or on all layers."""
    candidates = {}
    for scale in SCALES:
        prior = ss.TensorNormal(scale=scale, warm_up=0)
        below = prior if all_layers else ss.Tied()
        candidates[f"scale-{scale:g}"] = recipe(name, {"output": prior, "*": below})
    return candidates


SLOW, FAST = 3e-4, 3e-3
PULL = ss.TensorNormal((), scale=3.0)
SCALES = (1.0, 0.3, 0.1)
"""Three trials for everyone, of which the first is taken where validation data prefer none."""

APART = Contestant(
    "apart", trials("apart", {"*": ss.Independent()}, output=ss.Independent()), "apart (STL)"
)
TIED = Contestant(
    "tied",
    trials("tied", {"*": ss.Tied()}, output=ss.Independent()),
    "all but the output tied (MTCNN)",
)
DRN = Contestant("drn", at_scales("drn", all_layers=True), "prior on both layers (DRN)")
DRN_8 = Contestant("drn-8", at_scales("drn-8"), "prior on the output layer (DRN8)")
POOLED = Contestant(
    "pooled", trials("pooled", {"*": ss.Tied()}, output=ss.Tied()), "one network for all"
)
SHALLOW = (
    Contestant("mtfl", LINEAR_MTFL, "MTFL, linear"),
    Contestant("rmtl", LINEAR_RMTL, "RMTL, linear"),
    Contestant("mtrl", LINEAR_MTRL, "MTRL, linear"),
)

MEASURES = (
    Measure("accuracy", mean_accuracy, "accuracy, %", better="higher"),
    Measure("by-domain", accuracies, "accuracy, %", better="higher"),
)


def tiny(case: Case) -> Case:
    """A case of a quick run: a few images of each kind, a few steps, one seed."""
    return replace(
        case,
        data=case.data.reduced(6),
        division=of_all(50),
        budget=replace(case.budget, steps=4, batch_size=8),
        seeds=1,
    )
