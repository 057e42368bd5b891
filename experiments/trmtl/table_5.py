"""TRMTL, Table 5: Omniglot as five tasks of ten alphabets each, by the drawings that train.

    softshare reproduce trmtl/table-5

Published, mean accuracy over the tasks at 10, 50 and 90 %: apart 36.0, 65.0, 73.1; MRN 37.0, 70.9,
79.5; DMTRL (taken for TT) 35.3, 67.2, 75.1; Tucker 36.2, 64.8, 74.5; TRMTL 432 38.3, 72.7, 80.3.
"""

from __future__ import annotations

from dataclasses import replace

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
from softshare.reproduction.drawings import Dots, OverCases
from softshare.reproduction.experiment import Case, Experiment, Published

PUBLISHED = {
    "apart": (36.0, 65.0, 73.1),
    "mrn": (37.0, 70.9, 79.5),
    "tt": (35.3, 67.2, 75.1),
    "tucker": (36.2, 64.8, 74.5),
    "trmtl-432": (38.3, 72.7, 80.3),
}
"""Mean accuracy at each of the shares."""

PERCENT = (10, 50, 90)


def case(percent: int) -> Case:
    """A block of the table; the rest of the drawings tests."""
    return Case(
        f"{percent}-percent",
        TASKS,
        ByFraction(percent / 100, parts=(0.9, 0.0, 0.1)),
        BUDGET,
        seeds=5,
        shown=f"{percent} % of the drawings",
        x=percent,
        chosen_in=None if percent == PERCENT[0] else "10-percent",
    )


EXPERIMENT = Experiment(
    name="trmtl/table-5",
    paper=PAPER,
    place="Table 5",
    shows="rings with shared cores are the most accurate on sets of alphabets.",
    protocol="reduced",
    departures=DEPARTURES,
    minutes=30,
    cases=(
        case(10),
        replace(
            case(10),
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            x=None,
            contestants=("apart", "mrn", "trmtl-432"),
        ),
        case(50),
        case(90),
    ),
    contestants=(STL, RELATIONSHIPS, TENSOR_TRAIN, TUCKER, TRMTL),
    measures=MEASURES,
    published=tuple(
        Published(f"{percent}-percent", contestant, "mean", value)
        for contestant, values in PUBLISHED.items()
        for percent, value in zip(PERCENT, values, strict=True)
    ),
    search=SEARCH,
    drawings=(
        Dots("mean"),
        OverCases("mean", axis="drawings that train, %", name="by-drawings"),
    ),
)

QUICK = EXPERIMENT.quick([tiny(EXPERIMENT.cases[0])])
