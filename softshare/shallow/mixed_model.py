"""A linear mixed model: what tasks have in common, and each task's shrunk intercept and slopes."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from softshare.shallow.folds import fold_of_rows, search_by_folds
from softshare.shallow.mixed_fits import (
    Slopes,
    Strengths,
    estimated_strengths,
    has_pairs,
    shared_variances,
    solved,
    variance_components,
)
from softshare.shallow.mixed_held_out import HeldOutParts
from softshare.shallow.rows import (
    Array,
    Codes,
    Kind,
    Rows,
    Scaling,
    checked_inputs,
    checked_rows,
    one_vs_rest,
    task_codes,
)

# Where rows come in groups: the variance between (task, group) pairs over σ², and factors for the
# tasks' variances and for λ around their restricted-likelihood estimates, that are tried.
GROUP_RATIOS = (0.0, 0.1, 0.3, 1.0, 3.0)
INTERCEPT_FACTORS = (0.03, 0.1, 0.3, 1.0)
SLOPE_FACTORS = (0.0, 0.1, 0.3, 1.0)
PENALTY_FACTORS = (0.1, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


class MixedModel(BaseEstimator):
    """Random intercepts and slopes, with variances by restricted maximum likelihood.

    y = xβ + b + u_t + x v_t + ε, where u_t and the slopes v_t are normal around zero: each task's
    own part is shrunk by as much as its rows are few and as the tasks are alike. The fixed
    effects are shrunk likewise, by a strength that the same likelihood estimates, so that inputs
    may outnumber rows. Classes are fitted by penalised quasi-likelihood (Breslow and Clayton
    1993): the same estimate on the working response of logistic regression, until it stands
    still.

    Where rows come in groups (the visits of a person), rows of one task and group share one more
    random intercept (of values), and all strengths are adjusted by held-out groups.

    Args:
        kind: ``regression``, ``binary`` or ``multiclass`` (one problem a class).
        slopes: Random slopes have one variance together (``common``), one variance each
            (``each``), or there are random intercepts alone (``none``). Inputs have standard
            deviation 1; inputs that are constant in every task have no random slope.
        fixed_penalty: The prior precision of the fixed effects over that of the noise; None
            estimates it, 0 leaves them free (it needs more rows than inputs).
        n_classes: Classes of ``multiclass``; None takes the largest seen.
        n_folds: Parts that are held out in turn.
        random_state: Draws the parts.

    Attributes:
        fixed_effects_: Of inputs of standard deviation 1, the intercept last. Shape (C, p + 1).
        task_effects_: Each task's own part of them. Shape (T, C, p + 1).
        variance_components_: For each class: ``intercept``, ``slopes`` (shape (p,)), ``group``
            and ``noise`` (1 for classes).
        held_out_: What fits without a row's fold say of it. Shape (N,), of ``multiclass`` (N, C).
    """

    def __init__(
        self,
        kind: Kind = "regression",
        *,
        slopes: Slopes = "common",
        fixed_penalty: float | None = None,
        n_classes: int | None = None,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.kind = kind
        self.slopes = slopes
        self.fixed_penalty = fixed_penalty
        self.n_classes = n_classes
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        tasks: ArrayLike,
        groups: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> MixedModel:
        """Estimate variances and effects from all rows.

        Args:
            X: Inputs. Shape (N, p).
            y: Targets. Shape (N,).
            tasks: Each row's task. Shape (N,).
            groups: Rows of one task and group share a random intercept. Shape (N,).
            weights: A row of weight 2 counts as two of them. Shape (N,).

        Raises:
            ValueError: If shapes, values or ``slopes`` are wrong.
        """
        if self.slopes not in ("none", "common", "each"):
            raise ValueError(f"slopes must be none, common or each, not {self.slopes!r}")
        rows = checked_rows(
            X,
            y,
            tasks,
            groups,
            kind=self.kind,
            n_classes=self.n_classes,
            weights=weights,
        )
        self.tasks_ = rows.names
        self.scaling_ = Scaling.of(rows.inputs, rows.weights)
        inputs = self.scaling_(rows.inputs)
        rows = rows.with_inputs(np.column_stack([inputs, np.ones(len(inputs))]))
        members = shared_variances(rows, self.slopes)
        folds = fold_of_rows(rows, self.n_folds, self.random_state)
        fits = []
        held_out = []
        self.variance_components_ = []
        for column in one_vs_rest(rows).T:
            chosen, said = self._strengths(rows, column, members, folds)
            fit = solved(rows, column, members, chosen)
            fits.append(fit)
            held_out.append(said)
            components = variance_components(chosen, fit.noise, members)
            self.variance_components_.append(components)
        self.fixed_effects_ = np.stack([fit.fixed for fit in fits])
        self.task_effects_ = np.stack([fit.effects for fit in fits], axis=1)
        self.held_out_ = np.stack(held_out, axis=1) if self.kind == "multiclass" else held_out[0]
        return self

    def _strengths(
        self,
        rows: Rows,
        targets: Array,
        members: Array,
        folds: Codes,
    ) -> tuple[Strengths, Array]:
        """Restricted likelihood; where rows come in groups, adjusted by held-out groups.

        The likelihood takes rows for independent given their task: with groups that run through
        many tasks (persons who answer every question) it believes in too many rows.

        Returns:
            The strengths, and what is said of every row without its fold, shape (N,).
        """
        parts = HeldOutParts.of(rows, targets, members, folds)
        whole = estimated_strengths(rows, targets, members, self.fixed_penalty)
        if rows.groups is None:
            return whole, parts.outputs(parts.estimated(self.fixed_penalty))
        nested = rows.kind == "regression" and has_pairs(rows)
        estimates = {0.0: whole}
        for ratio in GROUP_RATIOS[1:] if nested else ():
            estimates[ratio] = estimated_strengths(
                rows,
                targets,
                members,
                self.fixed_penalty,
                group=ratio,
            )

        def strengths(group: float, *factors: float) -> Strengths:
            return estimates[group].scaled(*factors)

        def losses(*point: float) -> Array:
            return parts.losses(strengths(*point))

        penalties = (1.0,) if self.fixed_penalty == 0 else PENALTY_FACTORS
        grids = (tuple(estimates), INTERCEPT_FACTORS, SLOPE_FACTORS, penalties)
        choice = search_by_folds(losses, grids, start=(0.0, 1.0, 0.0, 1.0))
        own = [strengths(*point) for point in choice.by_others]
        return strengths(*choice.best), parts.outputs(own)

    def predict(self, X: ArrayLike, tasks: ArrayLike) -> Array:
        """Means, log-odds, or one logit a class; a task never seen has the common effects.

        Shape:
            X: (N, p); tasks: (N,); returns (N,), of ``multiclass`` (N, C).
        """
        inputs = self.scaling_(checked_inputs(X))
        design = np.column_stack([inputs, np.ones(len(inputs))])
        none = np.zeros_like(self.fixed_effects_)[None]
        effects = np.concatenate([self.task_effects_, none])  # the last is for position −1
        own = effects[task_codes(tasks, self.tasks_)]  # (N, C, p + 1)
        outputs = np.einsum("nk,nck->nc", design, self.fixed_effects_ + own)
        return outputs if self.kind == "multiclass" else outputs[:, 0]
