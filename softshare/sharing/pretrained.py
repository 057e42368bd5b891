"""A trained weight that stays as it is, for all tasks: what adapters stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tied import Tied


@dataclass(frozen=True)
class Pretrained(Sharing):
    """All tasks use the template's own values, which are never trained.

    Alone it keeps a layer as it is; in a sum, ``Pretrained() + TensorTrain(…)``, the other term is
    what the tasks learn beside it.

    Args:
        bias: ``"tied"`` — biases and norm parameters of the layers keep their values too; ``"own"``
            — each task learns its own deviation from them.

    Raises:
        ValueError: ``bias`` is neither.
    """

    bias: Literal["tied", "own"] = "tied"

    def __post_init__(self) -> None:
        if self.bias not in ("tied", "own"):
            raise ValueError(f"Pretrained: bias must be 'tied' or 'own', got {self.bias!r}")

    @property
    def ties_bias(self) -> bool:
        return self.bias == "tied"

    @property
    def of_biases(self) -> Sharing | None:
        return Pretrained() if self.ties_bias else Pretrained() + Independent()

    @property
    def is_one_for_all(self) -> bool:
        return True

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        first = next(iter(layers))
        raise ValueError(
            f"layer {first!r}: Pretrained keeps trained values, and here they would be drawn; pass "
            "a trained module as the template, or initial='common'"
        )

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The values themselves where all tasks have the same, else their mean."""
        weights = Tied().share(stacks)
        for weight in weights.values():
            weight.requires_grad_(False)
        return weights
