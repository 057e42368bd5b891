"""How much of what the networks of several folds add to the model that they stand on is added.

Each network has been stopped by the rows of its own fold, which makes its outputs there look better
than they are elsewhere, and of few rows much better. At the steps that the other folds choose they
look worse than they are: a network may need other steps than the others do. The weight lies between
those that both bear out, in the shares of Efron's .632 rule ("Estimating the error rate of a
prediction rule", JASA 1983), which mediates so between the error on rows that were trained on and
that on rows left out. Here that is an analogy: what it gains is told in ``docs/few-rows.md``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from softshare.methods.network_outputs import Outputs, joint_outputs
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.shallow.trust import trust
from softshare.tasks.losses import example_losses
from softshare.tasks.splits import units_of
from softshare.tasks.task_set import TaskSet

OF_OTHERS = 0.632
"""How much the weight counts that is judged at the steps which the other folds choose."""

FEW_ENTRIES = 20_000
"""Training entries of which the folds' outputs at every evaluation are kept. Of more, what a fold
gains by choosing among some hundred steps is nothing beside what it says of the weight.
"""


class FoldOutputs:
    """A callback of training: what a network says of the rows held out from it, at every
    evaluation.

    Args:
        held: these examples, ``N`` entries.
    """

    def __init__(self, held: TaskSet) -> None:
        self._held = held
        self.steps: list[int] = []
        self.outputs: list[Outputs] = []

    def after_evaluation(self, network: MultiTaskNetwork, row: Mapping[str, Any]) -> None:
        """Remember what it says now, in single precision: numbers that are only judged."""
        self.steps.append(int(row["step"]))
        self.outputs.append(joint_outputs(network, self._held).astype(np.float32))

    def at(self, step: int) -> Outputs | None:
        """What it said at the last evaluation up to a step, ``(N, n_outputs)``; None before the
        first. A network that was stopped says the same ever after.
        """
        place = bisect_right(self.steps, step)
        return self.outputs[place - 1] if place else None

    def state_dict(self) -> dict[str, Any]:
        """All of it: a training that goes on must end with what it would have kept."""
        return {"steps": list(self.steps), "outputs": list(self.outputs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.steps, self.outputs = list(state["steps"]), list(state["outputs"])


def weight_of_networks(
    tasks: TaskSet,
    base: Outputs,
    whole: Outputs,
    fold: np.ndarray,
    told: Sequence[FoldOutputs],
) -> float:
    """How much of what networks add to a base is to be added, from 0 to 1.

    Args:
        tasks: the training entries.
        base: what the base says of each, fitted on the other folds.
        whole: what its fold's network says of each, at the step that this very fold has chosen.
        fold: of each entry.
        told: what each fold's network said at every evaluation; none where entries are many.

    Shape:
        base and whole ``(N, n_outputs)``, fold ``(N,)`` of 0 to ``K - 1``, told ``K``.
    """
    by_own = weight_of(tasks, base, whole)
    if not told or not all(each.steps for each in told):
        return by_own
    by_others = weight_of(tasks, base, at_steps_of_others(tasks, base, fold, told))
    return (1 - OF_OTHERS) * by_own + OF_OTHERS * by_others


def at_steps_of_others(
    tasks: TaskSet,
    base: Outputs,
    fold: np.ndarray,
    told: Sequence[FoldOutputs],
) -> Outputs:
    """What every fold's network says of its rows at the step at which the other folds have the
    least loss over all their rows, by which the weight is judged too.

    To add nothing is a choice like the steps, that of step 0: then it is what the base says. Steps
    at which some network has diverged are none.

    Args:
        tasks: the training entries.
        base: what the base says of each.
        fold: of each entry.
        told: what each fold's network said at every evaluation.

    Shape:
        base and the result ``(N, n_outputs)``, fold ``(N,)``.
    """
    task = tasks.tasks[0]
    steps = sorted({0}.union(*(each.steps for each in told)))
    losses = np.empty((len(told), len(steps)))
    for number, each in enumerate(told):
        own = fold == number
        counts = np.ones(own.sum()) if tasks.weights is None else tasks.weights[own]
        for place, step in enumerate(steps):
            said = each.at(step)
            of_rows = example_losses(task, base[own] if said is None else said, tasks.targets[own])
            losses[number, place] = of_rows @ counts
    losses[:, ~np.isfinite(losses).all(0)] = np.inf
    outputs = base.copy()
    for number, each in enumerate(told):
        # Summed without the fold's own losses, not taken off the sum of all: of a large one what is
        # left is rounding.
        of_others = np.delete(losses, number, axis=0).sum(0)
        said = each.at(steps[int(of_others.argmin())])
        if said is not None:
            outputs[fold == number] = said
    return outputs


def useful_folds(tasks: TaskSet, base: Outputs, whole: Outputs, fold: np.ndarray) -> np.ndarray:
    """Of which folds the network says more than the base does, ``(K,)``.

    Others do best where they add nothing, which is not among the steps that they choose from.

    Args:
        tasks: the training entries.
        base: what the base says of each.
        whole: what its fold's network says of each.
        fold: of each entry.

    Shape:
        base and whole ``(N, n_outputs)``, fold ``(N,)``.
    """
    task = tasks.tasks[0]
    gains = example_losses(task, base, tasks.targets) - example_losses(task, whole, tasks.targets)
    if tasks.weights is not None:
        gains = gains * tasks.weights
    return np.bincount(fold, gains) > 0


def weight_of(tasks: TaskSet, base: Outputs, whole: Outputs) -> float:
    """How much of what networks add to a base does best on examples that they have not seen, as
    far as these bear it out.

    Where networks add nothing but noise that is 0, and the base alone is left. Of few rows the best
    weight is itself noise: it is trusted by what it gains beside the standard error of that
    (:func:`softshare.shallow.trust.trust`), as ``auto`` trusts its weights. Entries of one row, or
    group, scatter together.

    Args:
        tasks: the examples.
        base: what the base says of each, ``(N, n_outputs)``.
        whole: what networks say of each, the base's part included, ``(N, n_outputs)``.
    """
    task = tasks.tasks[0]
    added = whole - base

    def losses(weight: float) -> np.ndarray:
        return example_losses(task, base + weight * added, tasks.targets)

    def loss(weight: float) -> float:
        return float(np.average(losses(weight), weights=tasks.weights))

    found = minimize_scalar(loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-3})
    best = min((0.0, 1.0, float(found.x)), key=loss)
    counts = np.ones(len(base)) if tasks.weights is None else tasks.weights
    shares = counts / counts.sum()
    gains = losses(0.0) - losses(best)
    gain = float(shares @ gains)
    unit = np.unique(units_of(tasks), return_inverse=True)[1]
    of_units = np.bincount(unit, shares * (gains - gain))
    return best * trust(gain, float(np.sqrt(of_units @ of_units)))
