"""DRN, Figure 2: how the domains of Office-Caltech are correlated, and where their images lie.

    softshare reproduce drn/figure-2

Published: Hinton diagrams in which all domains are positively correlated under DRN, Amazon, Webcam
and DSLR most, and t-SNE embeddings in which domains overlap more, and classes less, than with tied
layers (MTCNN).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

import softshare as ss
from experiments.drn.office import BUDGET, DEPARTURES, GOOGLENET, PAPER, SURF, of_all, recipe, tiny
from softshare.data import office_caltech
from softshare.reproduction.embedding import Embedding, embedded_outputs
from softshare.reproduction.experiment import Case, Contestant, Experiment
from softshare.reproduction.hinton import Matrix
from softshare.reproduction.measures import (
    Judged,
    Measure,
    accuracies,
    mean_accuracy,
    task_correlation,
)

THREE = tuple(office_caltech.FEATURES["googlenet"])
FOUR = tuple(office_caltech.COUNTS)
MOST_POINTS = 60


def least_correlation(judged: Judged) -> float | None:
    """The least learned correlation of two tasks."""
    matrix = task_correlation(judged)
    return None if matrix is None else float(np.min(matrix))


GOOGLENET_10 = Case(
    "googlenet", GOOGLENET, of_all(10), BUDGET, seeds=5, shown="GoogLeNet features, 10 %"
)
TIED = recipe("tied", {"output": ss.Independent(), "*": ss.Tied()})
DRN = recipe("drn-8", {"output": ss.TensorNormal(scale=1.0, warm_up=0), "*": ss.Tied()})

EXPERIMENT = Experiment(
    name="drn/figure-2",
    paper=PAPER,
    place="Figure 2",
    shows="domains are positively correlated, and their classes lie together.",
    protocol="reduced",
    departures=(
        *DEPARTURES,
        "Nothing is chosen: the prior has scale 1. What is embedded are the outputs, of 60 images"
        " of each domain. The diagram of linear MTRL is left out.",
    ),
    minutes=1,
    cases=(
        GOOGLENET_10,
        replace(GOOGLENET_10, name="surf", data=SURF, shown="SURF features, 10 %"),
    ),
    contestants=(
        Contestant("tied", TIED, "all but the output tied (MTCNN)"),
        Contestant("drn-8", DRN, "prior on the output layer (DRN8)"),
    ),
    measures=(
        Measure("accuracy", mean_accuracy, "accuracy, %", better="higher"),
        Measure("least-correlation", least_correlation, "least correlation of two domains"),
        Measure("by-domain", accuracies, "accuracy, %", better="higher", in_table=False),
        Measure("correlation", task_correlation, "correlation of the domains", in_table=False),
        Measure(
            "embedding",
            partial(embedded_outputs, most=MOST_POINTS),
            "outputs by t-SNE",
            in_table=False,
        ),
    ),
    drawings=(
        Matrix("correlation", "drn-8", THREE),
        Matrix("correlation", "drn-8", FOUR, case="surf", name="surf"),
        Embedding("embedding", "tied", THREE, name="embedding-tied"),
        Embedding("embedding", "drn-8", THREE, name="embedding-drn"),
    ),
)

QUICK = EXPERIMENT.quick((tiny(GOOGLENET_10), tiny(EXPERIMENT.case("surf"))))
