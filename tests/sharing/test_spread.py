"""The prior of own parts against its formulas."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from softshare.sharing.spread import Spread

SQUARES = torch.tensor([1.0, 2.0, 4.0])
EXAMPLES = torch.tensor([10.0, 0.0, 5.0])


def test_a_given_strength_weighs_the_sum_of_squares() -> None:
    spread = Spread(3, 0.3, scale=2.0)
    assert spread.penalty(SQUARES, EXAMPLES) == pytest.approx(0.3 * 7)
    assert spread.deviation is None
    assert spread.multiple is None
    assert not spread.is_learned


def test_a_learned_spread_has_the_normal_priors_penalty() -> None:
    spread = Spread(3, "learned", scale=2.0)
    spread.dispersion.copy_(torch.tensor([1.0, 0.5, 3.0]))
    # φ ‖U‖² / (2 scale² N), where a task without examples counts as one of one.
    expected = 1 * 1 / (8 * 10) + 0.5 * 2 / (8 * 1) + 3 * 4 / (8 * 5)
    assert spread.penalty(SQUARES, EXAMPLES).item() == pytest.approx(expected)


@pytest.mark.parametrize(("scale", "taken"), [(2.0, 2.0), (0.01, 0.05)])
def test_it_starts_at_a_tenth_of_the_common_weights(scale: float, taken: float) -> None:
    spread = Spread(3, "learned", scale=scale)
    assert spread.scale == taken
    assert spread.deviation == pytest.approx(0.1 * taken)
    assert spread.multiple is not None
    assert spread.multiple.item() == pytest.approx(0.1)


def test_updates_remember_the_evidence_and_take_off_a_standard_error() -> None:
    spread = Spread(3, "learned", scale=2.0)
    excess = weight = 0.0
    before = spread.variance.item()
    for new_excess, new_weight in ((90.0, 1000.0), (150.0, 700.0), (1.0, 2000.0)):
        multiple = spread.learn(torch.tensor(new_excess), torch.tensor(new_weight))
        excess, weight = 0.9 * excess + new_excess, 0.9 * weight + new_weight
        variance = max(excess / weight - math.sqrt(2 / (0.1 * weight)), 0.02**2)
        assert spread.variance.item() == pytest.approx(variance, rel=1e-5)
        assert multiple.item() == pytest.approx(min(1.0, math.sqrt(before / variance)), rel=1e-5)
        before = variance


def test_it_never_falls_below_a_hundredth_of_the_common_weights() -> None:
    spread = Spread(3, "learned", scale=2.0)
    multiple = spread.learn(torch.tensor(-5.0), torch.tensor(10.0))
    assert spread.deviation == pytest.approx(0.02)
    assert multiple.item() == 1.0


@pytest.mark.parametrize(
    ("excess", "weight"), [(1.0, 0.0), (math.nan, 5.0), (math.inf, 5.0), (1.0, math.inf)]
)
def test_what_says_nothing_changes_nothing(excess: float, weight: float) -> None:
    spread = Spread(3, "learned", scale=2.0)
    before = {name: value.clone() for name, value in spread.state_dict().items()}
    assert spread.learn(torch.tensor(excess), torch.tensor(weight)).item() == 1.0
    assert_close(dict(spread.state_dict()), before)


def test_a_given_strength_learns_nothing() -> None:
    spread = Spread(3, 0.3, scale=2.0)
    before = spread.variance.clone()
    assert spread.learn(torch.tensor(9.0), torch.tensor(9.0)).item() == 1.0
    assert torch.equal(spread.variance, before)


@pytest.mark.parametrize("shrink", ["learned", 0.3])
def test_one_task_more_has_the_same_prior_and_the_others_mean_dispersion(shrink: object) -> None:
    spread = Spread(3, shrink, scale=2.0).double()  # type: ignore[arg-type]
    spread.variance.fill_(0.7)
    spread.dispersion.copy_(torch.tensor([1.0, 2.0, 6.0]))
    more = spread.for_one_more()
    assert more.dispersion.tolist() == [1.0, 2.0, 6.0, 3.0]
    assert more.variance.item() == 0.7
    assert more.variance.dtype == torch.float64
    assert (more.scale, more.strength) == (2.0, spread.strength)
    assert not more.is_learned
    assert more.learn(torch.tensor(9.0), torch.tensor(9.0)).item() == 1.0
