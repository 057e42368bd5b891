"""Fixed orders of shared layers: the same for all tasks, or one permutation a task (Meyerson and Miikkulainen 2018)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from softshare.sharing.base import LayerShapes, RandomStreams, SharedWeight, Sharing, common_stack
from softshare.sharing.independent import independent_weight
from softshare.sharing.soft_ordering import CERTAIN


@dataclass(frozen=True)
class FixedOrder(Sharing):
    """The scales of a :class:`~softshare.SoftOrdering` as 0 and 1, never trained: each task applies each layer once.

    Args:
        order: ``"parallel"`` — layer k at depth k for all tasks, ordinary hard sharing (equation 2);
            ``"permuted"`` — a random order for each task, from the seed and the task's name alone (equation 3).

    Raises:
        ValueError: ``order`` is neither.
    """

    order: Literal["parallel", "permuted"] = "permuted"

    def __post_init__(self) -> None:
        if self.order not in ("parallel", "permuted"):
            raise ValueError(f"FixedOrder: order must be 'parallel' or 'permuted', got {self.order!r}")

    def draw(self, layers: Mapping[str, LayerShapes], streams: RandomStreams) -> dict[str, SharedWeight]:
        """The orders; a layer that is no table of scales is refused."""
        weights = {}
        for name, layer in layers.items():
            if layer.std:  # scales start equal, at logits of 0
                raise ValueError(f"layer {name!r}: FixedOrder is for the scales of a SoftOrdering, not for weights; name the scales only")
            n_layers = _size(name, layer.common(name, "FixedOrder"))
            orders = [torch.arange(n_layers)] * streams.n_tasks
            if self.order == "permuted":
                orders = [torch.randperm(n_layers, generator=streams.generator(name, task)) for task in streams.names]
            weights[name] = _fixed(torch.stack(orders), torch.get_default_dtype())
        return weights

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The permutation nearest to each task's learned scales: the one of the greatest sum of logits.

        Raises:
            ValueError: a table is not square, or ``"permuted"`` is asked of scales that are all equal.
        """
        weights = {}
        for name, values in stacks.items():
            stack = common_stack(values, name, "FixedOrder").detach()
            orders = torch.arange(_size(name, tuple(stack.shape[1:]))).repeat(len(stack), 1)
            if self.order == "permuted":
                if not (stack != stack[..., :1]).any():
                    raise ValueError(
                        f"layer {name!r}: the tasks' scales are all equal, so there is no order to keep; "
                        "start from initial='independent' for random permutations"
                    )
                orders = torch.stack([torch.from_numpy(linear_sum_assignment(-table)[1]) for table in stack.cpu().numpy()])
            weights[name] = _fixed(orders, stack.dtype).to(stack.device)
        return weights


def _size(layer: str, shape: tuple[int, ...]) -> int:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"layer {layer!r}: a fixed order needs as many depths as layers, got scales of shape {shape} (depth, layers)")
    return shape[0]


def _fixed(orders: Tensor, dtype: torch.dtype) -> SharedWeight:
    """Logits of orders ``(T, depth)`` → weights ``(T, depth, D)`` that no optimizer touches."""
    chosen = torch.nn.functional.one_hot(orders, orders.shape[1]).to(dtype)
    return independent_weight((2 * chosen - 1) * CERTAIN).requires_grad_(False)
