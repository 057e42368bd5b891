"""What the effects of a mixed model on labels minimise, for given variances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from softshare.shallow.rows import Array, Rows, row_losses


def first_outputs(rows: Rows, labels: Array) -> Array:
    """The log-odds of all rows' rate, as every row's first output. Shape (N,)."""
    counts = rows.row_weights
    rate = ((counts * labels).sum() + 0.5) / (counts.sum() + 1)
    return np.full(len(labels), np.log(rate / (1 - rate)))


@dataclass(frozen=True)
class Effects:
    """β, shape (p + 1,), and every task's b_t, shape (T, p + 1)."""

    fixed: Array
    effects: Array

    def outputs(self, rows: Rows) -> Array:
        """Means or log-odds. Shape (N,)."""
        weights = self.fixed + self.effects[rows.tasks]  # (N, p + 1)
        return np.asarray((rows.inputs * weights).sum(axis=1))

    def towards(self, other: Effects, part: float) -> Effects:
        """This part of the way to others."""
        fixed = self.fixed + part * (other.fixed - self.fixed)
        effects = self.effects + part * (other.effects - self.effects)
        return Effects(fixed, effects)


@dataclass(frozen=True)
class LogisticEffects:
    """What effects on labels minimise: Σ w · loss + λ/2 |β|² + Σ b_tj² / 2r_j."""

    rows: Rows
    labels: Array
    penalty: Array  # λ of every fixed effect, (p + 1,)
    ratios: Array  # r, (p + 1,)

    def start(self) -> Effects:
        """The rate alone."""
        fixed = np.zeros(len(self.ratios))
        fixed[-1] = first_outputs(self.rows, self.labels)[0]
        return Effects(fixed, np.zeros((self.rows.n_tasks, len(fixed))))

    def value(self, fit: Effects) -> float:
        """Of some effects."""
        outputs = fit.outputs(self.rows)
        losses = self.rows.row_weights @ row_losses(outputs, self.labels, "binary")
        weights = np.sum(self.penalty * fit.fixed**2)
        varies = self.ratios > 0
        own = np.sum(fit.effects[:, varies] ** 2 / self.ratios[varies])
        return float(losses + (weights + own) / 2)

    def value_between(self, fit: Effects, other: Effects, part: float) -> float:
        """Of what lies between two fits, this part of the way."""
        return self.value(fit.towards(other, part))
