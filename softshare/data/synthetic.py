"""Made tasks whose relatedness is known: what a method finds can be held against what is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True, eq=False)
class Synthetic:
    """Made tasks, and the truth about them.

    Args:
        tasks: the tasks, named by their group (``a0``, ``a1``, ``b0``, …) or ``outlier 0``, ….
        weights: of every task's linear model.
        rank: of the weights of one group.
        group: the group of every task, -1 for outliers.
        noise: standard deviation of the noise on targets of variance 1, or on the logits.

    Shape:
        weights ``(T, D)``, group ``(T,)``.
    """

    tasks: TaskSet
    weights: np.ndarray
    rank: int
    group: np.ndarray
    noise: float


def make(
    n_tasks: int = 10,
    *,
    n_features: int = 30,
    n_examples: int = 100,
    rank: int = 2,
    n_groups: int = 1,
    n_outliers: int = 0,
    noise: float = 0.3,
    kind: Literal["regression", "binary"] = "regression",
    seed: int = 0,
) -> Synthetic:
    """Tasks whose weights are mixtures of a few basis vectors that their group shares.

    In a group, ``w_t = L s_t`` with ``L`` of ``rank`` columns and a coefficient vector ``s_t`` of
    each task's own. Groups have independent bases, outliers independent weights. Inputs are
    standard normal; ``‖w_t‖ = 1``, so targets have variance 1 before noise is added.

    Args:
        n_tasks: all of them, outliers counted.
        n_features: of every input.
        n_examples: of every task.
        rank: of the weights of a group.
        n_groups: among which the tasks that are no outliers are divided evenly.
        n_outliers: tasks that are related to no other; they stand last.
        noise: standard deviation of the noise.
        kind: numbers, or whether they are above 0.
        seed: of all draws.

    Raises:
        ValueError: the numbers do not fit each other.
    """
    _check(
        n_tasks,
        n_features,
        n_examples,
        rank,
        n_groups,
        n_outliers,
        noise,
    )
    random = np.random.default_rng(seed)
    related = n_tasks - n_outliers
    group = np.concatenate(
        [np.arange(related) * n_groups // max(1, related), np.full(n_outliers, -1)]
    )
    bases = random.normal(size=(n_groups, rank, n_features))
    mixed = np.einsum("tr,trd->td", random.normal(size=(n_tasks, rank)), bases[group])
    weights = np.where(group[:, None] < 0, random.normal(size=(n_tasks, n_features)), mixed)
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    inputs = random.normal(size=(n_tasks, n_examples, n_features))
    values = np.einsum("tnd,td->tn", inputs, weights) + noise * random.normal(
        size=(n_tasks, n_examples)
    )
    targets = values if kind == "regression" else values > 0
    names = [
        f"outlier {number - related}" if own < 0 else f"{chr(97 + own)}{number}"
        for number, own in enumerate(group)
    ]
    tasks = TaskSet.from_arrays(
        dict(zip(names, zip(inputs, targets, strict=True), strict=True)), kinds=kind
    )
    return Synthetic(
        tasks,
        weights,
        rank,
        group,
        noise,
    )


def load() -> TaskSet:
    """Twelve made regressions: two groups of five tasks of rank 2, and two outliers."""
    return make(12, n_groups=2, n_outliers=2).tasks


def _check(
    n_tasks: int,
    n_features: int,
    n_examples: int,
    rank: int,
    n_groups: int,
    n_outliers: int,
    noise: float,
) -> None:
    related = n_tasks - n_outliers
    wrong = []
    if not 0 <= n_outliers <= n_tasks or n_tasks < 1:
        wrong.append(f"n_outliers: must be 0 to n_tasks = {n_tasks} (at least 1), got {n_outliers}")
    elif related and not 1 <= n_groups <= min(related, 26):
        wrong.append(f"n_groups: must be 1 to {min(related, 26)}, got {n_groups}")
    if not 1 <= rank <= n_features:
        wrong.append(f"rank: must be 1 to n_features = {n_features}, got {rank}")
    if n_examples < 5:
        wrong.append(f"n_examples: must be at least 5, got {n_examples}")
    if noise < 0:
        wrong.append(f"noise: must not be negative, got {noise}")
    if wrong:
        raise ValueError("; ".join(wrong))
