"""Rows of several tasks as plain arrays: what every contestant checks, scales and encodes first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csc_array
from scipy.special import log_expit, logsumexp

Kind = Literal["regression", "binary", "multiclass"]
Array = NDArray[np.float64]
Codes = NDArray[np.int64]

KINDS = ("regression", "binary", "multiclass")


@dataclass(frozen=True)
class Rows:
    """Checked training rows of all tasks.

    Attributes:
        inputs: Shape (N, p).
        targets: Values, classes 0 and 1, or classes 0 to C − 1. Shape (N,).
        tasks: Each row's position in ``names``. Shape (N,).
        names: The tasks, sorted. Shape (T,).
        groups: Rows of one group stay together when rows are held out; None: rows are single.
        n_classes: C of ``multiclass``, 1 otherwise.
        kind: What the targets are.
        weights: How much each row counts, above 0: a row of weight 2 as two of them. None: every
            row the same. Shape (N,).
    """

    inputs: Array
    targets: Array
    tasks: Codes
    names: NDArray[np.generic]
    groups: Codes | None
    n_classes: int
    kind: Kind
    weights: Array | None = None

    @property
    def n_tasks(self) -> int:
        return len(self.names)

    @property
    def row_weights(self) -> Array:
        """The weights, 1 where none are given. Shape (N,)."""
        return np.ones(len(self.targets)) if self.weights is None else self.weights

    def take(self, which: NDArray[np.bool_]) -> Rows:
        """The rows where ``which`` is true; the tasks and their positions stay."""
        groups = None if self.groups is None else self.groups[which]
        weights = None if self.weights is None else self.weights[which]
        return Rows(
            self.inputs[which],
            self.targets[which],
            self.tasks[which],
            self.names,
            groups,
            self.n_classes,
            self.kind,
            weights,
        )

    def with_inputs(self, inputs: Array) -> Rows:
        """The same rows with other inputs. Shape of ``inputs``: (N, any)."""
        return replace(self, inputs=inputs)


def checked_rows(
    X: ArrayLike,
    y: ArrayLike,
    tasks: ArrayLike,
    groups: ArrayLike | None,
    *,
    kind: Kind,
    n_classes: int | None = None,
    weights: ArrayLike | None = None,
) -> Rows:
    """Rows as arrays of one length, finite, with tasks and groups numbered.

    Args:
        X: Inputs. Shape (N, p).
        y: Targets. Shape (N,).
        tasks: Each row's task, by number or name. Shape (N,).
        groups: Each row's group (a person, a household), or None. Shape (N,).
        kind: ``regression``, ``binary`` (targets 0 and 1) or ``multiclass`` (0 to C − 1).
        n_classes: C of ``multiclass``; None takes the largest class seen.
        weights: How much each row counts, above 0; None: every row the same. Shape (N,).

    Raises:
        ValueError: If an argument breaks one of these rules.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    inputs = checked_inputs(X)
    targets = np.asarray(y, dtype=float)
    labels = np.asarray(tasks)
    wanted = (len(inputs),)  # one entry a row
    for name, array in (("y", targets), ("tasks", labels)):
        if array.shape != wanted:
            raise ValueError(
                f"{name} must have the shape {wanted}, one entry a row of X, not {array.shape}"
            )
    if not np.isfinite(targets).all():
        raise ValueError("y must be finite; leave out the rows without a target")
    _check_classes(targets, kind, n_classes)
    names, codes = np.unique(labels, return_inverse=True)
    group_codes = None
    if groups is not None:
        group_codes = np.unique(np.asarray(groups), return_inverse=True)[1]
        if group_codes.shape != targets.shape:
            raise ValueError(f"groups must have {len(inputs)} entries, not {group_codes.size}")
    outputs = 1
    if kind == "multiclass":
        outputs = int(targets.max()) + 1 if n_classes is None else n_classes
    return Rows(
        inputs,
        targets,
        codes,
        names,
        group_codes,
        outputs,
        kind,
        _checked_weights(weights, len(inputs)),
    )


def _checked_weights(weights: ArrayLike | None, n_rows: int) -> Array | None:
    """Finite weights above 0. Shape (N,)."""
    if weights is None:
        return None
    numbers = np.asarray(weights, dtype=float)
    if numbers.shape != (n_rows,):
        raise ValueError(f"weights must have the shape {(n_rows,)}, not {numbers.shape}")
    if not (np.isfinite(numbers) & (numbers > 0)).all():
        raise ValueError("weights must be finite and above 0; leave out the rows of weight 0")
    return numbers


def checked_inputs(X: ArrayLike) -> Array:
    """Finite inputs. Shape (N, p), N ≥ 1.

    Raises:
        ValueError: If they are not.
    """
    inputs = np.asarray(X, dtype=float)
    if inputs.ndim != 2 or not len(inputs):
        raise ValueError(f"X must have the shape (rows, inputs) with rows, not {inputs.shape}")
    if not np.isfinite(inputs).all():
        raise ValueError("X must be finite; fill in missing values first")
    return inputs


