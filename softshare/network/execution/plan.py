"""How the layers of a network run on a batch, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


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
        rows = [("layer", "multiply-adds", "elements", "way", "instead of")]
        rows += [
            (d.layer, _counted(d.multiply_adds), _counted(d.elements), d.way, d.instead)
            for d in self
        ]
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        lines = []
        for layer, adds, elements, way, instead in rows:
            cells = (
                layer.ljust(widths[0]),
                adds.rjust(widths[1]),
                elements.rjust(widths[2]),
                way.ljust(widths[3]),
                instead,
            )
            lines.append("  ".join(cells).rstrip())
        return "\n".join(lines)


def _added_up(decisions: Sequence[Decision]) -> list[Decision]:
    alike: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        alike.setdefault((decision.layer, decision.way), []).append(decision)
    return [_sum_of(times) for times in alike.values()]


def _sum_of(times: Sequence[Decision]) -> Decision:
    first = times[0]
    if len(times) == 1:
        return first
    multiply_adds, elements = sum(d.multiply_adds for d in times), sum(d.elements for d in times)
    return replace(
        first,
        way=f"{first.way} ({len(times)} times)",
        multiply_adds=multiply_adds,
        elements=elements,
    )


def _counted(number: int) -> str:
    return f"{number:,}" if number else ""
