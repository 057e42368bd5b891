"""What an experiment's records say: values by case, contestant and seed, gains, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Any

from softshare.reproduction.claims import Claim
from softshare.reproduction.experiment import Case, Contestant, Experiment, Published
from softshare.reproduction.records import Record
from softshare.reproduction.same_runs import current_records
from softshare.reproduction.verdict import Estimate, Verdict, estimate, verdict_on

BySeed = Mapping[int, float]


@dataclass(frozen=True)
class Choice:
    """How a candidate was chosen.

    Args:
        measure: on rows that neither train nor test.
        candidate: the chosen one.
        means: candidate → mean of the measure over the search's seeds; None where one diverged.
    """

    measure: str
    candidate: str
    means: Mapping[str, float | None]


@dataclass(frozen=True)
class Results:
    """The records of an experiment; those of another version of it are not counted.

    Args:
        experiment: whose they are.
        records: those of its reported runs.
    """

    experiment: Experiment
    records: Sequence[Record]

    @cached_property
    def current(self) -> list[Record]:
        """The records of this very experiment."""
        return current_records(self.experiment, self.records)

    @cached_property
    def counted(self) -> list[Record]:
        """Those of them in which training did not diverge."""
        return [record for record in self.current if record["error"] is None]

    @property
    def outdated(self) -> int:
        """How many records are of another version of the experiment."""
        return len(self.records) - len(self.current)

    @property
    def is_made(self) -> bool:
        """Whether made examples stood in for files that were missing."""
        return any(record["is_made"] for record in self.counted)

    def of(
        self,
        case: str,
        contestant: str,
    ) -> dict[int, Record]:
        """Seed → record."""
        own = [
            record
            for record in self.counted
            if record["case"] == case and record["contestant"] == contestant
        ]
        return {record["seed"]: record for record in sorted(own, key=_seed)}

    def values(
        self,
        case: str,
        contestant: str,
        measure: str,
    ) -> dict[int, float]:
        """Seed → value of a measure; of one with several values, that of ``NAME/KEY``."""
        found = {}
        for seed, record in self.of(case, contestant).items():
            value = measured(record, measure)
            if isinstance(value, int | float):
                found[seed] = float(value)
        return found

    def estimate(
        self,
        case: str,
        contestant: str,
        measure: str,
    ) -> Estimate | None:
        """Mean and interval of a measure over the seeds; None without records."""
        return estimate(list(self.values(case, contestant, measure).values()))

    def names(
        self,
        measure: str,
    ) -> list[str]:
        """A measure's columns: itself, or ``NAME/KEY`` for each of several values; none for nested
        lists.
        """
        names: dict[str, None] = {}
        for record in self.counted:
            value = record["measures"].get(measure)
            if isinstance(value, Mapping):
                names |= dict.fromkeys(f"{measure}/{key}" for key in value)
            elif isinstance(value, int | float):
                names[measure] = None
        return list(names)

    def gains(self, claim: Claim, case: str) -> BySeed:
        """Seed → the claimed gain in a case, of seeds that have all its runs; runs that serve
        another version of the claim do not count.
        """
        sign = -1.0 if claim.direction == "lower" else 1.0
        own = self._serving(claim, case, claim.contestant)
        if claim.baseline is None:
            assert claim.bound is not None
            return {seed: sign * (value - claim.bound) for seed, value in own.items()}
        other = self._serving(claim, case, claim.baseline)
        return {seed: sign * (own[seed] - other[seed]) for seed in own if seed in other}

    def verdict(self, claim: Claim) -> Verdict:
        """What the records say of a claim."""
        gains = self.gains(claim, claim.case)
        control: BySeed = {}
        if claim.control is not None:
            control = self.gains(claim, claim.control)
        serving = [
            record for record in self.records if claim.serves(record["case"], record["contestant"])
        ]
        counted = [record for record in self.current if _serves(record, claim)]
        return verdict_on(
            claim,
            list(gains.values()),
            list(control.values()),
            not_counted=len(serving) - len(counted),
        )

    def _serving(self, claim: Claim, case: str, contestant: str) -> dict[int, float]:
        """Seed → value of a claim's measure, of records that serve this very claim."""
        records = self.of(case, contestant)
        values = self.values(case, contestant, claim.measure)
        return {seed: value for seed, value in values.items() if _serves(records[seed], claim)}

    def published(
        self,
        case: str,
        contestant: str,
        measure: str,
    ) -> float | None:
        """The paper's number, if it has one."""
        for number in self.experiment.published:
            if _place(number) == (case, contestant, measure):
                return number.value
        return None

    def choice(self, case: str, contestant: str) -> Choice | None:
        """What chose a contestant's candidate in a case; None where nothing was chosen there."""
        for record in self.of(case, contestant).values():
            told = record["choice"]
            if told.get("case") == case:
                means = {name: mean_of(scores) for name, scores in told["scores"].items()}
                return Choice(told["measure"], record["candidate"], means)
        return None

    def cases(self) -> list[Case]:
        """The cases that have records."""
        return [case for case in self.experiment.cases if self._any(case)]

    def contestants(
        self,
        case: Case,
    ) -> list[Contestant]:
        """Those that have records in a case."""
        return [each for each in self.experiment.those_of(case) if self.of(case.name, each.name)]

    def _any(
        self,
        case: Case,
    ) -> bool:
        return any(record["case"] == case.name for record in self.counted)


def measured(
    record: Record,
    measure: str,
) -> Any:
    """A measure's value in a record; of ``NAME/KEY`` that of one key."""
    name, _, key = measure.partition("/")
    value = record["measures"].get(name)
    return value.get(key) if key and isinstance(value, Mapping) else value


def mean_of(scores: Sequence[float | None]) -> float | None:
    """The mean of a candidate's scores; None where it diverged under a seed, or has none."""
    known = [score for score in scores if score is not None]
    return fmean(known) if known and len(known) == len(scores) else None


def _serves(record: Record, claim: Claim) -> bool:
    """Whether a record was made for this very claim."""
    return bool(record["claims"].get(claim.id) == claim.digest)


def _seed(record: Record) -> int:
    return int(record["seed"])


def _place(number: Published) -> tuple[str, str, str]:
    return number.case, number.contestant, number.measure
