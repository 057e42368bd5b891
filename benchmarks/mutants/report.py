"""What came of the mutants, as a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from benchmarks.mutants.judging import Verdict

PAGE = Path("benchmarks/mutants.md")

REASONS = Path("benchmarks/mutants/reasons.json")
"""Mutant → why no test can see it, or why none need, or what has seen it since; by reading."""

INTRODUCTION = """\
# Mutation testing

`python -m benchmarks.mutants` puts faults into functions of `softshare`, one at a time, and asks
whether the tests see them. How it draws and judges stands in `benchmarks/mutants/__init__.py`.
Where tests were written for survivors of one seed, only another seed tells what they see in all.
"""

HEAD = (
    "| package | mutants | seed | drawn | killed | share | how |",
    "|---|---|---|---|---|---|---|",
)

EXPLANATION = "*Share*: with its 95 % interval (Wilson).\n"


@dataclass(frozen=True)
class Sample:
    """What became of the mutants of one draw.

    Args:
        package: that was mutated.
        size: the mutants that it allows.
        seed: of the draw.
        verdicts: on those drawn.
    """

    package: str
    size: int
    seed: int
    verdicts: Sequence[Verdict]


def write_report(samples: Sequence[Sample], root: Path) -> Path:
    """Write the page.

    Args:
        samples: of each package and seed.
        root: of the repository.
    """
    reasons = json.loads((root / REASONS).read_text())
    lines = [INTRODUCTION, *HEAD]
    lines += [_row(sample) for sample in samples]
    lines += ["", EXPLANATION, "## Survivors", ""]
    survivors: dict[str, Verdict] = {}
    for sample in samples:
        survivors |= {each.mutant.key: each for each in sample.verdicts if not each.killed}
    for key in sorted(survivors):
        lines.append(_survivor(survivors[key], reasons.get(key, "")))
    page = root / PAGE
    page.write_text("\n".join(lines) + "\n")
    return page


def _row(sample: Sample) -> str:
    drawn = len(sample.verdicts)
    killed = sum(verdict.killed for verdict in sample.verdicts)
    counts = Counter(verdict.ended for verdict in sample.verdicts)
    how = ", ".join(f"{ended} {count}" for ended, count in sorted(counts.items()))
    return (
        f"| {sample.package} | {sample.size:,} | {sample.seed} | {drawn} | {killed} "
        f"| {_share(killed, drawn)} | {how} |"
    )


def _survivor(verdict: Verdict, reason: str) -> str:
    mutant = verdict.mutant
    place = f"`{mutant.site.path}`, `{mutant.where}`"
    change = f"{_code(mutant.before)} → {_code(mutant.after)}"
    told = f" {reason}" if reason else ""
    return f"* {place}: {change} ({verdict.ended}).{told}"


def _share(killed: int, drawn: int) -> str:
    if not drawn:
        return "–"
    found = binomtest(killed, drawn).proportion_ci(method="wilson")
    return f"{killed / drawn:.0%} ({found.low:.0%} to {found.high:.0%})"


def _code(text: str) -> str:
    quote = "``" if "`" in text else "`"
    return f"{quote}{text}{quote}"
