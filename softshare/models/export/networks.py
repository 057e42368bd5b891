"""Networks as modules whose rows belong to different tasks."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from softshare.models.export.refusal import NotExportableError
from softshare.models.export.row_weights import AffineOfRows, ValuesOfRows
from softshare.network.execution.known_modules import facts_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.on_base import OnBase
from softshare.sharing.base import SharedWeight
from softshare.sharing.layer_scales import LayerScales
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


class ChainOfRows(nn.Module):
    """Layers one after the other.

    Args:
        layers: modules of rows.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """Layer by layer."""
        for layer in self.layers:
            x = layer(x, places)
        return x


class SameForAll(nn.Module):
    """A layer without parameters.

    Args:
        layer: the same for all tasks.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, *)`` → ``(N, *)``."""
        y: Tensor = self.layer(x)
        return y


class OnBaseOfRows(nn.Module):
    """A chain whose outputs are added to the last inputs.

    Args:
        chain: of rows.
        n_outputs: how many inputs these are.
    """

    def __init__(
        self,
        chain: nn.Module,
        n_outputs: int,
    ) -> None:
        super().__init__()
        self.chain = chain
        self.n_outputs = n_outputs

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, D + n_outputs)`` → ``(N, n_outputs)``."""
        features = x[:, : -self.n_outputs]
        base = x[:, -self.n_outputs :]
        y: Tensor = self.chain(features, places)
        return y + base


class OrderingOfRows(nn.Module):
    """Layers that every row applies by its own task's scales.

    Args:
        layers: modules of rows.
        activation: after each.
        scales: what makes scales of a task's logits.
        logits: of all tasks.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        activation: nn.Module,
        scales: LayerScales,
        logits: SharedWeight,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.activation = activation
        self.scales = copy.deepcopy(scales)
        self.logits = ValuesOfRows(logits, tuple(scales.weight.shape))

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, width)`` → ``(N, width)``."""
        scales = self.scales.scales(self.logits(x, places))  # (N, depth, layers)
        for here in scales.unbind(1):
            mixed = torch.zeros_like(x)
            for layer, scale in zip(
                self.layers,
                here.unbind(1),
                strict=True,
            ):
                y = self.activation(layer(x, places))
                mixed = mixed + scale[:, None] * y
            x = mixed
        return x


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
        bias = weights.get(f"{prefix}bias")
        shape = (module.in_features, module.out_features)
        return AffineOfRows(
            weights[f"{prefix}weight"],
            bias,
            shape,
        )
    if isinstance(module, OnBase):
        return OnBaseOfRows(
            _chain(
                module,
                prefix,
                weights,
            ),
            module.n_outputs,
        )
    if type(module).forward is nn.Sequential.forward:
        return _chain(
            module,
            prefix,
            weights,
        )
    if type(module) is SoftOrdering:
        layers = []
        for number, layer in enumerate(module.layers):
            layers.append(
                module_of_rows(
                    layer,
                    f"{prefix}layers.{number}",
                    weights,
                )
            )
        return OrderingOfRows(
            layers,
            copy.deepcopy(module.activation),
            module.scales,
            weights[f"{prefix}scales.weight"],
        )
    facts = facts_of(module)
    has_parameters = next(module.parameters(), None) is not None
    if (facts.reach == "element" or type(module) is nn.Flatten) and not has_parameters:
        return SameForAll(copy.deepcopy(module).eval())
    raise NotExportableError(
        f"{type(module).__name__} ({path!r}) cannot run rows of different tasks at once; export "
        "each task by itself"
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
