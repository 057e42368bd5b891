"""Restricted maximum likelihood of a linear mixed model, from one small matrix a task.

y_t = Z_t β + Z_t b_t + ε,  b_t ~ N(0, σ² D),  ε ~ N(0, σ² I),  β_penalised ~ N(0, σ² I / λ)

D is diagonal and made of few variances; columns with variance 0 have no random slope. All
variances are ratios to σ², which has a closed form. With V_t = I + Z_t D Z_tᵀ, minus twice the
restricted log-likelihood is, up to a constant,

    m log σ² + Σ log|V_t| + log|A + Λ| − k log λ,    A = Σ Z_tᵀ V_t⁻¹ Z_t

(Laird and Ware 1982; Harville 1977), where m counts rows less free fixed effects and k the
penalised ones. V_t is never singular, whatever the variances are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize

from softshare.shallow.rows import Array, Codes

# Ratios to σ² beyond these change no prediction; within them no sum loses its digits.
LOWEST, HIGHEST = 1e-7, 1e4
LOWEST_PENALTY, HIGHEST_PENALTY = 1e-3, 1e4


@dataclass(frozen=True)
class CompressedTasks:
    """Each task's rows turned by an orthogonal matrix so that few are left.

    Z_t = Q_t R_t keeps every product: R_tᵀ R_t = Z_tᵀ Z_t, and the rest of y_t is only its length.

        Z_t | y_t  (n_t rows)   →   R_t | q_t  (at most k rows)   and   |y_t − Q_t q_t|²

    Tasks are padded with rows of zeros, which change nothing.

    Attributes:
        design: Shape (T, M, k), M the most rows that a task keeps.
        response: Shape (T, M).
        rest: Sum over tasks of what no combination of columns explains.
        n_rows: Rows before, each as often as it counts.
    """

    design: Array
    response: Array
    rest: float
    n_rows: float

    @classmethod
    def of(
        cls,
        design: Array,
        response: Array,
        tasks: Codes,
        n_tasks: int,
    ) -> CompressedTasks:
        """Compress rows. Shapes: (N, k), (N,), (N,)."""
        n_columns = design.shape[1]
        joint = np.column_stack([design, response])
        order = np.argsort(tasks, kind="stable")
        counts = np.bincount(tasks, minlength=n_tasks)
        kept = int(np.minimum(counts, n_columns).max())
        small = np.zeros((n_tasks, kept, n_columns + 1))
        rest = 0.0
        ends = np.cumsum(counts)[:-1]
        for task, rows in enumerate(np.split(joint[order], ends)):
            if len(rows) > n_columns:
                triangle = np.asarray(np.linalg.qr(rows, mode="r"))
                # The last corner is the length of what the columns do not explain.
                rest += float(triangle[n_columns, n_columns] ** 2)
                rows = triangle[:n_columns]
            small[task, : len(rows)] = rows
        return cls(small[:, :, :-1], small[:, :, -1], rest, len(response))


@dataclass(frozen=True)
class Solution:
    """The mixed model's equations solved for given ratios.

    Attributes:
        fixed: β. Shape (k,).
        effects: b_t. Shape (T, k).
        noise: σ².
        criterion: Minus twice the restricted log-likelihood, up to a constant.
        gradient: By the logarithms of the distinct ratios, then of λ. Shape (G + 1,).
    """

    fixed: Array
    effects: Array
    noise: float
    criterion: float
    gradient: Array


def solve(
    tasks: CompressedTasks,
    ratios: Array,
    members: Array,
    penalty: float,
    penalised: Array,
    *,
    noise: float | None = None,
) -> Solution:
    """Solve for β and b_t, and differentiate the criterion.

    Args:
        tasks: The compressed rows.
        ratios: The distinct variances over σ². Shape (G,).
        members: 1 where a column's variance is that ratio. Shape (G, k).
        penalty: λ.
        penalised: 1 for the fixed effects that λ shrinks. Shape (k,).
        noise: σ² where it is known (of working responses it is 1); None estimates it.
    """
    variances = ratios @ members  # (k,): the diagonal of D
    root, white = _whitened(tasks, variances)
    design = white[:, :, :-1]  # L⁻¹ R
    response = white[:, :, -1]  # L⁻¹ q
    flat = white.reshape(-1, white.shape[2])  # (T M, k + 1): all tasks' rows, one after another
    products = flat.T @ flat
    A = products[:-1, :-1]
    c = products[:-1, -1]
    total = products[-1, -1] + tasks.rest

    # A last 1e-10 keeps equations of free effects regular that no row determines.
    precision = A + np.diag(penalty * penalised + 1e-10)
    factor = linalg.cho_factor(precision, lower=True)
    fixed = linalg.cho_solve(factor, c)
    n_free = tasks.n_rows - int((penalised == 0).sum())
    least = 1e-12 * max(float(total), 1e-300)
    squares = max(float(total - c @ fixed), least)
    sigma2 = squares / max(n_free, 1) if noise is None else noise
    fit = n_free * np.log(sigma2) if noise is None else squares / noise
    n_penalised = float(penalised.sum())
    of_roots = np.diagonal(root, axis1=1, axis2=2)
    log_det = 2 * np.log(of_roots).sum()  # Σ log|V_t|
    of_prior = n_penalised * np.log(max(penalty, LOWEST_PENALTY))
    log_det += 2 * np.log(np.diag(factor[0])).sum() - of_prior

    fitted = response - design @ fixed  # L⁻¹ (q − R β)
    scores = np.einsum("tmk,tm->tk", design, fitted)  # Rᵀ V⁻¹ (q − R β)
    inverse = linalg.cho_solve(factor, np.eye(len(fixed)))
    explained = (scores**2).sum(axis=0) / sigma2
    by_column = _column_slopes(design, inverse) - explained
    shrunk = (penalised * fixed**2).sum() / sigma2
    by_penalty = np.diag(inverse) @ penalised + shrunk
    by_penalty = by_penalty * penalty - n_penalised
    # By logarithms: a slope by a ratio times that ratio.
    by_ratio = (members @ by_column) * ratios
    return Solution(
        fixed,
        effects=scores * variances,
        noise=sigma2,
        criterion=float(fit + log_det),
        gradient=np.append(by_ratio, by_penalty),
    )


def _whitened(tasks: CompressedTasks, variances: Array) -> tuple[Array, Array]:
    """V = L Lᵀ of every task, and its rows as they would be with independent errors.

    Shape:
        L (T, M, M), and L⁻¹ [R | q] (T, M, k + 1).
    """
    R = tasks.design
    diagonal = np.arange(R.shape[1])
    V = (R * variances) @ R.transpose(0, 2, 1)
    V[:, diagonal, diagonal] += 1.0
    root = np.linalg.cholesky(V)
    joint = np.concatenate([R, tasks.response[:, :, None]], axis=2)
    white = np.linalg.solve(root, joint)
    return np.asarray(root), np.asarray(white)


def _column_slopes(white: Array, inverse: Array) -> Array:
    """How log|V| and log|A + Λ| together grow with each column's variance. Shape (k,).

    With U_t = R_tᵀ V_t⁻¹ R_t it is Σ diag(U_t − U_t (A + Λ)⁻¹ U_t), the trace of tr(P Z_j Z_jᵀ).
    """
    own = (white**2).sum(axis=(0, 1))
    U = white.transpose(0, 2, 1) @ white  # (T, k, k)
    # The diagonal of a product U C U with U symmetric is the row sums of (U C) ∘ U.
    through_fixed = ((U @ inverse) * U).sum(axis=(0, 2))
    return np.asarray(own - through_fixed)


def estimate(
    tasks: CompressedTasks,
    members: Array,
    penalised: Array,
    *,
    start: Array,
    noise: float | None = None,
    penalty: float | None = None,
) -> tuple[Array, float, Solution]:
    """The ratios and λ that maximise the restricted likelihood.

    Args:
        tasks: The compressed rows.
        members: Which columns share which variance. Shape (G, k).
        penalised: The fixed effects that λ shrinks. Shape (k,).
        start: Ratios and λ to start from. Shape (G + 1,).
        noise: σ² where it is known.
        penalty: λ where it is known; None estimates it.

    Returns:
        The ratios, shape (G,), λ, and the solution there.
    """
    n_ratios = len(members)
    lowest = np.log([LOWEST] * n_ratios + [LOWEST_PENALTY])
    highest = np.log([HIGHEST] * n_ratios + [HIGHEST_PENALTY])
    # A known λ stays where it is: its bounds leave it no room.
    if penalty is not None:
        lowest[-1] = highest[-1] = np.log(max(penalty, LOWEST_PENALTY))

    def criterion(logarithms: Array) -> tuple[float, Array]:
        values = np.exp(logarithms)
        at = solve(
            tasks,
            values[:-1],
            members,
            values[-1],
            penalised,
            noise=noise,
        )
        return at.criterion, at.gradient

    first = np.log(start.clip(min=1e-4))
    found = optimize.minimize(
        criterion,
        first.clip(lowest, highest),
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(lowest, highest, strict=True)),
        options={"maxiter": 100, "ftol": 1e-11, "gtol": 1e-6},
    )
    values = np.exp(found.x)
    at_edge = found.x[:-1] <= lowest[:-1] + 1e-3
    values[:-1][at_edge] = 0.0  # no variance at all
    if penalty is not None:
        values[-1] = penalty
    best = solve(
        tasks,
        values[:-1],
        members,
        values[-1],
        penalised,
        noise=noise,
    )
    return values[:-1], float(values[-1]), best
