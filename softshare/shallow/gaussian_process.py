"""An exact Gaussian process over inputs and tasks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize
from sklearn.base import BaseEstimator

from softshare.shallow.folds import fold_of_rows
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    moments,
    one_vs_rest,
    task_codes,
)
from softshare.shallow.task_kernel import (
    BLOCK,
    N_AMPLITUDES,
    Kernel,
    covariance_of,
    inverse_of,
    negative_log_likelihood,
    same_codes,
)
from softshare.shallow.tempering import best_temper, tempered

# So many take ten seconds and 0.6 GiB; twice as many would take eight and four times that.
MOST_ROWS = 4000
# The likelihood of so many rows, drawn at random, chooses the kernel.
ROWS_TO_CHOOSE = 600
# With more inputs one length scale serves all.
MOST_LENGTHS = 20
# Where the search starts, a₀ to a₆: half of the variance is noise, most of the rest in common.
FIRST_AMPLITUDES = (0.2, 0.2, 0.05, 0.05, 0.1, 0.05, 0.5)


class GaussianProcess(BaseEstimator):
    """A smooth and a linear function in common, and each task's own, by marginal likelihood.

    Classes are fitted as values (a class against the rest), and outputs turned into logits by
    their predictions of rows held out.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass``.
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn.
        random_state: Draws the parts, and the rows whose likelihood chooses the kernel.

    Attributes:
        kernel_: Amplitudes for targets of variance 1, and length scales.
        held_out_: What all rows without a row's fold say of it. Shape (N,), of ``multiclass``
            (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.n_folds = n_folds
        self.n_classes = n_classes
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        tasks: ArrayLike,
        groups: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> GaussianProcess:
        """Choose the kernel by the likelihood of some rows, then condition on all.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one group share a random offset. Shape (N,).
            weights: By what each row's noise is divided, above 0. Shape (N,).

        Raises:
            ValueError: If shapes or values are wrong, or there are more than 4,000 rows.
        """
        rows = checked_rows(
            X,
            y,
            tasks,
            groups,
            kind=self.kind,
            n_classes=self.n_classes,
            weights=weights,
        )
        if len(rows.targets) > MOST_ROWS:
            raise ValueError(
                f"an exact Gaussian process takes up to {MOST_ROWS:,} rows, not "
                f"{len(rows.targets):,}; take MixedModel or Boosted for more"
            )
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs, rows.weights)
        rows = rows.with_inputs(self.scaling_(rows.inputs))
        targets = one_vs_rest(rows)
        self.centre_, of_outputs = moments(targets, rows.weights)
        self.scale_ = max(float(np.sqrt((of_outputs**2).mean())), 1e-12)
        values = (targets - self.centre_) / self.scale_
        self.kernel_ = self._chosen_kernel(rows, values)
        inverse = inverse_of(covariance_of(self.kernel_, rows))
        self.weights_ = inverse @ values
        self.rows_ = rows
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        left_out = held_out_values(inverse, self.weights_, values, folds)
        self.temper_ = best_temper(left_out, rows, self.centre_)
        self.held_out_ = self._answers(left_out)
        return self

    def _chosen_kernel(self, rows: Rows, values: Array) -> Kernel:
        """The kernel with the largest marginal likelihood, lengths held by a wide prior."""
        generator = np.random.default_rng(self.random_state)
        n_rows = len(values)
        shuffled = generator.permutation(n_rows)
        drawn = shuffled[:ROWS_TO_CHOOSE]
        some = np.zeros(n_rows, dtype=bool)
        some[drawn] = True
        part = rows.take(some)
        targets = values[some]
        n_inputs = rows.inputs.shape[1]
        n_lengths = n_inputs if n_inputs <= MOST_LENGTHS else 1
        # Standardised inputs are √(2p) apart.
        middle = np.log(np.sqrt(2 * n_inputs))
        amplitudes = np.log(FIRST_AMPLITUDES)
        start = np.append(amplitudes, np.full(n_lengths, middle))
        lowest = np.full(len(start), -12.0)
        highest = np.full(len(start), 5.0)
        lowest[N_AMPLITUDES - 1] = np.log(1e-4)  # of the noise: the matrix stays regular

        def objective(logarithms: Array) -> tuple[float, Array]:
            loss, slope = negative_log_likelihood(logarithms, part, targets)
            away = logarithms[N_AMPLITUDES:] - middle
            slope[N_AMPLITUDES:] += away
            return loss + 0.5 * float(away @ away), slope

        found = optimize.minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(lowest, highest, strict=True)),
            options={"maxiter": 60},
        )
        return Kernel.of(found.x, n_inputs)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the common function.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        codes = task_codes(tasks, self.tasks_)
        outputs = np.empty((len(inputs), self.weights_.shape[1]))
        for begin in range(0, len(inputs), BLOCK):
            block = slice(begin, begin + BLOCK)
            same_task = same_codes(codes[block], self.rows_.tasks)
            covariance = self.kernel_.covariance(inputs[block], self.rows_.inputs, same_task)
            outputs[block] = covariance @ self.weights_
        return self._answers(outputs)

    def _answers(self, outputs: Array) -> Array:
        """Outputs in the targets' unit, or logits. Shape: (n, C) to (n,) or (n, C)."""
        if self.kind == "regression":
            values = self.centre_ + self.scale_ * outputs
            return np.asarray(values)[:, 0]
        return tempered(outputs, self.centre_, self.temper_, self.kind)


def held_out_values(inverse: Array, weights: Array, values: Array, folds: Codes) -> Array:
    """What all rows without a row's fold say of it, by the rows' inverse covariance alone.

    For a fold of rows B it is y_B − (K⁻¹_BB)⁻¹ (K⁻¹ y)_B (Rasmussen and Williams 2006, equation
    5.12, for one row; the same elimination for several).

    Shape:
        (n, n), (n, C), (n, C), (n,) to (n, C).
    """
    said = np.empty_like(values)
    for fold in np.unique(folds):
        held = np.flatnonzero(folds == fold)
        own = inverse[np.ix_(held, held)]
        missed = linalg.solve(own, weights[held], assume_a="pos")
        said[held] = values[held] - missed
    return said
