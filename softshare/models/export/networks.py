"""Networks as modules whose rows belong to different tasks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from softshare.models.export.refusal import NotExportableError
from softshare.models.export.row_layers import (
    ChainOfRows,
    OnBaseOfRows,
    OrderingOfRows,
    SameForAll,
)
from softshare.models.export.row_weights import AffineOfRows
from softshare.network.execution.known_modules import facts_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.on_base import OnBase
from softshare.sharing.base import SharedWeight
from softshare.sharing.soft_ordering import SoftOrdering


def network_module(network: MultiTaskNetwork, names: Sequence[Any]) -> nn.Module:
    """A network as a module.

    One task's is its template with its weights, whatever layers that has. The networks of several
    tasks are one module where they are chains of affine layers.

    Args:
        network: all tasks' networks.
        names: of the tasks that the module is to know, in the order of their places.

    Raises:
        NotExportableError: several tasks' networks are no chains of affine layers of one form.
    """
    if len(names) == 1:
        return OneTask(network.task(names[0], own_units=False))
    templates = {id(network.template_of(name)) for name in names}
    if len(templates) > 1:
        raise NotExportableError(
            "the tasks' networks differ in inputs or outputs; export each task by itself"
        )
    chain = module_of_rows(
        network.template_of(names[0]),
        "",
        network.shared_weights,
    )
    return ManyTasks(chain, network.numbers([network.tasks[network.number(n)] for n in names]))


class OneTask(nn.Module):
    """A task's network.

    Args:
        network: a plain module.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, *shape)`` → ``(N, n_outputs)``."""
        outputs: Tensor = self.network(features)
        return outputs.to(torch.float64)


class ManyTasks(nn.Module):
    """All tasks' networks.

    Args:
        chain: a module of rows.
        numbers: of the tasks in the network, ``(T,)``.
    """

    numbers: Tensor | None

    def __init__(
        self,
        chain: nn.Module,
        numbers: Tensor,
    ) -> None:
        super().__init__()
        self.chain = chain
        in_order = torch.equal(numbers, torch.arange(len(numbers)))
        self.register_buffer("numbers", None if in_order else numbers)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, D)`` and ``(N,)`` → ``(N, n_outputs)``."""
        if self.numbers is not None:
            places = self.numbers.index_select(0, places)
        outputs: Tensor = self.chain(features, places)
        return outputs.to(torch.float64)


def module_of_rows(
    module: nn.Module,
    path: str,
    weights: dict[str, SharedWeight],
) -> nn.Module:
    """A part of a template as a module of rows.

    Args:
        module: the part.
        path: its name in the template.
        weights: the shared weight behind every parameter, by the parameter's full name.

    Raises:
        NotExportableError: it is of a kind that cannot treat every row by itself.
    """
    prefix = f"{path}." if path else ""
    if type(module) is nn.Linear:
        weight = weights[f"{prefix}weight"]
        bias = weights.get(f"{prefix}bias")
        shape = (module.in_features, module.out_features)
        return AffineOfRows(weight, bias, shape)
    if isinstance(module, OnBase):
        chain = _chain(module, prefix, weights)
        return OnBaseOfRows(chain, module.n_outputs)
    if type(module).forward is nn.Sequential.forward:
        return _chain(module, prefix, weights)
    if type(module) is SoftOrdering:
        return _ordering(module, prefix, weights)
    facts = facts_of(module)
    has_parameters = next(module.parameters(), None) is not None
    treats_rows_alike = facts.reach == "element" or type(module) is nn.Flatten
    if treats_rows_alike and not has_parameters:
        return SameForAll(copy.deepcopy(module).eval())
    raise NotExportableError(
        f"{type(module).__name__} ({path!r}) cannot run rows of different tasks at once; export "
        "each task by itself"
    )


def _ordering(
    module: SoftOrdering,
    prefix: str,
    weights: dict[str, SharedWeight],
) -> OrderingOfRows:
    layers = []
    for number, layer in enumerate(module.layers):
        path = f"{prefix}layers.{number}"
        layers.append(module_of_rows(layer, path, weights))
    return OrderingOfRows(
        layers,
        copy.deepcopy(module.activation),
        module.scales,
        weights[f"{prefix}scales.weight"],
    )


def _chain(
    module: nn.Module,
    prefix: str,
    weights: dict[str, SharedWeight],
) -> ChainOfRows:
    layers = []
    for name, layer in module.named_children():
        layers.append(
            module_of_rows(
                layer,
                f"{prefix}{name}",
                weights,
            )
        )
    return ChainOfRows(layers)
