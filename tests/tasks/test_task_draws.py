"""Which tasks make a step."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.tasks.task_draws import TaskDraws, probabilities


def test_tasks_taken_in_turn_come_once_before_any_comes_again() -> None:
    draws = TaskDraws(None, n_tasks=6, per_step=2, seed=0)
    rounds = draws.take(30).reshape(-1, 6)
    assert (np.sort(rounds, axis=1) == np.arange(6)).all()
    assert len({tuple(order) for order in rounds}) > 1


def test_all_tasks_a_step_stand_in_their_order() -> None:
    draws = TaskDraws(None, n_tasks=3, per_step=3, seed=0)
    assert draws.take(2).tolist() == [[0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    ("policy", "temperature", "power"),
    [("proportional", 5.0, 1.0), ("temperature", 1.0, 1.0), ("temperature", 2.0, 0.5)],
)
def test_tasks_are_drawn_by_a_power_of_their_size(
    policy: str, temperature: float, power: float
) -> None:
    sizes = np.array([1, 4, 16])
    wanted = probabilities(sizes, policy, temperature)  # type: ignore[arg-type]
    assert wanted is not None
    np.testing.assert_allclose(wanted, (sizes / 16) ** power)
    drawn = TaskDraws(wanted, n_tasks=3, per_step=2, seed=1).take(20_000)
    found = np.bincount(drawn.ravel()) / drawn.size
    np.testing.assert_allclose(found, wanted / wanted.sum(), atol=0.01)
