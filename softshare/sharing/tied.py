"""Hard parameter sharing (Caruana 1997): one weight for all tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Literal

from torch import Tensor

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing, common_stack
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.factorised import FactorisedWeight


@dataclass(frozen=True)
class Tied(Sharing):
    """All tasks use the same weight.

    Args:
        bias: ``"tied"`` — biases and norm parameters of the layers are shared too; ``"own"`` — each
            task keeps its own.

    Raises:
        ValueError: ``bias`` is neither.
    """

    bias: Literal["tied", "own"] = "tied"

    def __post_init__(self) -> None:
        if self.bias not in ("tied", "own"):
            raise ValueError(f"Tied: bias must be 'tied' or 'own', got {self.bias!r}")

    @property
    def ties_bias(self) -> bool:
        return self.bias == "tied"

    @property
    def of_biases(self) -> Sharing | None:
        return Tied() if self.ties_bias else None

    @property
    def is_one_for_all(self) -> bool:
        return True

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        return {
            name: _tied(
                layer.stds[0] * streams.normal(name, layer.common(name, "Tied")), streams.n_tasks
            )
            for name, layer in layers.items()
        }

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """The mean of the tasks' weights: the tied weight nearest to them in the Frobenius norm."""
        return {
            name: _tied(_mean(common_stack(stack, name, "Tied")), len(stack))
            for name, stack in stacks.items()
        }


def _mean(stack: Tensor) -> Tensor:
    # Of views of one copy it is that copy: bit for bit, and without adding up a million of them.
    return stack[0] if stack.stride(0) == 0 else stack.mean(0)


def _tied(weight: Tensor, n_tasks: int) -> SharedWeight:
    modes = ascii_lowercase[: weight.ndim]
    return FactorisedWeight(
        f"{modes}->t{modes}",
        {"weight": weight},
        shape=weight.shape,
        n_tasks=n_tasks,
    )
