"""TRMTL, Figure 7: where the images of CIFAR-10's three tasks lie in the last hidden layer.

    softshare reproduce trmtl/figure-7

Published: t-SNE of the features of 2,000 images under DMTRL and TRMTL, which under TRMTL form
clusters by class. Estimated: 2 seconds a step of one core, thirty hours of two cores.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from experiments.trmtl.photographs import (
    DEPARTURES,
    MEASURES,
    NAMES,
    PAPER,
    SEARCH,
    STL,
    TENSOR_TRAIN,
    UNRELATED,
    case,
    tiny,
    trmtl,
)
from softshare.reproduction.experiment import Experiment
from softshare.reproduction.feature_planes import FeaturePlanes, feature_planes, mean_silhouette
from softshare.reproduction.measures import Measure

ALL_IMAGES = replace(case(100, 100, 100), chosen_in=None)
LABELS = tuple(NAMES.values())

MOST_JUDGED = 1000
MOST_DRAWN = 120
"""Images of each task."""

EXPERIMENT = Experiment(
    name="trmtl/figure-7",
    paper=PAPER,
    place="Figure 7",
    shows="in the last hidden layer under rings with shared cores, images lie by their class.",
    protocol="reduced",
    departures=(
        DEPARTURES[0],
        "Two candidates for every method (learning rates; ε; ranks), chosen with all images of"
        " each task; the paper has rank 10, and does not say how many images train here.",
        *DEPARTURES[3:],
        "DMTRL is taken for its tensor trains: the paper does not say which of its two it is.",
        "Drawn are 120 test images of each task for 2,000 in all; how well classes are apart is"
        " told by the silhouette of the features themselves, of 1,000 test images of each task.",
    ),
    minutes=1800,
    cases=(
        ALL_IMAGES,
        replace(
            ALL_IMAGES,
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
        ),
    ),
    contestants=(STL, TENSOR_TRAIN, trmtl("4431")),
    measures=(
        *MEASURES,
        Measure(
            "silhouette",
            partial(mean_silhouette, most=MOST_JUDGED),
            "silhouette of the classes",
            better="higher",
            digits=3,
        ),
        Measure(
            "planes",
            partial(feature_planes, most=MOST_DRAWN),
            "features by t-SNE",
            in_table=False,
        ),
    ),
    search=SEARCH,
    drawings=(
        FeaturePlanes("planes", "trmtl-4431", LABELS),
        FeaturePlanes("planes", "tt", LABELS, name="dmtrl"),
        FeaturePlanes("planes", "apart", LABELS, name="apart"),
    ),
)

# Decomposing the largest layers takes longer than all the rest.
QUICK_CASE = replace(tiny(ALL_IMAGES), contestants=("apart", "trmtl-4431"))
QUICK = EXPERIMENT.quick([QUICK_CASE])
