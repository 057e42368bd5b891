"""How well a task is learned, by scikit-learn's metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from sklearn import metrics as sklearn_metrics

from softshare.tasks.task import Kind, Task

HIGHER_IS_BETTER: Mapping[str, bool] = {
    "accuracy": True,
    "balanced_error": False,
    "roc_auc": True,
    "f1": True,
    "rmse": False,
    "r2": True,
    "loss": False,
    "multiclass_error": False,
}

METRICS_OF_KIND: Mapping[Kind, tuple[str, ...]] = {
    "binary": ("roc_auc", "accuracy", "balanced_error", "f1"),
    "multiclass": ("accuracy", "balanced_error"),
    "regression": ("rmse", "r2"),
}
"""The metrics of each kind, the primary one first."""


def primary_metric(task: Task, override: str | None = None) -> str:
    """The metric by which a task is compared.

    Raises:
        ValueError: the override does not apply to the task's kind.
    """
    allowed = METRICS_OF_KIND[task.kind]
    if override is None:
        return allowed[0]
    if override not in (*allowed, "loss"):
        raise ValueError(
            f"metric {override!r} does not apply to {task.kind} task {task.label!r}; "
            f"choose from {', '.join((*allowed, 'loss'))}"
        )
    return override


def task_metrics(task: Task, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float | None]:
    """All metrics of one task; None where one cannot be computed (a single class among the
    targets).

    Args:
        task: the task.
        outputs: logits or values, ``(N, n_outputs)``.
        targets: ``(N,)``.

    Returns:
        RMSE is in the units of the targets: standard deviations of the training targets once they
        are standardised. The balanced error is ``1 −`` the mean recall of the classes present.
    """
    if len(targets) == 0:
        return dict.fromkeys(METRICS_OF_KIND[task.kind])
    if task.kind == "regression":
        constant = len(targets) < 2 or bool(np.all(targets == targets[0]))
        r2 = None if constant else float(sklearn_metrics.r2_score(targets, outputs[:, 0]))
        return {
            "rmse": float(sklearn_metrics.root_mean_squared_error(targets, outputs[:, 0])),
            "r2": r2,
        }
    labels = targets.astype(int)
    predicted = (outputs[:, 0] > 0).astype(int) if task.kind == "binary" else outputs.argmax(1)
    recalls = [float(np.mean(predicted[labels == label] == label)) for label in np.unique(labels)]
    values: dict[str, float | None] = {
        "accuracy": float(np.mean(predicted == labels)),
        "balanced_error": 1 - float(np.mean(recalls)),
    }
    if task.kind == "binary":
        both = len(recalls) == 2
        values["roc_auc"] = (
            float(sklearn_metrics.roc_auc_score(labels, outputs[:, 0])) if both else None
        )
        values["f1"] = float(sklearn_metrics.f1_score(labels, predicted)) if labels.any() else None
    return values


def multiclass_error(outputs: Sequence[np.ndarray], targets: Sequence[np.ndarray]) -> float | None:
    """Error of the joint decision of one-vs-all tasks on the same rows: the task with the highest
    output.

    Args:
        outputs: for every task its logits ``(N, 1)``, the same rows in the same order.
        targets: for every task its 0/1 targets ``(N,)``.

    Returns:
        None where the tasks are not one-vs-all: some row belongs to no task or to several.
    """
    if len({len(column) for column in targets}) != 1 or len(targets) < 2:
        return None
    stacked = np.stack(targets, axis=1)
    if len(stacked) == 0 or not np.array_equal(stacked.sum(1), np.ones(len(stacked))):
        return None
    decided = np.concatenate(outputs, axis=1).argmax(1)
    return float(np.mean(decided != stacked.argmax(1)))
