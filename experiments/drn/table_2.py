"""DRN, Table 2: twelve kinds of objects in the four collections of ImageCLEF-DA, from 5, 10 and
20 % of the images.

    softshare reproduce drn/table-2

Published, mean accuracy in per cent at 5 / 10 / 20 %: apart 57.7 / 59.8 / 63.6; MTCNN 59.5 / 66.5 /
70.7; DRN with the prior on the last layer alone 67.7 / 71.2 / 73.7, on two 70.3 / 74.3 / 75.3. The
images have no public home: the published lists come with `softshare data get`, the images go to
``imageclef_da/images``.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from experiments.drn.office import (
    APART,
    BUDGET,
    DRN,
    DRN_8,
    MEASURES,
    PAPER,
    PERCENTAGES,
    POOLED,
    TIED,
    of_all,
    tiny,
)
from softshare.data import imageclef_da
from softshare.data.made_tasks import made_tasks
from softshare.reproduction.controls import permuted_classes
from softshare.reproduction.drawings import OverCases
from softshare.reproduction.experiment import SEARCH_SEEDS, Case, Experiment, Published, Search
from softshare.reproduction.task_data import Changed, FromFiles

SIZE = 32
PUBLISHED = {
    "apart": (57.7, 59.8, 63.6),
    "tied": (59.5, 66.5, 70.7),
    "drn-8": (67.7, 71.2, 73.7),
    "drn": (70.3, 74.3, 75.3),
}
"""At 5, 10 and 20 %."""

FORMS = dict.fromkeys(imageclef_da.DOMAINS, ((3, SIZE, SIZE), imageclef_da.N_CLASSES))
COLLECTIONS = FromFiles(
    (imageclef_da.SET,),
    partial(imageclef_da.load, size=SIZE),
    partial(made_tasks, FORMS, each=10, of_all=True),
)


def case(percentage: int) -> Case:
    """A column of the table."""
    return Case(
        f"{percentage}-percent",
        COLLECTIONS,
        of_all(percentage),
        BUDGET,
        seeds=5,
        shown=f"{percentage} %",
        x=percentage,
        chosen_in=None if percentage == 20 else "20-percent",
    )


EXPERIMENT = Experiment(
    name="drn/table-2",
    paper=PAPER,
    place="Table 2",
    shows="a prior that learns which collections go together beats them apart and tied layers.",
    protocol="reduced",
    departures=(
        "Images of 32 × 32 and a small convolutional network, without any pretraining.",
        "Strengths and rates are those that 20 % has chosen.",
    ),
    minutes=40,
    cases=(
        *(case(percentage) for percentage in PERCENTAGES),
        replace(
            case(10),
            name="unrelated",
            shown="control: kinds in each collection's own order",
            data=Changed(COLLECTIONS, permuted_classes),
            x=None,
        ),
    ),
    contestants=(APART, TIED, DRN_8, DRN, POOLED),
    measures=MEASURES,
    published=tuple(
        Published(f"{percentage}-percent", name, "accuracy", value)
        for name, values in PUBLISHED.items()
        for percentage, value in zip(PERCENTAGES, values, strict=True)
    ),
    search=Search("accuracy", seeds=SEARCH_SEEDS[:2]),
    drawings=(OverCases("accuracy", axis="images that train, %"),),
)

QUICK = EXPERIMENT.quick(
    (replace(tiny(EXPERIMENT.case("20-percent")), contestants=("apart", "drn-8")),)
)
