"""TRMTL, Figure 4: which layers share cores, on MNIST where one task has 50 images.

    softshare reproduce trmtl/figure-4

Published: bars only; patterns that share most at the bottom are the best by far, 420 among them,
and those that share most at the top, such as 044, the worst.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.trmtl.digits import (
    APART,
    BUDGET,
    DEPARTURES,
    DIGITS,
    MEASURES,
    PAPER,
    UNRELATED,
    counts,
    rings,
    tiny,
)
from softshare.reproduction.division import InTurn
from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import Case, Contestant, Experiment
from softshare.reproduction.measures import Measure, fewest_accuracy

BOTTOM_HEAVY = ("410", "420", "430")
EVEN = ("111", "222", "333")
TOP_HEAVY = ("014", "024", "044")
RANK = 10

FEW = Case(
    "50-images",
    DIGITS,
    InTurn((counts(1800, 50), counts(50, 1800))),
    BUDGET,
    seeds=20,
    shown="50 images of one task, 1800 of the other",
)

EXPERIMENT = Experiment(
    name="trmtl/figure-4",
    paper=PAPER,
    place="Figure 4",
    shows="it pays to share cores of the lower layers, not of the upper ones.",
    protocol="reduced",
    departures=(
        *DEPARTURES,
        "Odd and even digits have the 50 images in turn, seed by seed, and one mean is over both.",
        f"Ranks {RANK} for all patterns, nothing is chosen; the paper has more patterns, of which"
        " the text names 014, 044, 410 and 420. Patterns 000 shares nothing.",
    ),
    minutes=12,
    cases=(
        FEW,
        replace(
            FEW,
            name="unrelated",
            shown="control: pixels in each task's own order",
            data=UNRELATED,
            seeds=20,
            contestants=("trmtl-044", "trmtl-000", "trmtl-420"),
        ),
    ),
    contestants=(
        Contestant("trmtl-044", rings("044", RANK), "044"),
        *(
            Contestant(f"trmtl-{pattern}", rings(pattern, RANK), pattern)
            for pattern in (*TOP_HEAVY[:-1], *EVEN, *BOTTOM_HEAVY, "000")
        ),
        Contestant("apart", APART, "apart (STL)"),
    ),
    measures=(
        Measure("fewest", fewest_accuracy, "accuracy of the task with 50 images, %", "higher"),
        *MEASURES,
    ),
    drawings=(Dots("fewest"),),
)

QUICK = EXPERIMENT.quick([tiny(FEW)])
