"""What a report shows in detail, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.evaluation.answer import answer
from softshare.evaluation.statistics import UNDECIDED
from softshare.report.findings import Findings
from tests.evaluation.made_records import record


def findings(gains: dict[tuple[str, float], float], *, scatter: float = 0.01) -> Findings:
    """Findings of methods with these mean gains at these fractions, three seeds of each."""
    runs = []
    for fraction in {fraction for _, fraction in gains}:
        runs += [record("independent", seed, {"a": 0.5}, fraction=fraction) for seed in range(3)]
    for (method, fraction), gain in gains.items():
        for seed, offset in enumerate(scatter * np.array([-1.0, 0.0, 1.0])):
            runs.append(record(method, seed, {"a": 0.5 + gain + offset}, fraction=fraction))
    return Findings(runs)


def test_the_headline_is_of_the_method_that_stands_first_in_the_table():
    found = findings({("tied", 1.0): 0.1, ("tucker", 1.0): 0.2, ("pooled", 1.0): -0.2})
    assert found.methods == ["tucker", "tied", "independent", "pooled"]
    assert "with tucker" in answer(found.records)


def test_all_the_data_are_shown_in_detail_not_the_fraction_of_the_greatest_gain():
    found = findings({("tied", 0.1): 0.3, ("tied", 1.0): 0.1})
    assert found.fractions == [0.1, 1.0]
    assert found.fraction == 1.0


def test_a_fraction_without_gains_is_not_shown_in_detail():
    found = findings({("tied", 0.1): 0.3})
    alone = [record("independent", seed, {"a": 0.6}, fraction=1.0) for seed in range(3)]
    assert Findings([*found.records, *alone]).fraction == 0.1


@pytest.mark.parametrize("method", ["independent", "tied"])
def test_without_a_gain_the_board_stands_all_the_same(method):
    found = Findings([record(method, seed, {"a": 0.5}) for seed in range(3)])
    assert list(found.board["method"]) == [method]
    assert found.fraction == 1.0
    assert not found.has_intervals


def test_seeds_that_all_gave_the_same_show_nothing():
    found = findings({("tied", 1.0): 0.1}, scatter=0.0)
    assert list(found.standings["verdict"]) == [UNDECIDED]
    assert not found.has_intervals
