"""Many categories as numbers: shrunk means, none of which knows its own row's target."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import TargetEncoder

from softshare.tasks.target_encoding import N_FOLDS, Outcome, TargetEncoding, folds_of

N_ROWS, N_CATEGORIES = 600, 60
RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, N_CATEGORIES, N_ROWS)
EFFECTS = RANDOM.normal(0, 1, N_CATEGORIES)
TARGETS = 5 + EFFECTS[CODES] + RANDOM.normal(0, 2, N_ROWS)
NAMES = [f"c{code}" for code in range(N_CATEGORIES)]
ROWS = np.arange(N_ROWS)


def fitted(targets: np.ndarray, folds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    trains = np.flatnonzero(folds >= 0)
    outcome = Outcome("", trains, targets[trains])
    encoding, of_rows = TargetEncoding.fit(NAMES, CODES, folds, [outcome])
    return encoding.encode(np.arange(N_CATEGORIES))[:, 0], of_rows[:, 0]


def test_shrunk_means_are_those_of_scikit_learn_with_as_much_smoothing() -> None:
    whole, _ = fitted(TARGETS, folds_of(ROWS, N_ROWS))
    # the true ratio of variances is 4, and what is estimated of 60 categories lies near it
    found = []
    for smooth in (2.0, 4.0, 8.0):
        oracle = TargetEncoder(smooth=smooth, target_type="continuous").fit(CODES[:, None], TARGETS)
        found.append(np.corrcoef(oracle.encodings_[0], whole)[0, 1])
    assert min(found) > 0.98
    assert np.corrcoef(EFFECTS, whole)[0, 1] > 0.8


def test_the_number_of_a_training_row_does_not_know_its_target() -> None:
    folds = folds_of(ROWS, N_ROWS)
    _, before = fitted(TARGETS, folds)
    changed = TARGETS.copy()
    changed[folds == 2] += RANDOM.normal(0, 50, (folds == 2).sum())
    _, after = fitted(changed, folds)
    # but for the size of all, which is one number
    ratio = after[folds == 2] / before[folds == 2]
    np.testing.assert_allclose(ratio, ratio[0])
    assert not np.allclose(after[folds != 2] / before[folds != 2], ratio[0])


def test_noise_is_shrunk_to_nothing_and_says_nothing_of_training_rows() -> None:
    correlations = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        noise = random.normal(size=N_ROWS)
        _, of_rows = fitted(noise, folds_of(ROWS, N_ROWS))
        if of_rows.std() > 0:
            correlations.append(np.corrcoef(of_rows, noise)[0, 1])
    assert np.mean([*correlations, 0.0]) < 0.05


def test_other_rows_and_categories_get_nothing() -> None:
    folds = folds_of(np.arange(400), N_ROWS)
    whole, of_rows = fitted(TARGETS, folds)
    assert not of_rows[400:].any()
    encoding, _ = TargetEncoding.fit(NAMES, CODES, folds, [Outcome("", ROWS[:400], TARGETS[:400])])
    assert encoding.encode(np.array([-1])).tolist() == [[0.0]]
    np.testing.assert_allclose(encoding.encode(np.arange(N_CATEGORIES))[:, 0], whole)


def test_categories_of_one_row_each_say_nothing() -> None:
    folds = folds_of(ROWS, N_ROWS)
    names = [str(row) for row in range(N_ROWS)]
    encoding, of_rows = TargetEncoding.fit(names, ROWS, folds, [Outcome("", ROWS, TARGETS)])
    assert not np.any(encoding.values)
    assert not of_rows.any()


@pytest.mark.parametrize("n_groups", [7, 60])
def test_rows_of_a_group_are_in_one_fold(n_groups: int) -> None:
    groups = RANDOM.integers(0, n_groups, N_ROWS).astype(str)
    folds = folds_of(ROWS[::2], N_ROWS, groups)
    assert set(folds[1::2]) == {-1}
    assert set(folds[::2]) == set(range(N_FOLDS))
    for group in np.unique(groups):
        assert len(set(folds[::2][groups[::2] == group])) <= 1
