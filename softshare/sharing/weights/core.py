"""What a weight that is a ring says of its cores."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Core:
    """One core of a ring.

    Args:
        number: counted from the left, the first being 0; tasks whose cores of one number differ in
            their modes have several.
        parameters: its values, those of a task that came later apart.
        tasks: numbers of the tasks that have it.
        is_own: whether each of these tasks has a row of its own; else one core serves all.
    """

    number: int
    parameters: tuple[nn.Parameter, ...]
    tasks: tuple[int, ...]
    is_own: bool
