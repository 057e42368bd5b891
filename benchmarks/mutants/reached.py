"""Which tests run which lines, and how long each test takes: by coverage, a file of tests a child.

What was found is kept as long as neither the code nor the file of tests changes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import coverage
import pytest

from benchmarks.mutants.children import Seen, run_child, run_item

SECONDS = 300
"""Of computing that a file of tests may take."""


class Reached:
    """Which tests reach what.

    Args:
        of_code: names the code that they ran.
    """

    def __init__(self, of_code: str) -> None:
        self.of_code = of_code
        self.seconds: dict[str, float] = {}
        self.failing: list[str] = []
        self._by_line: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, found: dict) -> None:
        """What was found by one file of tests."""
        names = list(found["seconds"])
        failing = set(found["failing"])
        self.failing.extend(sorted(failing))
        for name, seconds in found["seconds"].items():
            if name not in failing:
                self.seconds[name] = seconds
        for path, lines in found["lines"].items():
            for line, numbers in lines.items():
                tests = {names[number] for number in numbers} - failing
                self._by_line[path][int(line)] |= tests

    def tests_of(self, path: str, lines: tuple[int, int]) -> list[str]:
        """The tests that run one of these lines, those of the module's own file first, then the
        quickest.
        """
        of_file = self._by_line.get(path, {})
        first, last = lines
        names: set[str] = set()
        for line in range(first, last + 1):
            names |= of_file.get(line, set())
        own = f"test_{Path(path).stem}.py"
        return sorted(names, key=lambda name: (own not in name, self.seconds[name], name))


def reached(items: Iterable[pytest.Item], root: Path, kept: Path) -> Reached:
    """Run all tests once, or take what is kept of them.

    Args:
        items: the tests.
        root: of the repository.
        kept: a folder.
    """
    by_file: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_file[item.path].append(item)
    all_found = Reached(_digest_of((root / "softshare").rglob("*.py")))
    for file, of_file in by_file.items():
        key = f"{file.parent.name}-{file.stem}-{all_found.of_code}-{_digest_of([file])}"
        path = kept / f"{key}.json"
        if not path.exists():
            _observe(of_file, root, path)
        if path.exists():
            all_found.add(json.loads(path.read_text()))
        else:
            all_found.failing.append(str(file.relative_to(root)))
    return all_found


def _observe(items: Sequence[pytest.Item], root: Path, path: Path) -> None:
    def observe() -> int:
        path.write_text(json.dumps(_observed(items, root)))
        return 0

    run_child(observe, cpu_seconds=SECONDS)


def _observed(items: Sequence[pytest.Item], root: Path) -> dict:
    """In a child: run tests, and tell what they reach."""
    covered = coverage.Coverage(
        data_file=None,
        include=[f"{root / 'softshare'}/*"],
        config_file=False,
    )
    seen = Seen()
    items[0].config.pluginmanager.register(seen)
    seconds: dict[str, float] = {}
    covered.start()
    for place, item in enumerate(items):
        covered.switch_context(item.nodeid)
        begin = time.process_time()
        run_item(items, place)
        seconds[item.nodeid] = time.process_time() - begin
    covered.stop()
    numbers = {name: number for number, name in enumerate(seconds)}
    data = covered.get_data()
    lines = {}
    for file in data.measured_files():
        of_file = {}
        for line, contexts in data.contexts_by_lineno(file).items():
            of_file[line] = [numbers[context] for context in contexts if context in numbers]
        lines[Path(file).relative_to(root).as_posix()] = of_file
    return {"seconds": seconds, "failing": sorted(seen.failing), "lines": lines}


def _digest_of(paths: Iterable[Path]) -> str:
    """Of the bytes of files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
