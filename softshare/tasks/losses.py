"""The tasks' losses, computed for all tasks of a batch at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from softshare.tasks.batches import Batch
from softshare.tasks.task import Task

BinaryLoss = Literal["logistic", "hinge"]


class TaskLosses:
    """The mean loss of every task in a batch: logistic or hinge, cross-entropy, or squared.

    Args:
        tasks: all tasks, in the order of the task axis.
        binary: the loss of binary tasks: ``"logistic"``, or ``"hinge"`` (``max(0, 1 − y·output)``,
            y = ±1).

    Raises:
        ValueError: ``binary`` is neither.
    """

    def __init__(self, tasks: Sequence[Task], *, binary: BinaryLoss = "logistic") -> None:
        if binary not in ("logistic", "hinge"):
            raise ValueError(f"binary must be 'logistic' or 'hinge', got {binary!r}")
        elementwise = dict(ELEMENTWISE_LOSSES)
        if binary == "hinge":
            elementwise["binary"] = hinge_loss
        kinds = list(dict.fromkeys(task.kind for task in tasks))
        self._losses = [elementwise[kind] for kind in kinds]
        self._kinds = torch.tensor([kinds.index(task.kind) for task in tasks])
        self._widths = torch.tensor([task.n_outputs for task in tasks])
        widths = {task.n_outputs for task in tasks}
        self._width = widths.pop() if len(widths) == 1 else None

    def __call__(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Mean loss of every task over its labelled examples, each times its weight; 0 for a task
        with none in the batch.

        Args:
            outputs: ``(k, B, W)``, W the widest output among these tasks.
            batch: the examples that made them.

        Shape:
            ``(k,)``.
        """
        if len(self._losses) == 1 and self._width == outputs.shape[-1]:
            losses = self._losses[0](outputs, batch.targets, None)
        else:
            tasks = batch.tasks.cpu()
            widths = self._widths[tasks].to(outputs.device)
            losses = torch.zeros_like(
                batch.targets, dtype=torch.promote_types(outputs.dtype, batch.targets.dtype)
            )
            for kind, loss in enumerate(self._losses):
                rows = torch.nonzero(self._kinds[tasks] == kind).flatten().to(outputs.device)
                if len(rows):
                    losses = losses.index_copy(
                        0,
                        rows,
                        loss(outputs[rows], batch.targets[rows], widths[rows]).to(losses.dtype),
                    )
        if batch.weights is not None:
            losses = losses * batch.weights
        if batch.present is None:
            return losses.mean(1) if batch.divisors is None else losses.sum(1) / batch.divisors
        return (losses * batch.present).sum(1) / (
            batch.present.sum(1).clamp(min=1) if batch.divisors is None else batch.divisors
        )


def logistic_loss(
    outputs: Tensor,
    targets: Tensor,
    widths: Tensor | None,
) -> Tensor:
    """``log(1 + exp(−y·output))``, targets 0 and 1: ``(k, B, W)``, ``(k, B)`` → ``(k, B)``."""
    return functional.binary_cross_entropy_with_logits(outputs[..., 0], targets, reduction="none")


def hinge_loss(
    outputs: Tensor,
    targets: Tensor,
    widths: Tensor | None,
) -> Tensor:
    """``max(0, 1 − y·output)``, targets 0 and 1 read as y = ∓1: ``(k, B, W)``, ``(k, B)`` → ``(k,
    B)``.
    """
    return functional.relu(1 - (2 * targets - 1) * outputs[..., 0])


def squared_loss(
    outputs: Tensor,
    targets: Tensor,
    widths: Tensor | None,
) -> Tensor:
    """``(output − target)²``: ``(k, B, W)``, ``(k, B)`` → ``(k, B)``."""
    return (outputs[..., 0] - targets).square()


def cross_entropy(
    outputs: Tensor,
    targets: Tensor,
    widths: Tensor | None,
) -> Tensor:
    """Cross-entropy over the first ``widths`` outputs of each task, over all of them when None:
    ``(k, B, W)``, ``(k, B)`` → ``(k, B)``.
    """
    if widths is not None:
        beyond = torch.arange(outputs.shape[-1], device=outputs.device) >= widths[:, None, None]
        outputs = outputs.masked_fill(beyond, -torch.inf)
    return functional.cross_entropy(
        outputs.flatten(0, 1), targets.flatten().long(), reduction="none"
    ).view_as(targets)


ELEMENTWISE_LOSSES = {
    "binary": logistic_loss,
    "multiclass": cross_entropy,
    "regression": squared_loss,
}
"""Kind of task → the loss of every example."""


def mean_loss(
    task: Task,
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray | None = None,
) -> float:
    """One task's mean loss, whatever made the outputs; nan where it has no examples.

    Args:
        task: tells which loss: logistic, cross-entropy or squared.
        outputs: ``(N, n_outputs)``.
        targets: ``(N,)``.
        weights: how much each example counts, ``(N,)``; None: all the same.
    """
    if not len(targets):
        return math.nan
    return float(np.average(example_losses(task, outputs, targets), weights=weights))


def example_losses(task: Task, outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The loss of each of a task's examples.

    Args:
        task: tells which loss: logistic, cross-entropy or squared.
        outputs: ``(N, n_outputs)``.
        targets: ``(N,)``.

    Shape:
        ``(N,)``.
    """
    loss = ELEMENTWISE_LOSSES[task.kind]
    rows = torch.from_numpy(np.ascontiguousarray(outputs)).unsqueeze(0)
    losses = loss(rows, torch.from_numpy(targets).to(rows).unsqueeze(0), None)
    return np.asarray(losses[0].double().numpy())
