"""One comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from benchmarks.measure import Step

Make = Callable[[torch.device], tuple[Step, Step]]
"""Makes our step and the other's."""


@dataclass(frozen=True)
class Case:
    """One comparison of a step of ours with another.

    Args:
        group: what it is about; ``--only`` picks by it.
        name: what is run.
        other: what it is compared with.
        make: makes the two steps.
        at_least: the ratio, the other's time by ours, that must be reached; None where it is only
            told.
        memory_at_least: the same for peak memory.
    """

    group: str
    name: str
    other: str
    make: Make
    at_least: float | None = None
    memory_at_least: float | None = None
