"""Which tests run which lines, and how long each test takes, found in one child a file of tests.

What was found is kept as long as neither the code nor the file of tests changes.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutants.children import run_child
from benchmarks.mutants.observing import Observer

SECONDS = 300
"""Of computing that a file of tests may take."""


class Reached:
    """Which tests reach what.

    Args:
        of_code: names the code that they ran.
    """

    def __init__(self, of_code: str) -> None:
        self.of_code = of_code
        self.failing: list[str] = []
        self._seconds: dict[str, dict[str, float]] = {}
        self._by_line: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))

    def add(self, found: dict[str, Any]) -> None:
        """What was found by one file of tests: see :class:`Observer`."""
        self.failing += found["failing"]
        seconds = found["seconds"]
        served: dict[str, set[str]] = defaultdict(set)
        for name, fixtures in found["fixtures"].items():
            if name in found["failing"]:
                continue
            shared = [fixture for fixture in fixtures if fixture in seconds]
            # Fixtures of one name in two files are two.
            file = name.partition("::")[0]
            self._seconds[name] = {f"{file} {fixture}": seconds[fixture] for fixture in shared}
            self._seconds[name][name] = seconds[name]
            for whose in (name, *shared):
                served[whose].add(name)
        for lines in found["lines"]:
            for path, of_path in lines.items():
                for line, for_whom in of_path.items():
                    for whose in for_whom:
                        self._by_line[path][int(line)] |= served[whose]

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
        return sorted(names, key=lambda name: (own not in name, self.seconds([name]), name))

    def seconds(self, names: Iterable[str]) -> float:
        """What tests take together, and the fixtures that they share."""
        parts: dict[str, float] = {}
        for name in names:
            parts |= self._seconds[name]
        return sum(parts.values())


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
    with tempfile.TemporaryDirectory() as told:

        def observe() -> int:
            found = Observer(root, Path(told)).observed(items)
            path.write_text(json.dumps(found))
            return 0

        run_child(observe, cpu_seconds=SECONDS)


def _digest_of(paths: Iterable[Path]) -> str:
    """Of the bytes of files."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
