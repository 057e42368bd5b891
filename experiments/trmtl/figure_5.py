"""TRMTL, Figure 5: CIFAR-10's three tasks while one or two of them have few images.

    softshare reproduce trmtl/figure-5

Published: curves only; TRMTL 4431 is above MRN and DMTRL, by most where a task has 5 or 10 % of its
images. Estimated: 2 seconds a step of one core, a fortnight of two cores.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.trmtl.photographs import (
    DEPARTURES,
    MEASURES,
    NAMES,
    PAPER,
    RELATIONSHIPS,
    SEARCH,
    STL,
    TENSOR_TRAIN,
    TUCKER,
    UNRELATED,
    case,
    tiny,
    trmtl,
)
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import Case, Experiment

FEW = (5, 10, 50)
"""Per cent."""

CHOSEN_IN = case(5, 5, 5)
FULL = replace(case(100, 100, 100), x=100)


def one_has(task: int, percent: int) -> Case:
    """One task has so many per cent, the others all of their images."""
    shares = [100, 100, 100]
    shares[task] = percent
    return replace(case(*shares), x=percent)


def one_has_all(task: int, percent: int) -> Case:
    """One task has all of its images, the others so many per cent."""
    shares = [percent] * 3
    shares[task] = 100
    return replace(case(*shares), x=percent)


TOP = {letter: [one_has(task, few) for few in FEW] for task, letter in enumerate(NAMES)}
BOTTOM = {letter: [one_has_all(task, few) for few in FEW] for task, letter in enumerate(NAMES)}

EXPERIMENT = Experiment(
    name="trmtl/figure-5",
    paper=PAPER,
    place="Figure 5",
    shows="rings gain most for a task with few images, and cost the others nothing.",
    protocol="reduced",
    departures=DEPARTURES,
    minutes=20000,
    cases=(
        CHOSEN_IN,
        FULL,
        *(each for cases in TOP.values() for each in cases),
        *(each for cases in BOTTOM.values() for each in cases),
        replace(
            TOP["a"][0],
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            x=None,
        ),
    ),
    contestants=(STL, RELATIONSHIPS, TUCKER, TENSOR_TRAIN, trmtl("4431")),
    measures=MEASURES,
    search=SEARCH,
    drawings=tuple(
        OverCases(
            "mean",
            axis=f"images that train of {told}, %",
            logarithmic=True,
            cases=(*(each.name for each in cases), FULL.name),
            name="figure" if name == "a" else name,
        )
        for name, told, cases in (
            *((letter, f"task {letter.upper()}", TOP[letter]) for letter in NAMES),
            *(
                (f"all-of-{letter}", f"all but {letter.upper()}", BOTTOM[letter])
                for letter in NAMES
            ),
        )
    ),
)

# Tucker's decomposition of the largest layers takes a minute.
QUICK_CASE = replace(tiny(CHOSEN_IN), contestants=("apart", "mrn", "tt", "trmtl-4431"))
QUICK = EXPERIMENT.quick([QUICK_CASE])
