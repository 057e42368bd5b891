"""Fixed orders of shared layers: the same for all tasks, or one permutation a task (Meyerson and
Miikkulainen 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing, common_stack
from softshare.sharing.layer_scales import CERTAIN
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.factorised import FactorisedWeight

Kind = Literal["parallel", "permuted"]


@dataclass(frozen=True)
class FixedOrder(Sharing):
    """The scales of a :class:`~softshare.SoftOrdering` as 0 and 1, never trained: each task applies
    each layer once.

    Args:
        order: ``"parallel"`` — layer k at depth k for all tasks, ordinary hard sharing (equation
            2); ``"permuted"`` — a random order for each task (equation 3). No two tasks have the
            same while there are others left: of ``D`` layers there are ``D!`` orders, and where
            tasks are more, all orders are dealt out before any comes again. They come from the
            seed and the tasks' names, whatever place these have.

    Raises:
        ValueError: ``order`` is neither.
    """

    order: Kind = "permuted"

    def __post_init__(self) -> None:
        if self.order not in ("parallel", "permuted"):
            raise ValueError(
                f"FixedOrder: order must be 'parallel' or 'permuted', got {self.order!r}"
            )

    @property
    def orders_layers(self) -> bool:
        return True

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        weights: dict[str, SharedWeight] = {}
        for name, layer in layers.items():
            n_layers = _size(name, layer.common(name, "FixedOrder"))
            orders = [torch.arange(n_layers)] * streams.n_tasks
            if self.order == "permuted":
                of_task = _dealt(name, n_layers, streams)
                orders = [of_task[task] for task in streams.names]
            weights[name] = OrderWeight(torch.stack(orders), order=self.order)
        return weights

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The permutation nearest to each task's learned scales: the one of the greatest sum of
        logits.

        Raises:
            ValueError: a table is not square, or ``"permuted"`` is asked of scales that are all
                equal.
        """
        weights: dict[str, SharedWeight] = {}
        for name, values in stacks.items():
            stack = common_stack(values, name, "FixedOrder").detach()
            orders = torch.arange(_size(name, tuple(stack.shape[1:]))).repeat(len(stack), 1)
            if self.order == "permuted":
                if not (stack != stack[..., :1]).any():
                    raise ValueError(
                        f"layer {name!r}: the tasks' scales are all equal, so there is no "
                        "order to keep; "
                        "start from initial='independent' for random permutations"
                    )
                orders = torch.stack(
                    [
                        torch.from_numpy(linear_sum_assignment(-table)[1])
                        for table in stack.cpu().numpy()
                    ]
                )
            weights[name] = OrderWeight(orders, order=self.order).to(stack)
        return weights


class OrderWeight(FactorisedWeight):
    """The tasks' orders as logits of scales that are 0 or 1, which no optimizer touches.

    Args:
        orders: which layer each task applies at each depth, ``(T, D)``.
        order: what kind of order they are; see :class:`FixedOrder`.
    """

    def __init__(self, orders: Tensor, *, order: Kind) -> None:
        chosen = torch.nn.functional.one_hot(orders, orders.shape[1])
        logits = (2 * chosen - 1) * torch.tensor(CERTAIN)
        super().__init__(
            "tkj->tkj",
            {"weight": logits},
            shape=logits.shape[1:],
            n_tasks=len(logits),
        )
        self.requires_grad_(False)
        self._order = order

    def with_task(self, start: Tensor) -> SharedWeight:
        """The parallel order for one more."""
        if self._order != "parallel":
            raise ValueError(
                "each task's order was drawn at the start and cannot be learned; add tasks "
                "where the scales are learned"
            )
        orders = self.stacked().argmax(-1)
        return OrderWeight(
            orders[:1].expand(len(orders) + 1, -1),
            order=self._order,
        ).to(self.stacked())


def _dealt(
    layer: str,
    n_layers: int,
    streams: RandomStreams,
) -> dict[object, Tensor]:
    """A random order for every task, and each order for one task as long as there are others.

    A task keeps what its own stream draws first unless a task before it has that; who is before
    whom is chance too, and not the place in a list.
    """
    n_orders = factorial(n_layers)
    taken: set[tuple[int, ...]] = set()
    of_task = {}
    for task in streams.everyone_by_chance(layer):
        generator = streams.generator(layer, task)
        order = torch.randperm(n_layers, generator=generator)
        while tuple(order.tolist()) in taken:
            order = torch.randperm(n_layers, generator=generator)
        of_task[task] = order
        taken.add(tuple(order.tolist()))
        if len(taken) == n_orders:
            taken.clear()
    return of_task


def _size(layer: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(
            f"layer {layer!r}: a fixed order needs as many depths as layers, got scales of "
            f"shape {shape} (depth, layers)"
        )
    return shape[0]
