"""What tests run: by coverage, in the process that runs them and in those that they start."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import coverage
import pytest

from benchmarks.mutants.children import Seen, run_item

Lines = dict[str, dict[int, list[str]]]
"""File → line → for whom it runs: names of tests, and of fixtures that several tests share."""


class Observer:
    """Runs tests, and notes what runs for each of them, and what for the fixtures they share.

    Args:
        root: of the repository.
        told: a folder, where processes that tests start leave what they have run.
    """

    def __init__(self, root: Path, told: Path) -> None:
        self._root = root
        self._told = told
        self._covered = coverage.Coverage(
            data_file=None,
            include=[f"{root / 'softshare'}/*"],
            config_file=False,
        )
        self._whose = ""
        self._since = time.process_time()
        self.seconds: dict[str, float] = defaultdict(float)

    def observed(self, items: Sequence[pytest.Item]) -> dict[str, Any]:
        """Run tests of one file; what :class:`~benchmarks.mutants.reached.Reached` keeps."""
        seen = Seen()
        items[0].config.pluginmanager.register(seen)
        items[0].config.pluginmanager.register(self)
        self._follow_processes()
        fixtures: dict[str, list[str]] = {}
        self._covered.start()
        for place, item in enumerate(items):
            with self._for(item.nodeid):
                run_item(items, place)
            fixtures[item.nodeid] = list(map(_fixture, getattr(item, "fixturenames", ())))
        lines = [self._lines()]
        for file in sorted(self._told.iterdir()):
            lines.append(json.loads(file.read_text()))
        return {
            "fixtures": fixtures,
            "seconds": self.seconds,
            "failing": sorted(seen.failing),
            "lines": lines,
        }

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef) -> Iterator[None]:
        """See pytest's hook. What tests share is made for the first of them, but serves all."""
        if fixturedef.scope == "function":
            return (yield)
        with self._for(_fixture(fixturedef.argname)):
            return (yield)

    @contextmanager
    def _for(self, whose: str) -> Iterator[None]:
        before = self._whose
        self._switch(whose)
        yield
        self._switch(before)

    def _switch(self, whose: str) -> None:
        now = time.process_time()
        self.seconds[self._whose] += now - self._since
        self._whose, self._since = whose, now
        self._covered.switch_context(whose)

    def _follow_processes(self) -> None:
        """Let forked processes, which go on noting what they run, tell of it when they end."""
        run = BaseProcess._bootstrap  # type: ignore[attr-defined]

        def run_and_tell(process: BaseProcess, *given: Any, **named: Any) -> int:
            try:
                return run(process, *given, **named)
            finally:
                file = self._told / f"{os.getpid()}.json"
                file.write_text(json.dumps(self._lines()))

        BaseProcess._bootstrap = run_and_tell  # type: ignore[attr-defined]

    def _lines(self) -> Lines:
        self._covered.stop()
        data = self._covered.get_data()
        lines: Lines = {}
        for file in data.measured_files():
            name = Path(file).relative_to(self._root).as_posix()
            lines[name] = data.contexts_by_lineno(file)
        return lines


def _fixture(name: str) -> str:
    return f"fixture {name}"
