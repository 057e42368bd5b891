"""Second derivatives of the tasks' losses in the networks' outputs, as square roots."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from softshare.tasks.task import Task

MOST_COLUMNS = 8
"""Columns of a square root; of more classes that many random mixtures of the columns stand for
all.
"""


def curvature_roots(outputs: Tensor, tasks: Sequence[Task], dispersion: Tensor) -> Tensor:
    """Matrices ``S`` with ``S Sᵀ`` the second derivative of a row's negative log-likelihood.

    Two classes have ``p (1 − p)``, several ``diag(p) − p pᵀ``, whose root is ``diag(√p) − p √pᵀ``,
    and a squared error, twice the noise's variance times the likelihood's, has ``2 / dispersion``.

    Args:
        outputs: the networks' outputs; a task with fewer than W has them first.
        tasks: whose they are.
        dispersion: every task's, ``(k,)``.

    Shape:
        outputs ``(k, B, W)`` → ``(C, k, B, W)``, a column of every row's root each.
    """
    values = outputs.detach()
    most = max(task.n_outputs for task in tasks)
    n_columns = min(most, MOST_COLUMNS)
    roots = values.new_zeros(n_columns, *values.shape)
    for number, task in enumerate(tasks):
        own = values[number, :, : task.n_outputs]
        if task.kind == "multiclass":
            columns = _of_classes(own.softmax(-1), n_columns)
            roots[: len(columns), number, :, : task.n_outputs] = columns
        elif task.kind == "binary":
            chance = own.sigmoid()
            roots[0, number, :, :1] = (chance * (1 - chance)).sqrt()
        else:
            roots[0, number, :, :1] = (2 / dispersion[number]).sqrt()
    return roots


def _of_classes(chances: Tensor, n_columns: int) -> Tensor:
    """``(B, W)`` → up to ``n_columns`` columns ``(C, B, W)``."""
    n_classes = chances.shape[-1]
    sizes = chances.sqrt()
    # columns[c] = √p_c (e_c − p)
    identity = torch.eye(n_classes, dtype=chances.dtype, device=chances.device)
    columns = sizes.T.unsqueeze(-1) * (identity.unsqueeze(1) - chances)  # (W, B, W)
    if n_classes <= n_columns:
        return columns
    signs = torch.randn(n_columns, n_classes, device=chances.device).sign().to(chances)
    mixed = torch.einsum("rc,cbw->rbw", signs, columns)
    return mixed / n_columns**0.5
