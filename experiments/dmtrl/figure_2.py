"""DMTRL, Figure 2: the error on MNIST as more of the images train.

    softshare reproduce dmtrl/figure-2

Published: curves only, over ten fractions; all methods together from half of the images on, and
below it learning apart the worst of all.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.dmtrl.digits import (
    APART,
    BUDGET,
    DEPARTURES,
    DIGITS,
    FACTORISED,
    MEASURES,
    PAPER,
    SEARCH,
    TIED,
    UNRELATED,
    of_images,
    tiny,
)
from experiments.dmtrl.table_2 import EXPERIMENT as TABLE_2
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import Case, Experiment

FRACTIONS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0)


def case(fraction: float) -> Case:
    """A point of the axis."""
    return Case(
        name=f"{100 * fraction:g}-percent",
        data=DIGITS,
        division=of_images(fraction),
        budget=BUDGET if fraction <= 0.01 else replace(BUDGET, steps=2 * BUDGET.steps),
        seeds=5,
        shown=f"{100 * fraction:g} %",
        x=100 * fraction,
        chosen_in=None if fraction == 0.01 else "1-percent",
    )


EXPERIMENT = Experiment(
    name="dmtrl/figure-2",
    paper=PAPER,
    place="Figure 2",
    shows="sharing helps most where little trains, and never hurts.",
    protocol="reduced",
    departures=(
        *DEPARTURES,
        "Fractions above 1 % have twice the steps; all have the candidates that 1 % has chosen.",
    ),
    minutes=110,
    cases=(
        *(case(fraction) for fraction in FRACTIONS),
        replace(
            case(0.01),
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            x=None,
            contestants=("apart", *(each.name for each in FACTORISED)),
        ),
    ),
    contestants=(APART, *FACTORISED, TIED),
    measures=MEASURES,
    search=SEARCH,
    drawings=(OverCases("error", axis="images that train, %", logarithmic=True),),
    same_runs=(TABLE_2,),
)

QUICK = EXPERIMENT.quick(tiny(each) for each in EXPERIMENT.cases[1:3])
