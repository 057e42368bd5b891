"""Whether tests see a fault."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.mutants.children import BROKEN, Seen, run_child, run_item
from benchmarks.mutants.reached import Reached
from benchmarks.mutants.sites import Mutant
from benchmarks.mutants.swapping import Exchange

MOST_SECONDS = 10.0
"""Of tests that a mutant meets, as they took without it: those beyond are left out."""

MORE_SECONDS = 10.0
"""That tests may take more than thrice what they took."""

FAILED = 1
"""The exit status of a child in which a test failed."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant.

    Args:
        mutant: the module with its fault.
        ended: ``failed`` (a test), ``time-out``, ``crash``, ``survived``, ``not reached`` by any
            test, or ``broken``: the tests could not be run.
        by: the test that failed.
    """

    mutant: Mutant
    ended: str
    by: str

    @property
    def killed(self) -> bool:
        """Whether the tests have seen it."""
        return self.ended in ("failed", "time-out", "crash")


class Judge:
    """Lets tests meet mutants.

    Args:
        items: all tests.
        reached: which of them run which lines.
        kept: a folder that keeps which mutants were killed: more tests would kill them too.
    """

    def __init__(self, items: Sequence[pytest.Item], reached: Reached, kept: Path) -> None:
        self._items = {item.nodeid: item for item in items}
        self._reached = reached
        self._kept = kept / f"killed-{reached.of_code}.json"
        self._killed: dict[str, list] = {}
        if self._kept.exists():
            self._killed = json.loads(self._kept.read_text())
        self._failed = kept / "failed"
        self._sound: dict[str, bool] = {}

    def judge(self, mutant: Mutant, exchange: Exchange) -> Verdict:
        """Let the tests that run a mutant's lines meet it, until one fails.

        Args:
            mutant: which.
            exchange: of the functions that it changes.
        """
        known = self._killed.get(_digest(mutant))
        if known is not None:
            return Verdict(mutant, *known)
        verdict = self._met(mutant, exchange)
        if verdict.killed:
            self._killed[_digest(mutant)] = [verdict.ended, verdict.by]
            self._kept.write_text(json.dumps(self._killed))
        return verdict

    def _met(self, mutant: Mutant, exchange: Exchange) -> Verdict:
        chosen, seconds = self._chosen(mutant)
        if not chosen:
            return Verdict(mutant, "not reached", "")
        ended = run_child(
            lambda: _fails(chosen, self._failed, exchange),
            cpu_seconds=MORE_SECONDS + 3 * seconds,
        )
        if ended in (0, BROKEN):
            return Verdict(mutant, "survived" if ended == 0 else "broken", "")
        if ended != FAILED:
            return Verdict(mutant, "time-out" if ended is None else "crash", "")
        name = self._failed.read_text()
        if not self._is_sound(name):
            return self._met(mutant, exchange)
        return Verdict(mutant, "failed", name)

    def _chosen(self, mutant: Mutant) -> tuple[list[pytest.Item], float]:
        """The tests that meet it, and their seconds."""
        chosen: list[str] = []
        total = 0.0
        for name in self._reached.tests_of(mutant.site.path, mutant.site.lines):
            seconds = self._reached.seconds([*chosen, name])
            fits = seconds <= MOST_SECONDS or not chosen
            if fits and self._sound.get(name, True):
                chosen.append(name)
                total = seconds
        return [self._items[name] for name in chosen], total

    def _is_sound(self, name: str) -> bool:
        """Whether a test that failed passes without a fault, in a child of its own."""
        if name not in self._sound:
            seconds = MORE_SECONDS + 3 * self._reached.seconds([name])
            ended = run_child(
                lambda: _fails([self._items[name]], self._failed),
                cpu_seconds=seconds,
            )
            self._sound[name] = ended == 0
        return self._sound[name]


def _fails(items: Sequence[pytest.Item], failed: Path, exchange: Exchange | None = None) -> int:
    """In a child: run tests until one fails, whose name is written to a file."""
    if exchange is not None:
        exchange.make()
    seen = Seen()
    items[0].config.pluginmanager.register(seen)
    for place, item in enumerate(items):
        run_item(items, place)
        if seen.failing:
            failed.write_text(item.nodeid)
            return FAILED
    return 0


def _digest(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.site.path}\n{mutant.code}".encode()).hexdigest()
