"""What methods have learned as modules: estimators, networks on a base, and stacks of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from softshare.methods.cross_fitting import CrossFittedNetworks
from softshare.methods.estimators import LearnedEstimator
from softshare.methods.method import Learned
from softshare.methods.stacked import StackedMethods
from softshare.methods.training import LearnedNetwork
from softshare.models.export.estimators import estimator_module
from softshare.models.export.networks import network_module
from softshare.models.export.refusal import NotExportableError


def answer_module(learned: Learned, names: Sequence[Any]) -> nn.Module:
    """What was learned as a module: features ``(N, *shape)`` and places of tasks ``(N,)`` to
    outputs ``(N, n_outputs)`` in double precision, as :meth:`Learned.predict` says them.

    Args:
        learned: by any method.
        names: of the tasks that the module is to know, in the order of their places.

    Raises:
        NotExportableError: it is of a kind that has no form as a graph.
    """
    if isinstance(learned, LearnedEstimator):
        return estimator_module(learned.fitted, names)
    if isinstance(learned, LearnedNetwork):
        return network_module(learned.network, names)
    if isinstance(learned, CrossFittedNetworks):
        return _networks(learned, names)
    if isinstance(learned, StackedMethods):
        return _stack(learned, names)
    raise NotExportableError(f"{type(learned).__name__} has no form as a graph")


class MeanOfNetworks(nn.Module):
    """The mean of what networks say.

    Args:
        networks: modules of features and places.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, *shape)`` and ``(N,)`` → ``(N, n_outputs)``."""
        outputs = [network(features, places) for network in self.networks]
        return torch.stack(outputs).mean(dim=0)


class NetworksOnBase(nn.Module):
    """What networks add to a base, or some of it.

    Args:
        base: a linear model.
        networks: these see its outputs as their last inputs.
        weight: how much of what they add is added.
    """

    weight: Tensor

    def __init__(
        self,
        base: nn.Module,
        networks: nn.Module,
        weight: float,
    ) -> None:
        super().__init__()
        self.base = base
        self.networks = networks
        self.register_buffer("weight", torch.tensor(weight, dtype=torch.float64))

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, D)`` and ``(N,)`` → ``(N, n_outputs)``."""
        base: Tensor = self.base(features, places)
        seen = torch.cat([features, base.to(torch.float32)], dim=1)
        added = self.networks(seen, places) - base
        return base + self.weight * added


class WeighedAnswers(nn.Module):
    """What several methods say, weighed.

    Args:
        members: modules of features and places.
        weights: how much of each is each task's answer, ``(T, M)``.
    """

    weights: Tensor

    def __init__(
        self,
        members: Sequence[nn.Module],
        weights: np.ndarray,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float64))

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, D)`` and ``(N,)`` → ``(N, n_outputs)``."""
        outputs = [member(features, places) for member in self.members]
        weights = self.weights.index_select(0, places)  # (N, M)
        weighed = torch.stack(outputs, dim=1) * weights[:, :, None]
        return weighed.sum(dim=1)


def _networks(learned: CrossFittedNetworks, names: Sequence[Any]) -> nn.Module:
    base = None if learned.base is None else estimator_module(learned.base, names)
    if base is not None and learned.weight == 0:
        return base  # networks that add nothing need not be shipped
    modules = [network_module(network, names) for network in learned.networks]
    networks = MeanOfNetworks(modules)
    return (
        networks
        if base is None
        else NetworksOnBase(
            base,
            networks,
            learned.weight,
        )
    )


def _stack(learned: StackedMethods, names: Sequence[Any]) -> nn.Module:
    number_of = {task.name: number for number, task in enumerate(learned.tasks)}
    weights = learned.weights.weights[[number_of[name] for name in names]]
    is_used = (weights != 0).any(axis=0)
    members = []
    for member, used in zip(
        learned.members.values(),
        is_used,
        strict=True,
    ):
        if used:
            members.append(answer_module(member, names))
    return WeighedAnswers(members, weights[:, is_used])
