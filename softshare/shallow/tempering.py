"""Classes fitted as values: what turns their outputs into logits that rows held out bear out."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from softshare.shallow.rows import Array, Kind, Rows, row_losses


def best_temper(left_out: Array, rows: Rows, rates: Array) -> float:
    """What outputs are multiplied by to be log-odds, by the likelihood of left-out rows.

    Args:
        left_out: Outputs about the rates. Shape (N, C).
        rows: The training rows; numbers stay as they are.
        rates: Of the classes among them. Shape (C,).
    """
    if rows.kind == "regression":
        return 1.0

    def loss(log_temper: float) -> float:
        temper = float(np.exp(log_temper))
        logits = tempered(left_out, rates, temper, rows.kind)
        losses = row_losses(logits, rows.targets, rows.kind)
        return float(np.average(losses, weights=rows.weights))

    found = optimize.minimize_scalar(loss, bounds=(-4, 4), method="bounded")
    return float(np.exp(found.x))


def tempered(outputs: Array, rates: Array, temper: float, kind: Kind) -> Array:
    """Outputs around the classes' rates to logits. Shapes: (N, C) to (N, C) or (N,)."""
    bounded = rates.clip(1e-3, 1 - 1e-3)
    if kind == "binary":
        prior = np.log(bounded / (1 - bounded))
        log_odds = prior + temper * outputs
        return np.asarray(log_odds)[:, 0]
    return np.asarray(np.log(bounded) + temper * outputs)
