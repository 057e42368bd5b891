"""Made tasks are what they are said to be."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.data import synthetic


def test_weights_of_a_group_have_its_rank_and_groups_are_unrelated() -> None:
    made = synthetic.make(30, n_features=40, rank=3, n_groups=2, n_outliers=6, seed=3)
    assert made.group.tolist() == [0] * 12 + [1] * 12 + [-1] * 6
    np.testing.assert_allclose(np.linalg.norm(made.weights, axis=1), 1)
    for group in (0, 1):
        assert np.linalg.matrix_rank(made.weights[made.group == group]) == 3
    assert np.linalg.matrix_rank(made.weights[made.group >= 0]) == 6
    assert np.linalg.matrix_rank(made.weights) == 12, "outliers share nothing"
    assert made.tasks.names[0] == "a0"
    assert made.tasks.names[-1] == "outlier 5"


def test_targets_follow_the_weights_up_to_the_noise() -> None:
    made = synthetic.make(5, n_examples=4000, noise=0.5, seed=1)
    for number in range(5):
        inputs, targets = made.tasks.examples(number)
        residuals = targets.numpy() - inputs.double().numpy() @ made.weights[number]
        assert residuals.std() == pytest.approx(0.5, rel=0.05)
        assert (targets.numpy() - residuals).std() == pytest.approx(1, rel=0.1)


def test_binary_targets_are_the_signs_of_the_regression_s() -> None:
    numbers, signs = (
        synthetic.make(3, seed=2, kind=kind).tasks for kind in ("regression", "binary")
    )
    np.testing.assert_array_equal(signs.targets, numbers.targets > 0)
    assert {task.kind for task in signs.tasks} == {"binary"}


def test_the_seed_decides() -> None:
    first, again, other = (synthetic.make(seed=seed).tasks.fingerprint() for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"n_tasks": 0}, "n_tasks"),
        ({"n_outliers": 11}, "n_outliers: must be 0 to n_tasks = 10"),
        ({"n_groups": 11}, "n_groups: must be 1 to 10"),
        ({"rank": 31}, "rank: must be 1 to n_features = 30"),
        ({"n_examples": 4}, "n_examples: must be at least 5"),
        ({"noise": -1.0, "rank": 0}, r"rank: .*; noise: must not be negative"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(arguments: dict[str, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        synthetic.make(**arguments)  # type: ignore[arg-type]


def test_all_tasks_may_be_outliers() -> None:
    made = synthetic.make(4, n_outliers=4)
    assert made.group.tolist() == [-1] * 4
