"""Soft ordering, Figure 5: ten unlike data sets of the UCI repository, learned together.

    softshare reproduce soft-ordering/figure-5

Published: a curve of the summed validation loss; soft order far below the three others, of which
parallel and permuted order are marginally below single tasks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from experiments.soft_ordering.orders import OWN_ENDS, PAPER, Orders
from softshare.data import uci
from softshare.data.made_tasks import made_tasks
from softshare.network.templates.soft_layer_ordering import uci_network
from softshare.reproduction.controls import shuffled_targets
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import OverSteps
from softshare.reproduction.experiment import Budget, Case, Experiment
from softshare.reproduction.measures import Measure, mean_error, summed_loss
from softshare.reproduction.task_data import Changed, FromFiles

FORMS = {
    "australian credit": ((14,), 2),
    "breast cancer": ((30,), 2),
    "ecoli": ((7,), 8),
    "iris": ((4,), 3),
}
"""Of made tasks, where the files are missing."""

TABLES = FromFiles(
    (uci.SET,),
    partial(uci.load, unit_interval=True),
    partial(made_tasks, FORMS, each=20),
)


JOINT = Case(
    "ten-sets",
    TABLES,
    ByFraction(parts=(0.6, 0.2, 0.2)),
    Budget(steps=1250, batch_size=32, learning_rate=3e-3),
    seeds=10,
    shown="ten data sets",
)

EXPERIMENT = Experiment(
    name="soft-ordering/figure-5",
    paper=PAPER,
    place="Figure 5",
    shows="unlike tasks have lower losses together where each learns its order of shared layers.",
    protocol="reduced",
    departures=(
        "A fifth tests, as in the paper, in a split of each seed's own. Another fifth chooses the"
        " step whose weights are kept (of single tasks each task's own step): losses fall for some"
        " hundred steps and then rise without end, those of single tasks to twice their least.",
        "1,250 steps at three times the usual learning rate, the same for all.",
        "Scales have ten times the learning rate of the weights: with the same they stay for"
        " thousands of steps where they start.",
    ),
    minutes=20,
    cases=(
        JOINT,
        replace(
            JOINT,
            name="shuffled",
            shown="control: labels shuffled among the rows",
            data=Changed(TABLES, shuffled_targets),
            seeds=5,
        ),
    ),
    contestants=Orders(uci_network, OWN_ENDS, keep_best=True).contestants(),
    measures=(
        Measure("loss", summed_loss, "sum of the tasks' losses", better="lower"),
        Measure("error", mean_error, "mean error, %", better="lower"),
    ),
    drawings=(
        OverSteps("validation_loss", "mean of the tasks' losses on unseen rows"),
        OverSteps("scales_apart", "distance of the tasks' scales", name="scales-apart"),
    ),
)

QUICK = EXPERIMENT.quick(
    (replace(JOINT, data=TABLES.reduced(8), budget=Budget(steps=4, batch_size=8), seeds=1),)
)
