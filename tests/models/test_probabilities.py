"""Calibrated probabilities against known ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from softshare.models.probabilities import Line, Logits, calibrated_line, fit_line


def drawn(*, slope: float, spread: float, seed: int, rows: int = 50) -> tuple[Logits, np.ndarray]:
    """Log-odds of 30 tasks, whose true ones are ``slope × z`` and an offset of the task's own."""
    random = np.random.default_rng(seed)
    tasks = np.repeat(np.arange(30), rows)
    values = random.normal(0, 1.5, len(tasks))
    true = slope * values + random.normal(0, spread, 30)[tasks]
    targets = (random.random(len(tasks)) < expit(true)).astype(float)
    return Logits(values[:, None], targets, tasks, np.arange(len(tasks)), np.ones(len(tasks))), true


def test_odds_that_are_too_sure_are_drawn_in() -> None:
    logits, true = drawn(slope=0.4, spread=0.0, seed=0, rows=200)
    line = calibrated_line(logits, 30)
    assert line.slope == pytest.approx(0.4, abs=0.05)
    off = expit(line(logits.values, logits.tasks)[:, 0]) - expit(true)
    assert np.abs(off).max() < 0.05


def test_tasks_with_odds_of_their_own_get_offsets_by_their_rows() -> None:
    logits, true = drawn(slope=1.0, spread=0.8, seed=1)
    line = calibrated_line(logits, 30)
    own = (true - logits.values[:, 0])[::50]
    assert np.corrcoef(line.offsets, own)[0, 1] > 0.9
    assert line.offsets.std() < own.std()
    few = Logits(*(part[:5] for part in vars(logits).values()))
    drawn_in = fit_line(few, 30, 0.5).offsets
    assert np.abs(drawn_in).max() < np.abs(line.offsets).max()
    assert not drawn_in[1:].any()


def test_the_line_is_the_one_of_logistic_regression() -> None:
    logits, _ = drawn(slope=2.0, spread=0.0, seed=2, rows=2000)
    line = fit_line(logits, 30, 0.0)
    other = LogisticRegression(C=1e8).fit(logits.values, logits.targets)
    # of 60,000 rows the priors are nothing
    assert line.slope == pytest.approx(other.coef_[0, 0], rel=1e-3)
    assert line.shift == pytest.approx(other.intercept_[0], abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_calibrated_stays_as_it_is(seed: int) -> None:
    logits, _ = drawn(slope=1.0, spread=0.0, seed=seed, rows=8)
    line = calibrated_line(logits, 30)
    np.testing.assert_allclose(line(logits.values, logits.tasks), logits.values, atol=0.35)
    assert seed or line.slope == 1.0


def test_several_classes_have_one_temperature() -> None:
    random = np.random.default_rng(3)
    values = random.normal(0, 3, (3000, 4))
    values[:1500, 3] = -np.inf  # tasks without the fourth class
    chances = softmax(values / 2, axis=1).cumsum(axis=1)
    targets = (random.random((3000, 1)) > chances).sum(axis=1).astype(float)
    tasks = np.repeat([0, 1], 1500)
    line = calibrated_line(Logits(values, targets, tasks, np.arange(3000), np.ones(3000)), 2)
    assert line.slope == pytest.approx(0.5, abs=0.05)
    assert (line.shift, line.offsets.tolist()) == (0.0, [0.0, 0.0])


def test_a_slope_keeps_its_sign_and_separated_classes_do_not_run_away() -> None:
    values = np.linspace(-3, 3, 40)
    tasks = np.zeros(40, dtype=np.int64)
    right = Logits(values[:, None], (values > 0).astype(float), tasks, np.arange(40), np.ones(40))
    wrong = Logits(values[:, None], (values < 0).astype(float), tasks, np.arange(40), np.ones(40))
    assert 1 < fit_line(right, 1, 0.0).slope < 6
    assert fit_line(wrong, 1, 0.0).slope == 0.05


def test_a_new_task_has_no_offset() -> None:
    line = Line(2.0, 1.0, np.array([5.0]))
    assert line(np.array([[1.0], [1.0]]), np.array([0, -1])).ravel().tolist() == [8.0, 3.0]


def test_a_row_of_weight_two_is_two_rows() -> None:
    logits, _ = drawn(slope=0.4, spread=0.5, seed=4, rows=10)
    counts = np.arange(300) % 3 + 1.0
    weighed = Logits(logits.values, logits.targets, logits.tasks, logits.units, counts)
    copies = np.repeat(np.arange(300), counts.astype(int))
    several = logits.where(copies)
    for variance in (0.0, 0.5):
        one, other = (fit_line(each, 30, variance) for each in (weighed, several))
        assert one.slope == pytest.approx(other.slope, abs=1e-4)
        np.testing.assert_allclose(one.offsets, other.offsets, atol=1e-3)
