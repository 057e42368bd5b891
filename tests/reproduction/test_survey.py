"""What a practitioner reads of all verdicts, on verdicts that are worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from softshare.methods.method import Method
from softshare.reproduction.claims import Claim
from softshare.reproduction.division import ByCount
from softshare.reproduction.experiment import Budget, Case, Contestant, Experiment
from softshare.reproduction.measures import Measure
from softshare.reproduction.survey import Judged, survey
from softshare.reproduction.task_data import Drawn
from softshare.reproduction.verdict import verdict_on
from tests.reproduction.made_experiment import MovedMean, draw, squared_errors

METHOD: Method = MovedMean()

EXPERIMENT = Experiment(
    name="paper/table-1",
    paper="A paper",
    place="Table 1",
    shows="a gain",
    protocol="full",
    minutes=1,
    cases=(Case("main", Drawn(draw), ByCount(20, 0), Budget(1, 1), seeds=3, shown="10 %"),),
    contestants=(
        Contestant("apart", METHOD, "networks apart"),
        Contestant("tucker", METHOD, "Tucker"),
    ),
    departures=(),
    measures=(Measure("error", squared_errors, "error"),),
)

GAIN = Claim(
    id="paper/table-1/gain",
    text="It gains.",
    case="main",
    contestant="tucker",
    baseline="apart",
    measure="error",
    direction="lower",
    smallest=0.3,
    seeds=3,
)


def judged(claim: Claim, gains: tuple[float, ...]) -> Judged:
    return Judged(EXPERIMENT, claim, verdict_on(claim, gains))


def test_claims_are_counted_by_ruling_and_gains_told_idea_by_idea() -> None:
    told = survey(
        [
            judged(GAIN, (1.0, 1.0, 1.0)),
            judged(GAIN, (-1.0, -1.0, -1.0)),
            judged(GAIN, ()),
            judged(replace(GAIN, baseline=None, bound=5.0), (2.0, 2.0, 2.0)),
            judged(replace(GAIN, smallest=-0.5), (0.0, 0.0, 0.0)),
        ]
    )
    assert "5 claims: holds 3; does not hold 1; no records 1." in told
    assert (
        "\n**Gains that survive**\n"
        "\n* **Tucker**: +1 [1, 1] over networks apart (paper/table-1: 10 %; 0.3 counts).\n"
        "\n**No gain that counts**\n"
        "\n* **Tucker**: -1 [-1, -1] over networks apart (paper/table-1: 10 %; 0.3 counts).\n"
        "\n**What else holds**"
    ) in told
    assert told.count("* It gains. (paper/table-1)") == 2
    assert "Open" not in told
    assert "Condemned" not in told


def test_without_records_there_are_no_ideas() -> None:
    assert survey([judged(GAIN, ())]) == "1 claims: no records 1.\n"
