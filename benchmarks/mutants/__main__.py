"""How many of a drawn sample of faults the tests see."""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from benchmarks.mutants.judging import Judge, Verdict
from benchmarks.mutants.reached import reached
from benchmarks.mutants.report import Sample, write_report
from benchmarks.mutants.sites import Mutant, Site, in_drawn_order, mutant_of, sites_of
from benchmarks.mutants.swapping import Exchange, LoadedFunctions

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path("build/mutants")
"""A folder of what need not be found again as long as the code is the same."""

FOLDERS = {
    "sharing": ("sharing", "contracts"),
    "training": ("training",),
    "methods": ("methods", "models/test_every_method_is_kept.py", "models/test_folder.py"),
}
"""Package → the folders and files of its tests."""


class Testing:
    """A plugin that lets the collected tests meet mutants, instead of running them.

    Args:
        root: of the repository.
        number: of mutants of each package and seed.
        seeds: of their draws.
        packages: that are mutated.
    """

    __test__ = False

    def __init__(
        self, root: Path, number: int, seeds: Sequence[int], packages: Sequence[str]
    ) -> None:
        self._root = root
        self._kept = root / KEPT
        self._number = number
        self._seeds = seeds
        self._packages = packages

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """See pytest's hook."""
        self._kept.mkdir(parents=True, exist_ok=True)
        loaded = LoadedFunctions(self._root)  # before they are frozen, and hidden from who looks
        gc.collect()
        gc.freeze()  # so that children need not copy what they only look at
        tests = reached(session.items, self._root, self._kept)
        for name in tests.failing:
            tell(f"left out, as it fails without a fault: {name}")
        judge = Judge(session.items, tests, self._kept)
        samples = []
        for package in self._packages:
            sites = self._sites(package)
            size = sum(map(len, sites.values()))
            for seed in self._seeds:
                mutants = self._drawn(sites, seed, loaded)
                samples.append(Sample(package, size, seed, _judged(mutants, judge)))
                write_report(samples, self._root)
        return True

    def _sites(self, package: str) -> dict[Path, list[Site]]:
        files = sorted((self._root / "softshare" / package).rglob("*.py"))
        return {file: sites_of(file, self._root, self._kept) for file in files}

    def _drawn(
        self, sites: dict[Path, list[Site]], seed: int, loaded: LoadedFunctions
    ) -> Iterator[tuple[Mutant, Exchange]]:
        for candidates in in_drawn_order(sites, self._number, seed):
            for site in candidates:
                mutant = mutant_of(site, self._root)
                exchange = loaded.exchange_of(mutant)
                if exchange is not None:
                    yield mutant, exchange
                    break


def _judged(mutants: Iterable[tuple[Mutant, Exchange]], judge: Judge) -> list[Verdict]:
    verdicts: list[Verdict] = []
    for mutant, exchange in mutants:
        begin = time.perf_counter()
        verdict = judge.judge(mutant, exchange)
        verdicts.append(verdict)
        seconds = time.perf_counter() - begin
        n_killed = sum(each.killed for each in verdicts)
        told = f"{mutant.site.lines} {mutant.key!r} {verdict.ended} {verdict.by} ({seconds:.0f} s)"
        tell(f"{n_killed}/{len(verdicts)} {told}")
    return verdicts


def tell(line: str) -> None:
    """Write a line past pytest's capture."""
    print(line, file=sys.__stdout__, flush=True)


def measure(root: Path, number: int, seeds: Sequence[int], packages: Sequence[str]) -> int:
    """Let a repository's tests meet mutants, and write the page there; pytest's exit status.

    Args:
        root: of the repository.
        number: of mutants of each package and seed.
        seeds: of their draws.
        packages: that are mutated.
    """
    hypothesis.settings.register_profile("mutants", database=None, deadline=None, derandomize=True)
    hypothesis.settings.load_profile("mutants")
    os.chdir(root)
    folders = []
    for package in packages:
        folders += [str(root / "tests" / folder) for folder in FOLDERS[package]]
    options = ["-q", "--capture=sys", "-p", "no:cacheprovider", "-p", "no:xdist"]
    # Hypothesis was imported for its profile, too early for pytest to rewrite its assertions.
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    plugin = Testing(root, number, seeds, packages)
    return int(pytest.main([*options, *folders], plugins=[plugin]))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=150)
    parser.add_argument("seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--packages", nargs="+", choices=FOLDERS, default=list(FOLDERS))
    given = parser.parse_args()
    sys.exit(measure(ROOT, given.number, given.seeds, given.packages))


if __name__ == "__main__":
    main()
