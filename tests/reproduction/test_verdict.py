"""Verdicts against cases that are worked out by hand.

Gains of four seeds, (0.8, 1.0, 1.2, 1.0): mean 1, variance .08 / 3, and with t(.975; 3) = 3.182446
half an interval of 3.182446 · √(.0266667 / 4) = .259845.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from softshare.reproduction.claims import Claim
from softshare.reproduction.verdict import estimate, verdict_on

FOUR = (0.8, 1.0, 1.2, 1.0)
HALF = 0.259845

GAIN = Claim(
    id="paper/table-1/gain",
    text="It gains.",
    case="main",
    contestant="tucker",
    baseline="apart",
    measure="error",
    direction="lower",
    published=1.2,
    smallest=0.3,
    control="unrelated",
    seeds=5,
)
NOT_WORSE = replace(GAIN, smallest=-0.5, published=None, control=None)


def shifted(by: float) -> list[float]:
    return [value + by for value in FOUR]


def test_the_interval_is_that_of_the_t_distribution():
    found = estimate(FOUR)
    assert found.mean == pytest.approx(1.0)
    assert found.deviation == pytest.approx((0.08 / 3) ** 0.5)
    assert found.low == pytest.approx(1 - HALF, abs=1e-5)
    assert found.high == pytest.approx(1 + HALF, abs=1e-5)


def test_two_seeds_have_no_interval_and_equal_ones_one_without_width():
    assert estimate([1.0, 2.0]).low is None
    assert estimate([]) is None
    same = estimate([2.0, 2.0, 2.0])
    assert (same.low, same.high) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("gains", "ruling"),
    [
        (shifted(0.0), "holds"),  # [.74, 1.26] is above 0 and has the published 1.2
        (shifted(-0.1), "holds, smaller"),  # [.64, 1.16] is below 1.2
        (shifted(-0.75), "undecided"),  # [-.01, .51]
        (shifted(-0.72), "undecided"),  # [.02, .54], but the mean .28 is below .3
        (shifted(-1.0), "does not hold"),  # [-.26, .26] leaves nothing that counts
        (shifted(-3.0), "does not hold"),
        (FOUR[:2], "undecided"),
        ([], "no records"),
    ],
)
def test_a_claimed_gain(gains, ruling):
    assert verdict_on(GAIN, gains).ruling == ruling


@pytest.mark.parametrize(
    ("gains", "ruling"),
    [
        (shifted(-1.2), "holds"),  # [-.46, .06]
        (shifted(-1.3), "undecided"),  # [-.56, -.04]
        (shifted(-1.8), "does not hold"),  # [-1.06, -.54]
        (shifted(5.0), "holds"),
    ],
)
def test_a_claim_of_not_being_worse(gains, ruling):
    assert verdict_on(NOT_WORSE, gains).ruling == ruling


def test_a_control_that_gains_condemns_whatever_the_claim_says():
    assert verdict_on(GAIN, FOUR, FOUR).ruling == "condemned by its control"
    assert verdict_on(GAIN, FOUR, shifted(-1.0)).ruling == "holds"
    assert verdict_on(GAIN, FOUR, FOUR[:2]).ruling == "holds"  # too few to say that it gains


def test_how_many_seeds_would_decide():
    # deviation .1633, mean .25: high < .3 asks for t · .1633 / √n < .05, first at n = 44
    # (t(43) = 2.0167: .04965; t(42) = 2.0181: .05026)
    verdict = verdict_on(GAIN, shifted(-0.75))
    assert verdict.seeds_to_decide == 44
    assert verdict.told == "undecided (about 44 seeds would decide)"


def test_a_mean_that_lies_on_the_border_is_never_decided():
    verdict = verdict_on(NOT_WORSE, shifted(-1.5))
    assert verdict.ruling == "undecided"
    assert verdict.seeds_to_decide is None
    assert "1,000 seeds would not decide" in verdict.told


def test_whether_the_published_gain_is_excluded():
    assert verdict_on(GAIN, shifted(-0.75)).excludes_published
    assert not verdict_on(GAIN, FOUR).excludes_published


@pytest.mark.parametrize(
    ("control", "caveat"),
    [
        (shifted(-1.0), ""),  # [-.26, .26] leaves no gain of .3
        (shifted(-0.9), "its control may gain too: too few seeds to tell"),  # [-.16, .36]
        (FOUR[:2], "its control may gain too: too few seeds to tell"),
        ([], "control not run"),
    ],
)
def test_a_gain_that_holds_says_what_its_control_leaves_open(control, caveat):
    verdict = verdict_on(GAIN, FOUR, control)
    assert verdict.ruling == "holds"
    assert verdict.caveat == caveat
    assert verdict.told == (f"holds ({caveat})" if caveat else "holds")


def test_what_claims_no_gain_needs_no_control():
    assert verdict_on(NOT_WORSE, shifted(-1.2)).told == "holds"
    bound = replace(GAIN, baseline=None, bound=1.0, control=None)
    assert verdict_on(bound, FOUR).told == "holds"
