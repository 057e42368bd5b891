"""Where no method is shown to predict better than chance, none is a winner."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.evaluation.answer import answer
from softshare.evaluation.chance import no_better_than_chance
from tests.evaluation.made_records import record


def runs(areas, **options):
    """Records of every method's mean ROC-AUC in each seed, the same in both tasks."""
    made = []
    for method, of_seeds in areas.items():
        for seed, area in enumerate(of_seeds):
            both = {"a": area + 0.01, "b": area - 0.01}
            made.append(record(method, seed, both, **{"metric": "roc_auc", **options}))
    return made


GUESSES = {
    "independent": [0.46, 0.47, 0.45, 0.46, 0.46],
    "tied": [0.50, 0.51, 0.49, 0.51, 0.50],
}
"""Better than learning apart in every seed, and no better than a coin."""


def test_a_gain_between_methods_that_guess_is_no_finding():
    found = no_better_than_chance(runs(GUESSES))
    assert (found.method, found.n_methods) == ("tied", 2)
    assert found.area == pytest.approx(0.502)
    told = answer(runs(GUESSES))
    assert told.startswith("No winner: no method is shown to predict better than chance")
    assert "the best of 2, tied" in told
    assert "0.502" in told


@pytest.mark.parametrize(
    "tied",
    [
        [0.52, 0.53, 0.52, 0.53, 0.52],  # little, and in every seed
        [0.7, 0.4, 0.7, 0.6, 0.5],  # much, and not in every seed
    ],
)
def test_what_is_little_but_sure_or_large_is_a_prediction(tied):
    assert no_better_than_chance(runs({**GUESSES, "tied": tied})) is None


def test_few_seeds_and_other_kinds_tell_nothing():
    two = {method: areas[:2] for method, areas in GUESSES.items()}
    assert no_better_than_chance(runs(two)) is None
    assert no_better_than_chance(runs({"tied": [0.1] * 5}, metric="r2")) is None
    assert no_better_than_chance([]) is None


def test_guesses_are_rarely_taken_for_predictions():
    random = np.random.default_rng(0)
    missed = 0
    for _ in range(200):
        guesses = {f"m{number}": random.normal(0.5, 0.015, 5) for number in range(6)}
        missed += no_better_than_chance(runs(guesses)) is None
    assert missed <= 12  # 2.5 % of 200 at the most, and three standard deviations
