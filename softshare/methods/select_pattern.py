"""The choice of a tensor ring's pattern: how many cores each layer shares, greedily from bottom to
top.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softshare.methods.cross_validation import N_FOLDS, Judge, Learn, cross_validate
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet


def cores_in_common(network: MultiTaskNetwork) -> list[int]:
    """How many cores the tasks can share in each layer, from bottom to top."""
    return [len(weight.cores_in_common) for weight in network.layers.values()]


@dataclass(frozen=True)
class PatternChoice:
    """A pattern and what it was chosen from.

    Args:
        pattern: a digit for each layer from bottom to top.
        losses: every pattern tried and its mean held-out loss, or what else was judged by.
    """

    pattern: str
    losses: dict[str, float]


def select_pattern(
    learn: Callable[[str], Learn],
    n_cores: Sequence[int],
    train: TaskSet,
    *,
    non_increasing: bool = True,
    n_folds: int = N_FOLDS,
    seed: int = 0,
    judge: Judge | None = None,
) -> PatternChoice:
    """Choose how many cores each layer shares, by cross-validation.

    The layers are decided one after the other from bottom to top, those above sharing nothing
    meanwhile: L layers of D cores cost at most L·D + 1 cross-validations, where all patterns would
    be (D + 1)^L.

    Args:
        learn: pattern → how a network that shares so is trained.
        n_cores: how many cores each layer has, from bottom to top.
        train: the training part, prepared.
        non_increasing: try only patterns in which no layer shares more cores than the one below it:
            what is general is learned at the bottom.
        n_folds: see :func:`softshare.methods.cross_validation.cross_validate`.
        seed: of the folds.
        judge: see :func:`softshare.methods.cross_validation.cross_validate`.

    Raises:
        ValueError: there are fewer than two folds, or fewer rows than folds.
    """
    losses: dict[str, float] = {}
    chosen, most = "", max(n_cores)
    for layer, n_here in enumerate(n_cores):
        rest = "0" * (len(n_cores) - layer - 1)
        patterns = [f"{chosen}{count}{rest}" for count in range(min(n_here, most) + 1)]
        new = {pattern: learn(pattern) for pattern in patterns if pattern not in losses}
        losses |= cross_validate(new, train, n_folds=n_folds, seed=seed, judge=judge)
        best = min(patterns, key=losses.__getitem__)
        chosen = best[: layer + 1]
        most = int(best[layer]) if non_increasing else max(n_cores)
    return PatternChoice(chosen, losses)
