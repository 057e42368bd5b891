"""How much of which shared layer a task applies at which depth (Meyerson and Miikkulainen 2018,
equation 7).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from softshare.sharing.diagnostic import Diagnostic

Gate = Literal["softmax", "sigmoid"]

CERTAIN = 1000.0
"""A logit whose softmax and sigmoid are exactly 0 or 1, and which half precision still holds."""


class LayerScales(nn.Module):
    """One task's scales: how much of each layer it applies at each depth. All layers start equal,
    at 1/D.

    Args:
        depth: how often layers are applied.
        n_layers: D, how many layers there are to choose from.
        gate: how scales come from logits. ``"softmax"``: the scales at a depth sum to 1.
            ``"sigmoid"``: each is free of the others, so that one can be swept alone (section 5).
    """

    each_tasks_own = True

    def __init__(
        self,
        depth: int,
        n_layers: int,
        *,
        gate: Gate = "softmax",
    ) -> None:
        super().__init__()
        if gate not in ("softmax", "sigmoid"):
            raise ValueError(f"gate must be 'softmax' or 'sigmoid', got {gate!r}")
        self.gate = gate
        self.weight = nn.Parameter(torch.zeros(depth, n_layers))
        self._start = -math.log(max(n_layers - 1, 1))  # the logit of 1/D

    def forward(self, x: Tensor) -> Tensor:
        """The scales for all rows of ``x`` as one block: ``(B, …)`` → ``(1, depth, D)``."""
        return self.scales(self.weight).unsqueeze(0)

    def run_tasks(
        self,
        x: Tensor,
        values: Mapping[str, Tensor],
    ) -> Tensor:
        """The same for k tasks at once, a block of rows each: ``(k, B, …)`` and weights ``(k,
        depth, D)`` → ``(k, 1, depth, D)``.
        """
        return self.scales(values["weight"]).unsqueeze(1)

    def diagnostics(self, values: Mapping[str, Tensor]) -> list[Diagnostic]:
        """The tasks' scales, for the record."""
        return [
            Diagnostic(
                "ordering",
                ("depth", "layer"),
                self.scales(values["weight"]),
            )
        ]

    def scales(self, logits: Tensor) -> Tensor:
        """Logits → scales in [0, 1], both ``(…, depth, D)``."""
        return logits.softmax(-1) if self.gate == "softmax" else torch.sigmoid(logits + self._start)

    @torch.no_grad()
    def set_scale(
        self,
        depth: int,
        layer: int,
        value: float,
    ) -> None:
        """Give one scale a value. The other logits stay; a softmax divides what is left in the
        proportions it had.

        Raises:
            ValueError: there is no such depth or layer, or the value is not in [0, 1].
        """
        depths, layers = self.weight.shape
        if not (0 <= depth < depths and 0 <= layer < layers and 0 <= value <= 1):
            raise ValueError(
                f"depth must be below {depths} and layer below {layers}, both counted from "
                "0, and a scale in [0, 1]; "
                f"got depth={depth}, layer={layer}, value={value:g}"
            )
        if self.gate == "softmax" and layers == 1:
            raise ValueError(
                "the scale of an only layer is always 1 with gate='softmax'; use "
                "gate='sigmoid' to change it"
            )
        odds = (
            math.log(value / (1 - value))
            if 0 < value < 1
            else math.copysign(2 * CERTAIN, value - 0.5)
        )
        others = torch.cat([self.weight[depth, :layer], self.weight[depth, layer + 1 :]])
        self.weight[depth, layer] = odds + (
            others.logsumexp(0) if self.gate == "softmax" else -self._start
        )
