"""How well classes are told: by the order of the rows, by decisions, and by probabilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, log_expit, logsumexp, softmax

from softshare.tasks.metric import Metric, ratio, weighted_mean

BINS = 15
"""Of equal width, of the calibration error (Guo et al. 2017)."""


def roc_auc(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The weight of the pairs (positive, negative) in the right order; ties count one half."""
    positives, negatives = _by_level(outputs[:, 0], targets, weights)
    below = np.cumsum(negatives, axis=1) - negatives
    ordered = (positives * (below + negatives / 2)).sum(axis=1)
    return ratio(ordered, positives.sum(axis=1) * negatives.sum(axis=1))


def average_precision(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``Σ_n (R_n − R_{n−1}) P_n`` over the different scores, from the highest on: precision P,
    recall R; none of one class, which every order puts right.
    """
    positives, negatives = _by_level(outputs[:, 0], targets, weights)
    # (B, levels): what is called positive where the threshold is at this score or the next higher
    hits = np.cumsum(positives[:, ::-1], axis=1)
    called = hits + np.cumsum(negatives[:, ::-1], axis=1)
    precision = np.nan_to_num(ratio(hits, called))
    found = (positives[:, ::-1] * precision).sum(axis=1)
    values = ratio(found, hits[:, -1])
    return np.where(negatives.sum(axis=1) > 0, values, np.nan)


def accuracy(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The weight of the right decisions."""
    return weighted_mean(_decided(outputs) == targets, weights)


def balanced_error(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``1 −`` the mean recall of the classes present."""
    right = _decided(outputs) == targets
    recalls = []
    for label in np.unique(targets):
        of_class = targets == label
        recalls.append(weighted_mean(right[of_class], weights[:, of_class]))
    return 1 - np.mean(recalls, axis=0)


def f1(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``2 TP / (2 TP + FP + FN)``; none without a positive target."""
    if not (targets > 0).any():
        return np.full(len(weights), np.nan)
    return _f1_of(_decided(outputs) > 0, targets > 0, weights)


def macro_f1(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The mean F1 of the classes that are there or that some row is said to have."""
    decided = _decided(outputs)
    of_classes = []
    for label in np.union1d(targets, decided):
        of_classes.append(_f1_of(decided == label, targets == label, weights))
    return np.mean(of_classes, axis=0)


def log_loss(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The mean of ``−log`` of the probability that the right class was given."""
    if outputs.shape[1] == 1:
        margins = np.where(targets > 0, outputs[:, 0], -outputs[:, 0])
        return weighted_mean(-log_expit(margins), weights)
    of_right = outputs[np.arange(len(targets)), targets.astype(int)]
    return weighted_mean(logsumexp(outputs, axis=1) - of_right, weights)


def brier(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """Half the squared distance of the classes' probabilities from what came, ``½ Σ_c (p_c −
    y_c)²``: of two classes ``(p − y)²`` of either, and from 0 to 1 of any number.
    """
    if outputs.shape[1] == 1:
        return weighted_mean((expit(outputs[:, 0]) - targets) ** 2, weights)
    is_of_class = targets[:, None] == np.arange(outputs.shape[1])
    distances = ((softmax(outputs, axis=1) - is_of_class) ** 2).sum(axis=1)
    return weighted_mean(distances / 2, weights)


def calibration_error(
    outputs: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """``Σ_b w_b |mean outcome − mean probability|`` over bins of equal width.

    Of two classes the probability is the positive one's, and what came is whether it was it; of
    several it is that of the likeliest class, and what came is whether that was right (Guo et al.
    2017, equation 3).
    """
    if outputs.shape[1] == 1:
        probabilities = expit(outputs[:, 0])
        came = targets > 0
    else:
        probabilities = softmax(outputs, axis=1).max(axis=1)
        came = _decided(outputs) == targets
    inner_edges = np.linspace(0, 1, BINS + 1)[1:-1]
    bins = np.searchsorted(inner_edges, probabilities)
    is_in_bin = bins[:, None] == np.arange(BINS)  # (N, bins)
    # w_b times the difference of the two means is the weighted sum of the rows' differences
    differences = (came - probabilities)[:, None] * is_in_bin
    errors = np.abs(weights @ differences).sum(axis=1)
    return ratio(errors, weights.sum(axis=1))


def multiclass_error(
    outputs: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
) -> float | None:
    """Error of the joint decision of one-vs-all tasks on the same rows: the task with the highest
    output.

    Args:
        outputs: for every task its logits ``(N, 1)``, the same rows in the same order.
        targets: for every task its 0/1 targets ``(N,)``.
        weights: how much each row counts, ``(N,)``; None: all the same.

    Returns:
        None where the tasks are not one-vs-all: some row belongs to no task or to several.
    """
    if len({len(column) for column in targets}) != 1 or len(targets) < 2:
        return None
    stacked = np.stack(targets, axis=1)
    if len(stacked) == 0:
        return None
    if (stacked.sum(1) != 1).any():
        return None
    decided = np.concatenate(outputs, axis=1).argmax(1)
    return float(np.average(decided != stacked.argmax(1), weights=weights))


def _by_level(
    scores: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The weight of the positives and of the negatives at each different score, from the lowest
    on, ``(B, levels)`` each.
    """
    order = np.argsort(scores, kind="stable")
    weights, positive = weights[:, order], targets[order] > 0
    new_level = np.append(True, np.diff(scores[order]) > 0)
    first_of_level = np.flatnonzero(new_level)
    positives = np.add.reduceat(weights * positive, first_of_level, axis=1)
    negatives = np.add.reduceat(weights * ~positive, first_of_level, axis=1)
    return positives, negatives


def _f1_of(
    decided: np.ndarray,
    positive: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """F1 of one class: which rows are said to be of it, and which are, ``(N,)`` booleans."""
    # Every row that is positive or called so is in the denominator, those that are both twice.
    hits = weights @ (decided & positive)
    return ratio(2 * hits, weights @ decided + weights @ positive)


def _decided(outputs: np.ndarray) -> np.ndarray:
    """The class that each row is said to have: a single logit decides by its sign."""
    return outputs[:, 0] > 0 if outputs.shape[1] == 1 else outputs.argmax(axis=1)


CLASS_METRICS: tuple[Metric, ...] = (
    Metric(
        "roc_auc",
        "ROC-AUC",
        "The chance that a positive example is ranked above a negative one; 0.5 is guessing, 1 is "
        "perfect",
        better="greater",
        points=True,
        kinds=("binary",),
        measure=roc_auc,
    ),
    Metric(
        "accuracy",
        "accuracy",
        "The fraction of right decisions; 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary", "multiclass"),
        measure=accuracy,
    ),
    Metric(
        "balanced_error",
        "balanced error",
        "The fraction of wrong decisions, every class counting the same; 0 is perfect",
        better="smaller",
        points=True,
        kinds=("binary", "multiclass"),
        measure=balanced_error,
    ),
    Metric(
        "f1",
        "F1",
        "The harmonic mean of precision and recall of the positive class; 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary",),
        measure=f1,
    ),
    Metric(
        "macro_f1",
        "macro F1",
        "The mean over the classes of the harmonic mean of precision and recall; 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary", "multiclass"),
        measure=macro_f1,
    ),
    Metric(
        "average_precision",
        "average precision",
        "The precision at every level of recall, averaged (the area under the precision-recall "
        "curve); the fraction of positives is guessing, 1 is perfect",
        better="greater",
        points=True,
        kinds=("binary",),
        measure=average_precision,
    ),
    Metric(
        "log_loss",
        "log loss",
        "The mean of −log of the probability that the right class was given; 0 is perfect",
        better="smaller",
        kinds=("binary", "multiclass"),
        measure=log_loss,
        unit="nats",
    ),
    Metric(
        "brier",
        "Brier score",
        "The mean squared distance of the predicted probabilities from what came, half of it over "
        "all classes; 0 is perfect",
        better="smaller",
        points=True,
        kinds=("binary", "multiclass"),
        measure=brier,
    ),
    Metric(
        "ece",
        "calibration error",
        "How far predicted probabilities are from how often it came so, the mean over "
        f"{BINS} bins of equal width (of the likeliest class where there are several); 0 is "
        "perfect",
        better="smaller",
        points=True,
        kinds=("binary", "multiclass"),
        measure=calibration_error,
    ),
)
"""Metrics of tasks with two or several classes; the first of a kind is its primary one."""
