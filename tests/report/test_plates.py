"""What a figure says in words is what the numbers say."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.report import plates
from softshare.report.excess import PairExcess
from softshare.report.findings import Findings
from softshare.report.style import drawing
from tests.evaluation.made_records import record, runs


def test_harm_is_named_the_worst_first():
    found = runs({"tied": 0.05}, tasks=("a", "b", "c"))
    for row in found[5:]:
        row["metrics"]["test"]["b"]["roc_auc"] -= 0.1
        row["metrics"]["test"]["c"]["roc_auc"] -= 0.2
    with drawing():
        (plate,) = plates.gains_of_tasks(Findings(found))
    assert plate.title == "tied"
    assert plate.caption == "Helps 1 of 3. Hurts 2: c (−0.150) and b (−0.050)."


def test_few_seeds_count_and_claim_nothing():
    found = runs({"tied": -0.05}, seeds=1, scatter=0)
    with drawing():
        (plate,) = plates.gains_of_tasks(Findings(found))
    assert plate.caption.startswith("2 tasks of 2 did worse than apart; so few seeds cannot say")


def test_without_a_gain_nothing_is_drawn():
    alone = Findings([record("tied", seed, {"a": 0.5}) for seed in range(3)])
    assert plates.gains_of_methods(alone) is None
    assert plates.gains_over_fractions(alone) is None
    assert list(plates.gains_of_tasks(alone)) == []


@pytest.mark.parametrize("curve", [
    [],
    [{"step": 0, "train_loss": None, "validation_loss": None}],
])  # fmt: skip
def test_without_losses_no_curve_is_drawn(curve):
    found = runs({"tied": 0.05}, seeds=2)
    assert list(plates.learning_curves(Findings([row | {"curve": curve} for row in found]))) == []


def test_a_curve_without_held_out_rows_is_that_of_training():
    steps = [{"step": step, "train_loss": 1 / step, "validation_loss": None} for step in (1, 2, 4)]
    found = [row | {"curve": steps} for row in runs({"tied": 0.05}, seeds=2)]
    with drawing():
        (plate,) = plates.learning_curves(Findings(found))
    assert plate.title == "Training loss"
    assert plate.spoken == "At the end: independent 0.25, tied 0.25"


def test_pairs_are_told_the_most_alike_first():
    similarity = np.array([[1, 0.9, 0.1], [0.9, 1, np.nan], [0.1, np.nan, 1]])
    told = plates.pairs_in_words(similarity, ["a", "b", "c"])
    assert told == "Pairs from most to least alike: a and b (0.90); a and c (0.10)."


def test_only_pairs_beyond_chance_are_told():
    values = np.array([[0, 0.3, -0.2], [0.3, 0, 0.1], [-0.2, 0.1, 0]])
    excess = PairExcess(values, np.full((3, 3), 0.15))
    assert plates.shown_pairs(excess, ["a", "b", "c"]) == (
        "Drawn together more than the mean pair: a and b (+0.30 [+0.15, +0.45]). "
        "Less: a and c (−0.20 [−0.35, −0.05])."
    )
