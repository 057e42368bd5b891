"""How much is common and how much own, in layers that are sums."""

from __future__ import annotations

from typing import Any

from softshare.report.findings import Findings
from softshare.report.own_parts import own_parts
from tests.evaluation.made_records import record

TASKS = {"north": 0.5, "south": 0.6, "east": 0.7, "west": 0.7}


def made(*layers: dict[str, Any]) -> Findings:
    records = []
    for seed, layer in enumerate(layers):
        sharing = {"layers": {"output": layer}, "similarity": None, "warnings": []}
        records.append(record("shared-plus-own", seed, TASKS, set_metrics={}, sharing=sharing))
    return Findings(records)


def test_own_shares_are_means_over_seeds_and_the_tasks_that_stand_out_are_named() -> None:
    first = {"own": 0.1, "spread": 0.02, "common_size": 0.4, "own_by_task": [0, 0.05, 0.05, 0.3]}
    second = {"own": 0.3, "spread": 0.04, "common_size": 0.6, "own_by_task": [0.1, 0, 0.1, 0.9]}
    ((*cells,),) = own_parts(made(first, second)).rows
    told = [cell.text for cell in cells]
    assert told == ["shared-plus-own", "output", "20 %", "0.03", "0.5", "west (60 %)"]


def test_what_is_nearly_nothing_is_told_so_and_what_is_unknown_has_a_dash() -> None:
    nearly = {"own": 2e-5, "spread": None, "common_size": 0.4, "own_by_task": [2e-5] * 4}
    many = {"own": 0.0, "spread": None, "common_size": 0.4, "own_by_task": None}
    ((*cells,),) = own_parts(made(nearly)).rows
    assert [cell.text for cell in cells][2:] == ["< 0.1 %", "–", "0.4", "none stands out"]
    ((*cells,),) = own_parts(made(many)).rows
    assert [cell.text for cell in cells][2:] == ["0 %", "–", "0.4", "–"]


def test_other_layers_have_no_row() -> None:
    assert not own_parts(made({"sharing": "Tied"})).rows
