"""What was said of how to read a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from softshare.tasks.reading import Asked


@dataclass(frozen=True)
class Asking:
    """What was said of how to read a table.

    Args:
        columns: name → how it is to be read.
        na: the texts that mean missing, in place of the usual ones.
        decimal: what stands before fractions.
        usual: what stands before fractions in columns where that is clear.
    """

    columns: Mapping[str, Asked] = field(default_factory=dict)
    na: tuple[str, ...] | None = None
    decimal: str | None = None
    usual: str | None = None

    def missing(self, usual: frozenset[str]) -> frozenset[str]:
        """The words that mean missing, in lower case."""
        return usual if self.na is None else frozenset(text.strip().lower() for text in self.na)


NOTHING_SAID = Asking()
