"""TRMTL, Figure 6: four sets of alphabets while a fifth, C, has more and more drawings to train on.

    softshare reproduce trmtl/figure-6

Published: bars of the change of accuracy only; as C grows from 10 to 90 %, tasks A, B, D and E gain
with TRMTL 432, more where they have 10 % than where they have 50 %.
"""

from __future__ import annotations

from experiments.trmtl.alphabets import (
    BUDGET,
    DEPARTURES,
    MEASURES,
    PAPER,
    RELATIONSHIPS,
    SEARCH,
    STL,
    TASKS,
    TENSOR_TRAIN,
    TRMTL,
    TUCKER,
    UNRELATED,
    tiny,
)
from softshare.reproduction.division import ByFraction
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import Case, Experiment
from softshare.reproduction.task_data import TaskData

OTHERS = "ABDE"


def case(of_others: int, of_c: int, data: TaskData = TASKS, name: str = "c") -> Case:
    """So many per cent of the drawings of A, B, D and E train, and so many of C."""
    train = {**dict.fromkeys(OTHERS, of_others / 100), "C": of_c / 100}
    return Case(
        f"{name}-{of_c}-others-{of_others}",
        data,
        ByFraction(train=train, parts=(0.9, 0.0, 0.1)),
        BUDGET,
        seeds=5,
        shown=f"{of_c} % of C, {of_others} % of the others",
        x=of_c,
        chosen_in=None if (name, of_others, of_c) == ("c", 10, 10) else "c-10-others-10",
    )


EXPERIMENT = Experiment(
    name="trmtl/figure-6",
    paper=PAPER,
    place="Figure 6",
    shows="a task with many drawings helps those that have few.",
    protocol="reduced",
    departures=DEPARTURES,
    minutes=55,
    cases=(
        case(10, 10),
        case(10, 90),
        case(50, 10),
        case(50, 90),
        case(10, 90, UNRELATED, "unrelated"),
    ),
    contestants=(STL, RELATIONSHIPS, TENSOR_TRAIN, TUCKER, TRMTL),
    measures=MEASURES,
    search=SEARCH,
    drawings=tuple(
        OverCases(
            f"accuracy/{task}",
            axis="drawings of C that train, %",
            cases=("c-10-others-10", "c-90-others-10"),
            name="figure" if task == "A" else f"task-{task.lower()}",
        )
        for task in OTHERS
    ),
)

QUICK = EXPERIMENT.quick([tiny(EXPERIMENT.cases[0])])
