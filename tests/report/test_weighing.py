"""What a combination weighed, drawn and told."""

from __future__ import annotations

from typing import Any

import pytest

from softshare.report.findings import Findings
from softshare.report.style import drawing
from softshare.report.weighing import bars, sentences, weighed, weighings
from tests.evaluation.made_records import record

TASKS = {"north": 0.5, "south": 0.6, "east": 0.7}


def made(*decided: dict[str, Any]) -> Findings:
    """Runs of auto that decided so, one a seed."""
    records = []
    for seed, of_run in enumerate(decided):
        records.append(record("auto", seed, TASKS, set_metrics={}, decided=of_run))
    return Findings(records)


def decision(weights: dict[str, float], **others: Any) -> dict[str, Any]:
    return {"weights": weights, "own_weights": {}, "apart": [], "left_out": {}, **others}


def test_common_weights_are_means_over_the_seeds_and_the_largest_comes_first() -> None:
    findings = made(decision({"ridge": 0.8, "forest": 0.2}), decision({"forest": 0.6, "gp": 0.4}))
    (found,) = weighed(findings, "auto")
    assert list(found.common) == ["ridge", "forest", "gp"]
    assert found.common == pytest.approx({"ridge": 0.4, "forest": 0.4, "gp": 0.2})
    first = sentences(found)[0]
    assert first.startswith("The answer for a typical task is 40 % ridge, 40 % forest and 20 % gp")


def test_tasks_with_weights_of_their_own_stand_in_order_of_their_distance() -> None:
    common = {"ridge": 0.5, "forest": 0.5}
    own = {"south": {"ridge": 0.6, "forest": 0.4}, "east": {"ridge": 1.0}}
    (found,) = weighed(made(decision(common, own_weights=own), decision(common)), "auto")
    # In the second run nobody differs: the means do half as much.
    assert list(found.own) == ["east", "south"]
    assert found.own["east"] == pytest.approx({"ridge": 0.75, "forest": 0.25})
    assert "2 tasks of 3 have weights of their own" in sentences(found)[1]
    with drawing():
        (axes,) = bars(found).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "a typical task",
        "east",
        "south",
    ]
    widths = [patch.get_width() for patch in axes.patches]
    assert widths == pytest.approx([0.5, 0.75, 0.55, 0.5, 0.25, 0.45])


def test_tasks_that_stay_apart_are_named_with_the_seeds_that_say_so() -> None:
    runs = [decision({"ridge": 1.0}, apart=["north"]), decision({"ridge": 1.0}, apart=[])]
    (found,) = weighed(made(*runs), "auto")
    (told,) = [line for line in sentences(found) if "worse" in line]
    assert "make north (1 of 2 seeds) worse" in told
    (always,) = weighed(made(*runs[:1]), "auto")
    assert any("make north worse" in line for line in sentences(always))


def test_methods_that_were_not_weighed_are_told_with_the_reason() -> None:
    run = decision({"ridge": 1.0}, left_out={"gp": "no time was left"})
    (found,) = weighed(made(run), "auto")
    assert sentences(found)[-1] == "gp was not weighed: no time was left."


def test_tasks_of_several_kinds_have_a_figure_each() -> None:
    pieces = [
        {"tasks": ["north"], **decision({"ridge": 1.0})},
        {"tasks": ["south", "east"], **decision({"forest": 1.0})},
    ]
    with drawing():
        shown = list(weighings(made({"pieces": pieces})))
    titles = [one.plate.title for one in shown]
    assert titles == ["What auto answers with: north", "What auto answers with: south and east"]


def test_methods_that_weigh_nothing_have_none() -> None:
    assert not list(weighings(made({}, {"steps": 20})))
