"""Which tasks make a step: all of them, some in turn, or some drawn by their size."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from softshare.tasks.orders import Orders
from softshare.tasks.random_keys import key_of

Policy = Literal["cycle", "shortest", "proportional", "temperature"]

POLICIES: tuple[Policy, ...] = get_args(Policy)


class TaskDraws:
    """The tasks of step after step.

    Args:
        probabilities: of every task to be drawn, one draw as likely as another; None takes the
            tasks in turn, each once in a random order before any comes again.
        n_tasks: number of all tasks.
        per_step: tasks a step; all of them in turn is all of them in their order.
        seed: of the draws.

    Shape:
        probabilities ``(T,)``.
    """

    def __init__(
        self,
        probabilities: np.ndarray | None,
        *,
        n_tasks: int,
        per_step: int,
        seed: int,
    ) -> None:
        self._n_tasks, self._per_step = n_tasks, per_step
        key = key_of(seed, "tasks of a step")
        self._turns = Orders(np.array([n_tasks]), np.array([key], dtype=np.uint64))
        self._upper = (
            None if probabilities is None else np.cumsum(probabilities / probabilities.sum())
        )
        self._random = np.random.default_rng(key)

    def new_round(self) -> None:
        """Let all tasks come again before any comes twice, where they are taken in turn."""
        self._turns.make_room(self._n_tasks)

    def take(self, steps: int) -> np.ndarray:
        """The tasks of the next steps, shape ``(steps, k)``."""
        shape = steps, self._per_step
        if self._upper is not None:
            drawn = np.searchsorted(self._upper, self._random.random(shape), side="right")
            return np.minimum(drawn, self._n_tasks - 1)  # the last sum may be below 1 by rounding
        if self._per_step == self._n_tasks:
            return np.tile(np.arange(self._n_tasks), (steps, 1))
        return self._turns.take(np.array([0]), steps * self._per_step).reshape(shape)


def probabilities(
    sizes: np.ndarray,
    policy: Policy,
    temperature: float,
) -> np.ndarray | None:
    """How likely each task is drawn, in proportion to ``size^(1/temperature)`` and 1 for the
    largest; None where taken in turn.

    Shape:
        sizes and the result ``(T,)``.
    """
    if policy in ("cycle", "shortest"):
        return None
    return (sizes / sizes.max()) ** (1.0 if policy == "proportional" else 1 / temperature)
