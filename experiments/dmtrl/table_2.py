"""DMTRL, Table 2: ten digits of MNIST from 1 % of the images, error and number of weights.

    softshare reproduce dmtrl/table-2

Published, error in per cent and ratio of weights: apart 11.52, 1.00; LAF 8.25, .38; Tucker 9.24,
.40; TT 7.31, .50; the first layers tied (UD-MTL) 9.34, .10, and wider (UD-MTL-Large) 9.39, .38.
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
    TIED_LARGE,
    UNRELATED,
    of_images,
    tiny,
)
from softshare.reproduction.drawings import Dots, OverCases
from softshare.reproduction.experiment import Case, Experiment, Published

PUBLISHED = {
    "apart": (11.52, 1.00),
    "laf": (8.25, 0.38),
    "tucker": (9.24, 0.40),
    "tt": (7.31, 0.50),
    "ud-mtl": (9.34, 0.10),
    "ud-mtl-large": (9.39, 0.38),
}
"""Error, ratio."""

ONE_PERCENT = Case(
    "1-percent", DIGITS, of_images(0.01), BUDGET, seeds=20, shown="1 %", x=BUDGET.steps
)
COMPARED = ("apart", *(each.name for each in FACTORISED))


def with_steps(steps: int) -> Case:
    """The curve of error against budget: the same with other steps."""
    return replace(
        ONE_PERCENT,
        name=f"{steps}-steps",
        shown=f"1 %, {steps} steps",
        budget=replace(BUDGET, steps=steps),
        x=steps,
        seeds=5,
        contestants=COMPARED,
        chosen_in=ONE_PERCENT.name,
    )


EXPERIMENT = Experiment(
    name="dmtrl/table-2",
    paper=PAPER,
    place="Table 2",
    shows="factorised networks err less than networks apart, with half of the weights or fewer.",
    protocol="reduced",
    departures=DEPARTURES,
    minutes=75,
    cases=(
        ONE_PERCENT,
        replace(
            ONE_PERCENT,
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            seeds=5,
            x=None,
            contestants=COMPARED,
        ),
        with_steps(160),
        with_steps(320),
        with_steps(1280),
    ),
    contestants=(APART, *FACTORISED, TIED, TIED_LARGE),
    measures=MEASURES,
    published=tuple(
        Published(ONE_PERCENT.name, name, measure, value)
        for name, values in PUBLISHED.items()
        for measure, value in zip(("error", "ratio"), values, strict=True)
    ),
    search=SEARCH,
    drawings=(
        Dots("error"),
        OverCases("error", axis="steps", logarithmic=True, name="error-by-steps"),
    ),
)

QUICK = EXPERIMENT.quick(tiny(case) for case in EXPERIMENT.cases[:2])
