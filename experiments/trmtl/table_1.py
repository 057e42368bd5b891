"""TRMTL, Table 1: MNIST's odd and even digits from few images, and how many weights it takes.

    softshare reproduce trmtl/table-1

Published: accuracies of both tasks by the number of their images, see ``PUBLISHED``, and weights in
thousands: apart 6,060, MRN 3,096, DMTRL 1,194 (Tucker) and 1,522 (TT), TRMTL 13.
"""

from __future__ import annotations

from dataclasses import replace

from experiments.trmtl.digits import (
    BUDGET,
    DEPARTURES,
    DIGITS,
    MEASURES,
    PAPER,
    RELATIONSHIPS,
    STL,
    TENSOR_TRAIN,
    TUCKER,
    UNRELATED,
    counts,
    of_ranks,
    tiny,
)
from softshare.reproduction.drawings import Dots
from softshare.reproduction.experiment import (
    SEARCH_SEEDS,
    Case,
    Contestant,
    Experiment,
    Published,
    Search,
)

COLUMNS = ("apart", "mrn", "tucker", "tt", "trmtl-410", "trmtl-420")
PUBLISHED = {
    "100-vs-100": ("88.0 88.1", "88.2 88.4", "84.3 84.8", "86.8 86.0", "88.7 89.6", "89.2 89.5"),
    "100-vs-1800": ("88.0 96.9", "89.3 96.5", "85.4 96.6", "87.1 96.6", "90.1 97.5", "90.3 97.6"),
    "1800-vs-100": ("96.8 88.1", "96.5 88.6", "95.2 85.5", "96.1 86.3", "97.6 90.2", "97.5 89.9"),
    "1800-vs-1800": ("96.8 96.9", "96.4 96.6", "95.2 96.2", "96.2 96.7", "97.5 97.7", "97.4 97.6"),
}
"""Accuracy on odd and on even digits."""

SIZES = {name: tuple(map(int, name.split("-vs-"))) for name in PUBLISHED}
CHOSEN_IN = "100-vs-100"


def case(name: str) -> Case:
    """A row of the table."""
    return Case(
        name,
        DIGITS,
        counts(*SIZES[name]),
        BUDGET,
        seeds=15,
        shown=name.replace("-vs-", " odd, ") + " even",
        chosen_in=None if name == CHOSEN_IN else CHOSEN_IN,
    )


EXPERIMENT = Experiment(
    name="trmtl/table-1",
    paper=PAPER,
    place="Table 1",
    shows="rings with shared cores gain where one task or both have few images, with few weights.",
    protocol="reduced",
    departures=(
        *DEPARTURES,
        "Two candidates for every method (learning rates; ε; ranks), chosen with 100 images of"
        " each task for all rows of the table.",
    ),
    minutes=25,
    cases=(
        *map(case, PUBLISHED),
        replace(
            case("100-vs-1800"),
            name="unrelated",
            shown="control: 100 odd, 1800 even, pixels in each task's own order",
            data=UNRELATED,
        ),
    ),
    contestants=(
        STL,
        RELATIONSHIPS,
        TUCKER,
        TENSOR_TRAIN,
        Contestant("trmtl-410", of_ranks("410"), "TRMTL 410"),
        Contestant("trmtl-420", of_ranks("420"), "TRMTL 420"),
    ),
    measures=MEASURES,
    published=tuple(
        Published(name, contestant, f"accuracy/{task}", value)
        for name, cells in PUBLISHED.items()
        for contestant, cell in zip(COLUMNS, cells, strict=True)
        for task, value in zip(("odd", "even"), map(float, cell.split()), strict=True)
    ),
    search=Search("mean", seeds=SEARCH_SEEDS[:2]),
    drawings=(
        Dots("mean"),
        Dots("accuracy/odd", case="100-vs-1800", name="few-odd"),
    ),
)

QUICK = EXPERIMENT.quick([tiny(EXPERIMENT.cases[0])])
