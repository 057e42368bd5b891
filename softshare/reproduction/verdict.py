"""Whether a claim holds, from the gains of its seeds alone.

With the mean gain ``m`` over the seeds and its interval ``[low, high]`` (95 %, t distribution), the
smallest gain that counts ``s`` and the published gain ``c``:

* fewer than three seeds: *undecided*.
* ``high < s``: **does not hold**; the interval leaves no gain that counts, and so excludes the
  published one, which is no smaller.
* a gain is claimed (``s > 0``), ``low > 0`` and ``m ≥ s``: **holds**; and **holds, smaller** where
  ``high < c``, which excludes the published gain.
* *not worse* is claimed (``s ≤ 0``) and ``low ≥ s``: **holds**.
* else **undecided**, with the number of seeds at which one of the above would be the case if mean
  and variance stayed.

The control comes first: where its gain passes by the same rules for ``s > 0``, the experiment is
condemned, whatever the claim's own numbers are. Where a gain holds and the control leaves room for
one as well (``high ≥ s``), or there is none, the verdict says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from softshare.evaluation.intervals import MIN_SEEDS, MOST_SEEDS, half_widths
from softshare.reproduction.claims import Claim

LEVEL = 0.95

Ruling = Literal[
    "holds",
    "holds, smaller",
    "does not hold",
    "undecided",
    "condemned by its control",
    "no records",
]


HOLDING: tuple[Ruling, ...] = ("holds", "holds, smaller")


@dataclass(frozen=True)
class Estimate:
    """The mean of numbers of several seeds and its t-interval.

    Attributes:
        n_seeds: behind the mean.
        mean: of the numbers.
        deviation: their standard deviation; 0 of one.
        low: lower end of the interval; None with fewer than three seeds.
        high: its upper end.
    """

    n_seeds: int
    mean: float
    deviation: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Verdict:
    """What the records say of a claim.

    Attributes:
        ruling: in a word or two.
        gain: the estimate of the gain; None without records.
        control: that of the gain in the control; None where there is none.
        seeds_to_decide: where undecided, with about so many seeds it would not be; None where no
            number up to a thousand would do.
        excludes_published: whether the interval excludes the published gain.
        not_counted: records of another version of the claim or of the experiment.
        caveat: why a control does not bear a gain out that holds; empty where it does.
    """

    ruling: Ruling
    gain: Estimate | None = None
    control: Estimate | None = None
    seeds_to_decide: int | None = None
    excludes_published: bool = False
    not_counted: int = 0
    caveat: str = ""

    @property
    def told(self) -> str:
        """The ruling, what an undecided claim would need, and what a control leaves open."""
        if self.ruling != "undecided":
            return f"{self.ruling} ({self.caveat})" if self.caveat else self.ruling
        if self.seeds_to_decide is None:
            return f"undecided (and {MOST_SEEDS:,} seeds would not decide)"
        return f"undecided (about {self.seeds_to_decide} seeds would decide)"


def estimate(values: Sequence[float]) -> Estimate | None:
    """Mean and 95 % t-interval; numbers that are all equal have an interval without width."""
    if not values:
        return None
    n_seeds = len(values)
    mean = float(np.mean(values))
    variance = float(np.var(values, ddof=1)) if n_seeds > 1 else 0.0
    if n_seeds < MIN_SEEDS:
        return Estimate(n_seeds, mean, variance**0.5, None, None)
    half = _half_width(variance, n_seeds)
    return Estimate(n_seeds, mean, variance**0.5, mean - half, mean + half)


def ruling_on(
    claim: Claim,
    gain: Estimate,
) -> Ruling:
    """The ruling by the claim's own numbers, its control aside."""
    if gain.low is None or gain.high is None:
        return "undecided"
    if gain.high < claim.smallest:
        return "does not hold"
    if claim.smallest <= 0:
        return "holds" if gain.low >= claim.smallest else "undecided"
    if gain.low <= 0 or gain.mean < claim.smallest:
        return "undecided"
    is_smaller = claim.published is not None and gain.high < claim.published
    return "holds, smaller" if is_smaller else "holds"


def verdict_on(
    claim: Claim,
    gains: Sequence[float],
    control_gains: Sequence[float] = (),
    *,
    not_counted: int = 0,
) -> Verdict:
    """What the gains of the seeds say.

    Args:
        claim: the claim.
        gains: one a seed, above 0 in the claim's direction.
        control_gains: likewise, in the control.
        not_counted: records that serve another version of the claim.
    """
    gain, control = estimate(gains), estimate(control_gains)
    if gain is None:
        return Verdict("no records", control=control, not_counted=not_counted)
    is_excluded = (
        claim.published is not None and gain.high is not None and gain.high < claim.published
    )
    ruling = ruling_on(claim, gain)
    if control is not None and ruling_on(claim, control) in HOLDING:
        ruling = "condemned by its control"
    needed = seeds_to_decide(claim, gain) if ruling == "undecided" else None
    return Verdict(
        ruling,
        gain,
        control,
        seeds_to_decide=needed,
        excludes_published=is_excluded,
        not_counted=not_counted,
        caveat=_caveat(claim, control) if ruling in HOLDING else "",
    )


def _caveat(claim: Claim, control: Estimate | None) -> str:
    """What the control of a gain that holds leaves open."""
    if claim.smallest <= 0 or claim.baseline is None:
        return ""
    if control is None:
        return "control not run"
    if control.high is None or control.high >= claim.smallest:
        return "its control may gain too: too few seeds to tell"
    return ""


def seeds_to_decide(
    claim: Claim,
    gain: Estimate,
) -> int | None:
    """With how many seeds in all the claim would be decided, if mean and variance stayed."""
    variance = gain.deviation**2
    for n_seeds in range(max(MIN_SEEDS, gain.n_seeds + 1), MOST_SEEDS + 1):
        half = _half_width(variance, n_seeds)
        ahead = Estimate(n_seeds, gain.mean, gain.deviation, gain.mean - half, gain.mean + half)
        if ruling_on(claim, ahead) != "undecided":
            return n_seeds
    return None


def _half_width(
    variance: float,
    n_seeds: int,
) -> float:
    """Of the t-interval; 0 where all seeds gave the same."""
    (half,) = half_widths(
        np.array([variance]),
        np.array([n_seeds - 1.0]),
        np.array([n_seeds]),
        rows=np.zeros(1),
        rows_df=np.ones(1),
        level=LEVEL,
    )
    return 0.0 if np.isnan(half) else float(half)
