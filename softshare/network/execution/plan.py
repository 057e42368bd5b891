"""How the layers of a network run on a batch, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

COLUMNS = ("layer", "multiply-adds", "elements", "way", "instead of")

NUMBERS = (1, 2)
"""The columns that hold numbers."""


@dataclass(frozen=True)
class Decision:
    """How one layer runs.

    Args:
        layer: its name.
        way: what is done.
        multiply_adds: of the forward pass; 0 where they were not counted.
        elements: numbers read and written by the forward pass; 0 where they were not counted.
        instead: the way not taken and its counts; empty where there was no choice.
    """

    layer: str
    way: str
    multiply_adds: int
    elements: int = 0
    instead: str = ""


class ExecutionPlan(tuple[Decision, ...]):
    """The layers' decisions in the order in which they run, those of a layer that runs several
    times added up; printed, a table.
    """

    __slots__ = ()

    def __new__(cls, decisions: Sequence[Decision]) -> ExecutionPlan:
        return super().__new__(cls, _added_up(decisions))

    def __str__(self) -> str:
        rows = [COLUMNS]
        for decision in self:
            rows.append(_cells(decision))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for row in rows:
            cells = []
            for number, (cell, width) in enumerate(zip(row, widths, strict=True)):
                padded = cell.rjust(width) if number in NUMBERS else cell.ljust(width)
                cells.append(padded)
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def _cells(decision: Decision) -> tuple[str, str, str, str, str]:
    """A row of the table."""
    return (
        decision.layer,
        _counted(decision.multiply_adds),
        _counted(decision.elements),
        decision.way,
        decision.instead,
    )


def _added_up(decisions: Sequence[Decision]) -> list[Decision]:
    """One decision for every layer and way, in the order of their first times."""
    alike: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        alike.setdefault((decision.layer, decision.way), []).append(decision)
    return [_sum_of(times) for times in alike.values()]


def _sum_of(times: Sequence[Decision]) -> Decision:
    first = times[0]
    if len(times) == 1:
        return first
    return replace(
        first,
        way=f"{first.way} ({len(times)} times)",
        multiply_adds=sum(decision.multiply_adds for decision in times),
        elements=sum(decision.elements for decision in times),
    )


def _counted(number: int) -> str:
    return f"{number:,}" if number else ""
