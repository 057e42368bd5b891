"""What a part of the tasks' networks has to show beside its weights."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Diagnostic:
    """Values of every task that are worth recording, such as how strongly it applies which layer.

    Args:
        name: what they are.
        axes: the names of the axes after the task's.
        values: ``(T, *axes)``.
    """

    name: str
    axes: tuple[str, ...]
    values: Tensor
