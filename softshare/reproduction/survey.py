"""How the ideas fared over all experiments: what a practitioner takes from the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Experiment
from softshare.reproduction.verdict import Ruling, Verdict

HOLDING = ("holds", "holds, smaller")
RULINGS: tuple[Ruling, ...] = get_args(Ruling)


@dataclass(frozen=True)
class Judged:
    """A claim of an experiment, and what the records say of it."""

    experiment: Experiment
    claim: Claim
    verdict: Verdict

    @property
    def is_gain(self) -> bool:
        """Whether it claims a gain over another contestant, and records judge it."""
        is_over_other = self.claim.baseline is not None and self.claim.smallest > 0
        return is_over_other and self.verdict.gain is not None

    @property
    def idea(self) -> str:
        """What is claimed to gain."""
        return self.experiment.contestant(self.claim.contestant).shown

    @property
    def told(self) -> str:
        """The gain with its interval, over what, and where."""
        gain = self.verdict.gain
        assert gain is not None
        assert self.claim.baseline is not None
        interval = "" if gain.low is None else f" [{gain.low:.2g}, {gain.high:.2g}]"
        other = self.experiment.contestant(self.claim.baseline).shown
        case = self.experiment.case(self.claim.case).shown
        return f"{gain.mean:+.2g}{interval} over {other} ({self.experiment.name}: {case})"


def survey(judged: Iterable[Judged]) -> str:
    """How many claims fared how; then idea by idea the gains that hold and those that do not."""
    all_judged = list(judged)
    counts = Counter(each.verdict.ruling for each in all_judged)
    counted = [f"{ruling} {counts[ruling]}" for ruling in RULINGS if counts[ruling]]
    by_idea: dict[str, list[Judged]] = {}
    for each in all_judged:
        if each.is_gain:
            by_idea.setdefault(each.idea, []).append(each)
    lines = [f"{len(all_judged)} claims: {'; '.join(counted)}."]
    if by_idea:
        lines.append(
            "Idea by idea, what it gains where a gain was claimed, in the unit of the table (points"
            " where that has per cent), with intervals of 95 %:"
        )
    lines.append("")
    lines += [_of_idea(idea, own) for idea, own in by_idea.items()]
    return "\n".join(lines).rstrip() + "\n"


def _of_idea(idea: str, own: list[Judged]) -> str:
    """An item of the list: what holds comes first."""
    holding = [each.told for each in own if each.verdict.ruling in HOLDING]
    failing = [
        f"{each.told}: {each.verdict.told}" for each in own if each.verdict.ruling not in HOLDING
    ]
    told = [f"* **{idea}**: {len(holding)} of {len(own)} claims of a gain hold."]
    if holding:
        told.append(f"Gains: {'; '.join(holding)}.")
    if failing:
        told.append(f"Not: {'; '.join(failing)}.")
    return " ".join(told)