def _check_classes(targets: Array, kind: Kind, n_classes: int | None) -> None:
    """Classes must be whole numbers from 0 on."""
    if kind == "regression":
        return
    highest = 2 if kind == "binary" else n_classes or np.inf
    is_whole = targets == np.round(targets)
    in_range = (targets >= 0) & (targets < highest)
    if not (is_whole & in_range).all():
        wanted = "0 and 1" if kind == "binary" else "0 to the number of classes − 1"
        raise ValueError(f"y of kind {kind!r} must hold the classes {wanted}")


def task_codes(tasks: ArrayLike, names: NDArray[np.generic]) -> Codes:
    """Each row's position in the sorted ``names``, −1 for a task that is not there."""
    labels = np.asarray(tasks)
    places = np.searchsorted(names, labels)
    # A label behind all names has no place: it is compared with the last, and differs.
    places = places.clip(max=len(names) - 1)
    is_known = names[places] == labels
    return np.where(is_known, places, -1).astype(np.int64)


@dataclass(frozen=True)
class Scaling:
    """Inputs to mean 0 and one scale over all tasks' rows; a constant input to 0.

    Numbers get the standard deviation 1. An input with two values, such as a category's dummy,
    gets the range 1 instead: divided by its standard deviation, the rarest category would have
    the largest values, and a penalty would shrink it least.
    """

    mean: Array
    scale: Array

    @classmethod
    def of(cls, inputs: Array, weights: Array | None = None) -> Scaling:
        """By rows that count as much as their weights say. Shapes: (N, p), (N,)."""
        mean, deviation = moments(inputs, weights)
        lowest = inputs.min(axis=0)
        highest = inputs.max(axis=0)
        at_edge = (inputs == lowest) | (inputs == highest)
        two_valued = at_edge.all(axis=0)
        scale = np.where(two_valued, highest - lowest, deviation)
        # What rounding leaves of a constant is some 1e-16 of its size, never quite zero.
        size = np.maximum(np.abs(lowest), np.abs(highest)).clip(min=1.0)
        is_constant = scale <= 1e-12 * size
        scale = np.where(is_constant, np.inf, scale)  # divided by which it is 0
        return cls(mean, scale)

    def __call__(self, inputs: Array) -> Array:
        return (inputs - self.mean) / self.scale


def moments(inputs: Array, weights: Array | None) -> tuple[Array, Array]:
    """The mean and the standard deviation of every column. Shapes: (p,)."""
    if weights is None:
        return inputs.mean(axis=0), inputs.std(axis=0)
    mean = np.average(inputs, axis=0, weights=weights)
    variance = np.average((inputs - mean) ** 2, axis=0, weights=weights)
    return mean, np.sqrt(variance)


def sums_by_task(values: Array, tasks: Codes, n_tasks: int) -> Array:
    """Column sums of each task's rows. Shape: (N, p) to (T, p)."""
    # A matrix with a single one a column, where the row's task is: rows are added up as they stand,
    # in one pass that needs neither their order nor a copy of them.
    n_rows = len(tasks)
    is_of_task = csc_array(
        (np.ones(n_rows), tasks, np.arange(n_rows + 1)),
        shape=(n_tasks, n_rows),
    )
    return np.asarray(is_of_task @ values)


def one_vs_rest(rows: Rows) -> Array:
    """Targets of one problem a class: 1 where a row is of it.

    Shape:
        (N, C); (N, 1) unless ``multiclass``.
    """
    if rows.kind != "multiclass":
        return rows.targets[:, None]
    classes = np.arange(rows.n_classes)
    is_of_class = rows.targets[:, None] == classes  # (N, C)
    return is_of_class.astype(float)


def row_losses(outputs: Array, targets: Array, kind: Kind) -> Array:
    """Each row's squared error or negative log-likelihood.

    Args:
        outputs: Means, log-odds, or one logit a class. Shape (N,) or (N, C).
        targets: Shape (N,).
        kind: What the targets are.

    Shape:
        (N,).
    """
    if kind == "regression":
        return np.asarray((targets - outputs) ** 2)
    if kind == "binary":
        margins = np.where(targets == 1, outputs, -outputs)
        return np.asarray(-log_expit(margins))
    positions = np.arange(len(targets))
    chosen = outputs[positions, targets.astype(int)]
    return np.asarray(logsumexp(outputs, axis=1) - chosen)


def weighted_losses(outputs: Array, rows: Rows) -> Array:
    """Each row's loss as often as the row counts. Shape (N,)."""
    return row_losses(outputs, rows.targets, rows.kind) * rows.row_weights
