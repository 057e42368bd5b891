"""What a network has to show of its tasks, as a record holds it."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from softshare.network.diagnostics import diagnostics
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.training.diagnostic_history import DiagnosticHistory

DIAGNOSTICS_OF_A_RUN = 5
"""How often a record's diagnostics are taken over training."""

MOST_TASKS_READ = 200


def describe_diagnostics(
    network: MultiTaskNetwork, history: DiagnosticHistory
) -> dict[str, dict[str, Any]]:
    """The diagnostics at the end and over training.

    Kind of diagnostic → module → ``axes``, ``values`` and ``history``.

    Values are nested lists ``(T, *axes)``, those at the end with the weights that the network ended
    with. Empty where nothing is read or there are too many tasks to look at.
    """
    if len(network.tasks) > MOST_TASKS_READ:
        return {}
    described: dict[str, dict[str, Any]] = {}
    for module, own in diagnostics(network).items():
        for number, diagnostic in enumerate(own):
            earlier = [
                {"step": step, "values": _rounded(by_module[module][number].values)}
                for step, by_module in history.rows
            ]
            told = {
                "axes": list(diagnostic.axes),
                "values": _rounded(diagnostic.values),
                "history": earlier,
            }
            described.setdefault(diagnostic.name, {})[module] = told
    return described


def _rounded(values: Tensor) -> list[Any]:
    rounded: list[Any] = values.double().mul(1e4).round().div(1e4).tolist()
    return rounded
