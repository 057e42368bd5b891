"""DMTRL, Table 1: linear multi-task methods on principal components and on a trained network's
features, beside networks that share; ten digits from 1 % of the images.

    softshare reproduce dmtrl/table-1

Published, error in per cent, on components / on a network's features: apart 16.89 / 11.52, Evgeniou
and Pontil 15.27 / 10.32, Argyriou et al. 15.64 / 9.56, Kumar and Daumé 14.08 / 9.41; the networks
LAF 8.25, Tucker 9.24, TT 7.31, first layers tied 9.34.
"""

from __future__ import annotations

from dataclasses import replace

import softshare as ss
from experiments.dmtrl.digits import (
    APART,
    BUDGET,
    DEPARTURES,
    DIGITS,
    FACTORISED,
    LENET,
    MEASURES,
    PAPER,
    SEARCH,
    TIED,
    UNRELATED,
    of_images,
    tiny,
)
from experiments.dmtrl.table_2 import EXPERIMENT as TABLE_2
from softshare.methods.contestants import (
    LINEAR_EVGENIOU_PONTIL,
    LINEAR_GO_MTL,
    LINEAR_MTFL,
    RIDGE,
)
from softshare.methods.on_features import OnComponents, OnLastLayer
from softshare.methods.recipe import Recipe
from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import Case, Contestant, Experiment, Published

LINEAR = {
    "apart": (RIDGE, "apart"),
    "evgeniou-pontil": (LINEAR_EVGENIOU_PONTIL, "Evgeniou & Pontil"),
    "argyriou": (LINEAR_MTFL, "Argyriou et al."),
    "kumar-daume": (LINEAR_GO_MTL, "Kumar & Daumé"),
}

N_COMPONENTS = 64
"""As the linear methods' own papers have them; the DMTRL paper does not say."""

NETWORK = Recipe("network", LENET, ss.Independent(), binary_loss="hinge", paper=PAPER)

ON_COMPONENTS = tuple(
    Contestant(
        f"{name}-pca",
        OnComponents(f"{name}-pca", method, n_components=N_COMPONENTS),
        f"{shown}, on components",
    )
    for name, (method, shown) in LINEAR.items()
)
ON_NETWORK = tuple(
    Contestant(
        f"{name}-cnn",
        OnLastLayer(f"{name}-cnn", method, network=NETWORK),
        f"{shown}, on the network's features",
    )
    for name, (method, shown) in LINEAR.items()
)

PUBLISHED = {
    "apart-pca": 16.89,
    "evgeniou-pontil-pca": 15.27,
    "argyriou-pca": 15.64,
    "kumar-daume-pca": 14.08,
    "apart-cnn": 11.52,
    "evgeniou-pontil-cnn": 10.32,
    "argyriou-cnn": 9.56,
    "kumar-daume-cnn": 9.41,
    "laf": 8.25,
    "tucker": 9.24,
    "tt": 7.31,
    "ud-mtl": 9.34,
}

ONE_PERCENT = Case("1-percent", DIGITS, of_images(0.01), BUDGET, seeds=5, shown="1 %")

EXPERIMENT = Experiment(
    name="dmtrl/table-1",
    paper=PAPER,
    place="Table 1",
    shows="networks that share err less than linear multi-task methods on a network's features.",
    protocol="reduced",
    departures=(
        *DEPARTURES,
        "The linear methods have the logistic loss, choose their strengths by five folds of the"
        " training rows, and learn how tasks deviate from a common ridge model where they have no"
        " common part of their own.",
        "The networks whose features they see are trained apart, with all steps of the budget.",
    ),
    minutes=40,
    cases=(
        ONE_PERCENT,
        replace(
            ONE_PERCENT,
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            seeds=3,
            contestants=("apart-cnn", "evgeniou-pontil-cnn", "kumar-daume-cnn", "laf", "tt"),
        ),
    ),
    contestants=(APART, *ON_COMPONENTS, *ON_NETWORK, *FACTORISED, TIED),
    measures=MEASURES[:1],
    published=tuple(
        Published(ONE_PERCENT.name, name, "error", value) for name, value in PUBLISHED.items()
    ),
    search=SEARCH,
    drawings=(Dots("error"),),
    same_runs=(TABLE_2,),
)

QUICK_ONES = ("apart", "apart-pca", "evgeniou-pontil-pca", "apart-cnn")
"""Every kind of contestant; those that choose among many strengths take their time on any data."""

QUICK = EXPERIMENT.quick((replace(tiny(ONE_PERCENT), contestants=QUICK_ONES),))
