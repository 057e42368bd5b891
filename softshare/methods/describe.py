"""What a trained network shares, as a record holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import SharedWeight
from softshare.sharing.rank_report import rank_report
from softshare.sharing.strength import similarity
from softshare.sharing.weights.sum_weight import SumWeight

MOST_TASKS_COMPARED = 200
"""Tasks up to which a record holds the similarity and the correlation of every pair."""

MEASURES = ("rho", "rho_floor", "cosine", "effective_rank")


def describe_sharing(network: MultiTaskNetwork) -> dict[str, Any]:
    """Ranks, parameters and sharing strength of every layer, and how alike tasks have become."""
    strength = network.sharing_strength()
    report = rank_report(network.layers)
    layers: dict[str, dict[str, Any]] = {}
    for row in report:
        measured = strength.get(row.layer)
        layers[row.layer] = {
            "sharing": type(network.sharing[row.layer]).__name__,
            "ranks": list(row.ranks),
            "parameters": row.parameters,
            "independent_parameters": row.independent_parameters,
            **{
                name: None if measured is None else _finite(getattr(measured, name))
                for name in MEASURES
            },
            **_parts(network.layers[row.layer]),
        }
    return {
        "layers": layers,
        "similarity": _similarity(network, network.stacks()),
        "task_correlation": _task_correlation(network),
        "warnings": [row.warning for row in report if row.warning],
    }


def _parts(weight: SharedWeight) -> dict[str, Any]:
    """Of a sum: the learned spread of the own parts, the common part's size, and what share of each
    task's weight, in squares, is its own; the tasks in order, and their mean.
    """
    if not isinstance(weight, SumWeight):
        return {}
    parts = weight.parts()
    shares = [round(share, 6) for share in parts.own]
    few = shares if len(shares) <= MOST_TASKS_COMPARED else None
    return {
        "spread": parts.spread,
        "common_size": parts.common_size,
        "own": fmean(shares),
        "own_by_task": few,
    }


def _similarity(
    network: MultiTaskNetwork, stacks: Mapping[str, Tensor | Sequence[Tensor]]
) -> list[list[float]] | None:
    if not 1 < len(network.tasks) <= MOST_TASKS_COMPARED:
        return None
    learned = [
        layer
        for layer, weight in network.layers.items()
        if any(value.requires_grad for value in weight.parameters())
    ]
    paths = [network.path_of(layer) for layer in learned]
    flat = [stack.flatten(1) for path in paths if isinstance(stack := stacks[path], Tensor)]
    return _rounded(similarity(torch.cat(flat, 1))) if flat else None


def _task_correlation(network: MultiTaskNetwork) -> list[list[float]] | None:
    """The tasks' correlation that the layers have learned, the mean over those that learn one."""
    learned = [
        correlation
        for weight in network.layers.values()
        if (correlation := weight.task_correlation()) is not None
    ]
    return (
        _rounded(torch.stack(learned).mean(0))
        if learned and 1 < len(network.tasks) <= MOST_TASKS_COMPARED
        else None
    )


def _rounded(matrix: Tensor) -> list[list[float]]:
    return [[round(value, 4) for value in row] for row in matrix.tolist()]


def _finite(value: float) -> float | None:
    return float(value) if isfinite(value) else None
