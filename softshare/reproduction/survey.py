"""How the ideas fared over all experiments: what a practitioner takes from the verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Experiment
from softshare.reproduction.verdict import HOLDING, Ruling, Verdict

KINDS: tuple[tuple[str, tuple[Ruling, ...]], ...] = (
    ("Gains that survive", HOLDING),
    ("No gain that counts", ("does not hold",)),
    ("Condemned: the control gains as well", ("condemned by its control",)),
    ("Open: more seeds would tell", ("undecided",)),
)
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
        told = f"{gain.mean:+.2g}{interval} over {other} ({self.experiment.name}: {case}"
        return f"{told}; {self.claim.smallest:g} counts)"


def survey(judged: Iterable[Judged]) -> str:
    """How many claims fared how; then, idea by idea, the gains that hold, those that do not, those
    that are open, and last what else holds.
    """
    all_judged = list(judged)
    counts = Counter(each.verdict.ruling for each in all_judged)
    counted = [f"{ruling} {counts[ruling]}" for ruling in RULINGS if counts[ruling]]
    lines = [f"{len(all_judged)} claims: {'; '.join(counted)}."]
    gains = [each for each in all_judged if each.is_gain]
    if gains:
        lines.append(
            "Below, idea by idea, what was gained where a gain was claimed, in the unit of the"
            " table (points where that has per cent), with intervals of 95 % and the smallest gain"
            " that counts."
        )
    for head, rulings in KINDS:
        lines += _listed(head, [each for each in gains if each.verdict.ruling in rulings])
    others = [each for each in all_judged if not each.is_gain]
    lines += _others([each for each in others if each.verdict.ruling in HOLDING])
    return "\n".join(lines) + "\n"


def _listed(head: str, gains: Sequence[Judged]) -> list[str]:
    """Gains under a head, an item for each idea."""
    if not gains:
        return []
    by_idea: dict[str, list[str]] = {}
    for each in gains:
        by_idea.setdefault(each.idea, []).append(each.told)
    items = [f"* **{idea}**: {'; '.join(told)}." for idea, told in by_idea.items()]
    return ["", f"**{head}**", "", *items]


def _others(holding: Sequence[Judged]) -> list[str]:
    """What holds and claims no gain: as good with fewer weights, what is seen in the weights."""
    if not holding:
        return []
    items = [f"* {each.claim.text} ({each.experiment.name})" for each in holding]
    return [
        "",
        "**What else holds**, claimed as no worse, as a size, or as something seen:",
        "",
        *items,
    ]
