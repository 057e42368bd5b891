"""Soft ordering, Figure 4: pairs of MNIST's digits, by the number of tasks that are learned
together.

    softshare reproduce soft-ordering/figure-4

Published: curves only. Permuted order beats parallel order the more the more tasks there are, and
soft order beats all others, single tasks included, at two to ten tasks.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import combinations

from experiments.soft_ordering.orders import OWN_ENDS, PAPER, Orders
from softshare.data import mnist
from softshare.data.made_tasks import made_tasks
from softshare.network.templates.soft_layer_ordering import digit_pairs_network
from softshare.reproduction.controls import shuffled_targets
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import OverCases, OverSteps
from softshare.reproduction.experiment import Budget, Case, Experiment
from softshare.reproduction.measures import Measure, errors, mean_error
from softshare.reproduction.task_data import Changed, FromFiles

NUMBERS_OF_TASKS = (10, 5, 2)


def pairs(n_tasks: int) -> FromFiles:
    """The first so many pairs of one draw."""
    names = [f"{low} or {high}" for low, high in combinations(range(10), 2)][:n_tasks]
    forms = dict.fromkeys(names, ((1, mnist.SIZE, mnist.SIZE), 2))
    made = partial(made_tasks, forms, each=20, n_test=8)
    return FromFiles((mnist.SET,), partial(mnist.digit_pairs, n_tasks), made)


def case(n_tasks: int) -> Case:
    """A point of the figure."""
    return Case(
        f"{n_tasks}-tasks",
        pairs(n_tasks),
        ByFraction(parts=(6 / 7, 0.0, 1 / 7)),
        Budget(steps=1500, batch_size=32),
        seeds=5,
        shown=f"{n_tasks} tasks",
        x=n_tasks,
    )


EXPERIMENT = Experiment(
    name="soft-ordering/figure-4",
    paper=PAPER,
    place="Figure 4",
    shows="the more tasks, the more an order of each task's own gains over one for all.",
    protocol="reduced",
    departures=(
        "Three numbers of tasks, and one draw of pairs for all seeds; 1,500 steps.",
        "Scales have ten times the learning rate of the weights: with the same they stay for"
        " thousands of steps where they start.",
    ),
    minutes=10,
    cases=(
        *(case(n_tasks) for n_tasks in NUMBERS_OF_TASKS),
        replace(
            case(10),
            name="shuffled",
            shown="control: labels shuffled among the images",
            data=Changed(pairs(10), shuffled_targets),
            x=None,
        ),
    ),
    contestants=Orders(digit_pairs_network, OWN_ENDS, frozen=("encoder",)).contestants(),
    measures=(
        Measure("error", mean_error, "mean error, %", better="lower"),
        Measure("by-task", errors, "error, %", better="lower", in_table=False),
    ),
    drawings=(
        OverCases("error", axis="tasks"),
        OverSteps("scales_apart", "distance of the tasks' scales", "2-tasks", name="scales-apart"),
        OverSteps("largest_scale", "largest scale of a depth", "2-tasks", name="largest-scale"),
    ),
)

QUICK = EXPERIMENT.quick(
    (replace(case(2), data=pairs(2).reduced(8), budget=Budget(steps=4, batch_size=8), seeds=1),)
)
