"""How far a model's answers can be trusted, by what it said of rows that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from softshare.methods.method import Learned, State
from softshare.methods.plain_state import state_of, value_of
from softshare.models.added import Offsets
from softshare.models.conformal import Intervals
from softshare.models.own_quantiles import OwnQuantiles
from softshare.models.probabilities import Line, Logits, calibrated_line
from softshare.models.sizes import Sizes
from softshare.tasks.splits import units_of
from softshare.tasks.task import Kind, Task
from softshare.tasks.task_set import TaskSet

CLASSES: tuple[Kind, ...] = ("binary", "multiclass")


@dataclass(frozen=True, eq=False)
class Calibration:
    """Intervals of a model's numbers, and what makes its probabilities come true.

    Args:
        intervals: of regression tasks; None where there are none.
        lines: kind of classes → what is done to logits.
        new_lines: the same of tasks that were not learned.
        offsets: how tasks lie around what they have in common; None where they have nothing.
    """

    intervals: Intervals | None
    lines: Mapping[str, Line]
    new_lines: Mapping[str, Line]
    offsets: Offsets | None = None

    def outputs(
        self, tasks: Sequence[Task], outputs: Sequence[np.ndarray], numbers: np.ndarray
    ) -> list[np.ndarray]:
        """Outputs with calibrated logits; numbers stay what they are.

        Args:
            tasks: whose outputs.
            outputs: of every one of them, ``(N_t, n_outputs_t)``.
            numbers: the place of each among the tasks that were learned, -1 where it is none.
        """
        calibrated = []
        for task, rows, number in zip(
            tasks,
            outputs,
            numbers.tolist(),
            strict=True,
        ):
            lines = self.lines if number >= 0 else {**self.lines, **self.new_lines}
            line = lines.get(task.kind)
            calibrated.append(rows if line is None else line(rows, np.full(len(rows), number)))
        return calibrated

    def state(self) -> State:
        """What :func:`calibration_from` makes the same of again."""
        state: State = state_of(self)
        return state


def calibration_from(state: State) -> Calibration:
    """A calibration from its state.

    Raises:
        ValueError: the state is of something else.
    """
    kinds = {
        kind.__name__: kind for kind in (Calibration, Intervals, Line, Offsets, OwnQuantiles, Sizes)
    }
    calibration = value_of(state, kinds)
    if not isinstance(calibration, Calibration):
        raise ValueError("a state of a Calibration is needed")
    return calibration


def calibrate(
    learned: Learned,
    train: TaskSet,
    validation: TaskSet,
) -> Calibration | None:
    """Fit it to what was said of held-out rows; None where there are none.

    Args:
        learned: what predicts.
        train: the training examples, which count where all were held out in turn; with the weights
            that they were trained by.
        validation: examples that never trained, which count elsewhere; likewise.
    """
    held = _held_out(
        learned,
        train,
        validation,
    )
    if held is None or not np.isfinite(held.outputs).any(axis=1).all():
        return None
    n_tasks = len(train)
    of_kind = np.array([task.kind for task in train.tasks])
    kind_of_row = of_kind[held.tasks]
    intervals = None
    if (kind_of_row == "regression").any():
        intervals = _intervals(held.where(kind_of_row == "regression"), n_tasks)
    lines: dict[str, Line] = {}
    new_lines: dict[str, Line] = {}
    for kind in CLASSES:
        rows = held.where(kind_of_row == kind)
        if len(rows.targets):
            outputs = rows.outputs[:, :1] if kind == "binary" else rows.outputs
            logits = rows.logits(outputs, rows.units)
            lines[kind] = calibrated_line(logits, n_tasks)
        if len(rows.targets) and rows.as_new is not None:
            # Every task is one draw of what a new one may be.
            logits = rows.logits(rows.as_new, rows.tasks)
            new_lines[kind] = calibrated_line(logits, n_tasks)
    return Calibration(
        intervals,
        lines,
        new_lines,
        _offsets(held, train, new_lines),
    )


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """Rows that were not trained on, and what was said of them.

    Args:
        outputs: ``(N, width)``, the widest task's; −∞ beyond a task's own.
        targets: ``(N,)``.
        tasks: each row's task, ``(N,)``.
        units: each row's group, or a number of its own, ``(N,)``.
        weights: how much each row counts, ``(N,)``.
        as_new: what would be said of them as rows of tasks that were not learned, or None.
    """

    outputs: np.ndarray
    targets: np.ndarray
    tasks: np.ndarray
    units: np.ndarray
    weights: np.ndarray
    as_new: np.ndarray | None

    def where(self, mask: np.ndarray) -> _HeldOut:
        as_new = None if self.as_new is None else self.as_new[mask]
        return _HeldOut(
            self.outputs[mask],
            self.targets[mask],
            self.tasks[mask],
            self.units[mask],
            self.weights[mask],
            as_new,
        )

    def logits(self, values: np.ndarray, units: np.ndarray) -> Logits:
        """These rows with some logits ``(N, C)``, of which those of one unit go together."""
        return Logits(
            values,
            self.targets,
            self.tasks,
            units,
            self.weights / self.weights.mean(),
        )


def _held_out(
    learned: Learned,
    train: TaskSet,
    validation: TaskSet,
) -> _HeldOut | None:
    rows, outputs = train, learned.out_of_fold
    if outputs is None:
        if not len(validation.rows):
            return None
        rows, outputs = validation, learned.predict(validation)
    joint = _joint(outputs)
    own = _own_part(learned, rows)
    as_new = None if own is None else joint - own
    return _HeldOut(
        joint,
        rows.targets,
        rows.task_of,
        units_of(rows),
        np.ones(len(rows.rows)) if rows.weights is None else rows.weights,
        as_new,
    )


def _own_part(learned: Learned, rows: TaskSet) -> np.ndarray | None:
    """What is said of rows beyond what would be said of a task that was not learned, ``(N, C)``.

    Without it held-out rows are answered as rows of a new task would be: a task's own part is drawn
    to nothing by as much as its rows leave open, and that much is still in the held-out residual.
    None where the tasks have no answer in common.
    """
    if rows.one_input:
        return None
    try:
        new = learned.predict_new(rows)
    except ValueError:
        return None
    return _joint(learned.predict(rows)) - _joint(new)


def _intervals(held: _HeldOut, n_tasks: int) -> Intervals:
    residuals = held.targets - held.outputs[:, 0]
    as_new = None if held.as_new is None else held.targets - held.as_new[:, 0]
    return Intervals.of(
        residuals,
        held.tasks,
        held.units,
        n_tasks,
        as_new=as_new,
        weights=held.weights,
    )


def _offsets(held: _HeldOut, train: TaskSet, new_lines: Mapping[str, Line]) -> Offsets | None:
    (kind, *others) = {task.kind for task in train.tasks}
    if held.as_new is None or others:
        return None
    outputs = held.as_new
    if kind in new_lines:
        outputs = new_lines[kind](outputs, np.full(len(outputs), -1))
    return Offsets.of(kind, outputs, held.targets, held.tasks)


def _joint(outputs: Sequence[np.ndarray]) -> np.ndarray:
    width = max(rows.shape[1] for rows in outputs)
    n_rows = sum(len(rows) for rows in outputs)
    joint = np.full((n_rows, width), -np.inf)
    begin = 0
    for rows in outputs:
        joint[begin : begin + len(rows), : rows.shape[1]] = rows
        begin += len(rows)
    return joint
