"""Callbacks that put numbers into a recipe's learning curve, for figures over training."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.algebra.decompositions import task_last
from softshare.sharing.algebra.trace_norms import NORMS, tensor_trace_norms
from softshare.training.history import Row


@dataclass(frozen=True)
class TraceNorms:
    """The three trace norms of all layers whose shape the tasks have in common, whatever is
    penalised: ``laf``, ``tucker`` and ``tt``, each the sum over these layers (γ = 1).
    """

    @torch.no_grad()
    def after_evaluation(
        self,
        network: MultiTaskNetwork,
        row: Row,
    ) -> None:
        """See :class:`~softshare.training.callbacks.AfterEvaluation`."""
        stacks = network.stacks()
        total: dict[str, float] = dict.fromkeys(NORMS, 0.0)
        for layer in network.layers:
            stack = stacks[network.path_of(layer)]
            if isinstance(stack, list):
                continue  # an output layer, as wide as the task has classes
            for norm, value in tensor_trace_norms(task_last(stack)).items():
                total[norm] += float(value)
        row.update(total)
