"""``nn.Linear`` in all tasks whose weight is a sum.

The common term is one product on all tasks' rows, an own term its own cheapest one; what is added
up are outputs, not weights::

    y = x · C  +  x · V_t          instead of     y = x · (C + V_t)
        once      for example                         T weights composed
                  (x · G_1) · G_2 · G_3t
"""

from __future__ import annotations

import torch
from torch import Tensor

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.observed import Observed
from softshare.network.execution.task_linear import TaskLinear
from softshare.sharing.weights.sum_weight import SumWeight


class TaskSum(TaskLayer):
    """An affine layer whose weight is a sum, term by term.

    Args:
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
    """

    def __init__(self, parameters: Sources, layout: BatchLayout) -> None:
        super().__init__(parameters, layout)
        place, weight = parameters["weight"]
        assert isinstance(weight, SumWeight)
        self._sum = weight
        common: Sources = {**parameters, "weight": (place, weight.common)}
        self._common = affine_layer(common, layout)
        self._own = affine_layer({"weight": (place, weight.own)}, layout)

    def affine(self, rows: int) -> None:
        """A sum is never one for all tasks."""
        return

    def forward(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """``(k·B, *, in)`` (or ``(B, *, in)`` while all tasks see the same rows) → ``(k·B, *,
        out)``, added to ``onto`` ``(k, B, *, out)`` where there is some already.
        """
        layout = self._layout
        self._sum.remember_rows(layout.tasks)
        before = layout.one_copy, layout.apart
        common = self._common(x, onto)
        y = layout.separate(common)  # (k, B, *, out)
        layout.one_copy, layout.apart = before
        spread = self._sum.spread
        if spread is None or spread.multiple is None:
            return self._own(x, y)
        own = layout.separate(self._own(x))
        y = y + self._sum.scaled(own)
        if layout.observed is not None:
            layout.one_copy, layout.apart = before
            rows = layout.separate(x)
            self._observe(rows, y)
        return layout.leave(y)

    def _observe(self, x: Tensor, y: Tensor) -> None:
        """Hand out what was multiplied with what, ``(k, B, *, in)`` and ``(k, B, *, out)``."""
        observed = self._layout.observed
        assert observed is not None
        ones = torch.ones_like(x[..., :1])
        for name, inputs in (("weight", x), ("bias", ones)):
            _, weight = self._sources.get(name, (None, None))
            if not isinstance(weight, SumWeight):
                continue
            parameters = weight.own.padded(self._layout.tasks)
            own = weight.scaled(parameters).detach()
            own = own.reshape(len(own), -1, own.shape[-1])  # a bias's (k, out) has one input, 1
            places = _with_places(inputs.detach())
            part = Observed(weight, places, own, y, _with_places)
            observed.append(part)


def affine_layer(parameters: Sources, layout: BatchLayout) -> TaskLinear | TaskSum:
    """``nn.Linear`` in all tasks, whatever its weight is."""
    _, weight = parameters["weight"]
    kind = TaskLinear if len(weight.terms) == 1 else TaskSum
    return kind(parameters, layout)


def _with_places(values: Tensor) -> Tensor:
    """``(k, B, *, n)`` → ``(k, B, P, n)``; one place where a row has no further dimensions."""
    return values.unsqueeze(2) if values.ndim == 3 else values.flatten(2, -2)
