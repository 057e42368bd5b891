"""What a mixed model says of rows that it was not fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from softshare.shallow.mixed_fits import (
    Strengths,
    compressed,
    estimated_strengths,
    outputs_of,
    solved,
)
from softshare.shallow.rows import Array, Codes, Kind, Rows, row_losses
from softshare.shallow.variance_components import CompressedTasks


@dataclass(frozen=True)
class _Part:
    """One fold's rows, and all others."""

    train: Rows
    train_targets: Array
    held: Rows
    held_targets: Array
    members: Array
    by_group: dict[float, CompressedTasks] = field(default_factory=dict)

    def outputs(self, strengths: Strengths) -> Array:
        """Of the held-out rows. Shape (n,)."""
        tasks = None
        if self.train.kind == "regression":
            # Compressing costs most, and depends on one of the strengths alone.
            if strengths.group not in self.by_group:
                rows = compressed(self.train, self.train_targets, strengths.group)
                self.by_group[strengths.group] = rows
            tasks = self.by_group[strengths.group]
        solution = solved(
            self.train,
            self.train_targets,
            self.members,
            strengths,
            tolerance=1e-3,
            tasks=tasks,
        )
        return outputs_of(self.held, solution)


@dataclass(frozen=True)
class HeldOutParts:
    """Every fold held out in turn.

    Args:
        parts: one a fold.
        folds: the fold of every row, shape (N,).
    """

    parts: Sequence[_Part]
    folds: Codes

    @classmethod
    def of(cls, rows: Rows, targets: Array, members: Array, folds: Codes) -> HeldOutParts:
        """Divide rows with a last input of ones, of one problem with these targets."""
        parts = []
        for fold in range(int(folds.max()) + 1):
            held = folds == fold
            # One row alone trains what is said of itself.
            trains = ~held if not held.all() else held
            own = rows.take(trains), targets[trains]
            parts.append(_Part(*own, rows.take(held), targets[held], members))
        return cls(parts, folds)

    def estimated(self, penalty: float | None) -> list[Strengths]:
        """Those of each fold's other rows, by restricted likelihood."""
        return [
            estimated_strengths(part.train, part.train_targets, part.members, penalty)
            for part in self.parts
        ]

    def outputs(self, strengths: Sequence[Strengths]) -> Array:
        """Of every row without its fold, each fold with strengths of its own. Shape (N,)."""
        outputs = np.empty(len(self.folds))
        for fold, (part, own) in enumerate(zip(self.parts, strengths, strict=True)):
            outputs[self.folds == fold] = part.outputs(own)
        return outputs

    def losses(self, strengths: Strengths) -> Array:
        """The sum of the losses of every fold's rows. Shape (folds,)."""
        sums = []
        for part in self.parts:
            kind: Kind = "regression" if part.held.kind == "regression" else "binary"
            own = row_losses(part.outputs(strengths), part.held_targets, kind)
            sums.append(float((part.held.row_weights * own).sum()))
        return np.array(sums)
