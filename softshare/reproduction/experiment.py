"""What an experiment is: a value that says what runs on which data, and what is measured and drawn.

Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from softshare.methods.method import Method
from softshare.reproduction.division import Division
from softshare.reproduction.drawings import Drawing
from softshare.reproduction.measures import Measure
from softshare.reproduction.task_data import TaskData
from softshare.tasks.arguments import ArgumentError, Problem

SEARCH_SEEDS = (1_000_003, 1_000_004, 1_000_005)
"""Seeds of the draws on which candidates are tried; none of them is ever reported."""

ONLY = "only"
"""Name of the candidate of a contestant that has nothing to choose."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True)
class Budget:
    """What every contestant of a case may spend, whatever it is.

    Args:
        steps: updates in all; those of a start from trained networks are among them.
        batch_size: examples of every task in a step.
        learning_rate: of those that have none of their own.
        settings: other fields of :class:`~softshare.methods.settings.RunSettings`, for contestants
            that are named methods.
    """

    steps: int
    batch_size: int = 64
    learning_rate: float = 1e-3
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Contestant:
    """A way to learn the tasks.

    Args:
        name: in records and claims, such as ``"tucker"``.
        method: what learns; or several, of which a search chooses: name of the candidate → method.
        shown: in tables and figures.
    """

    name: str
    method: Method | Mapping[str, Method]
    shown: str

    @property
    def candidates(self) -> dict[str, Method]:
        """What can be chosen; a single method is one candidate."""
        if isinstance(self.method, Method):
            return {ONLY: self.method}
        return dict(self.method)

    def with_first_candidates(
        self,
        count: int,
    ) -> Contestant:
        """The same with so many candidates at most."""
        if isinstance(self.method, Method):
            return self
        return replace(self, method=dict(list(self.method.items())[:count]))


@dataclass(frozen=True)
class Search:
    """How a contestant's candidates are chosen: by validation data alone, before any reported run.

    Every candidate is trained once on the draw of each search seed and judged on its validation
    part; where a division has none, on examples that it leaves in no part, or on a fraction of the
    training part that is held out. The best mean over the seeds is taken for all reported seeds.

    Args:
        measure: name of the measure that judges.
        seeds: of the draws.
        held_out: of the training part, where there is no validation part.
        spare: so many examples of every task that are in no part validate in its place, where a
            fraction of a small training part would tell candidates apart by chance.
    """

    measure: str
    seeds: tuple[int, ...] = SEARCH_SEEDS
    held_out: float = 0.2
    spare: int = 0


@dataclass(frozen=True)
class Case:
    """A condition under which all contestants run: a column of a table, a point of a figure's axis.

    Args:
        name: in records and claims, such as ``"1-percent"``.
        data: the tasks.
        division: which rows train, validate and test under a seed.
        budget: of every contestant.
        seeds: so many: 0, 1, … draw the division and the start.
        shown: in tables and figures; its name when empty.
        x: its place on the axis of a figure over cases.
        contestants: names of those that run here; all when empty.
        chosen_in: name of the case whose choice of candidates serves here too; None: an own search.
    """

    name: str
    data: TaskData
    division: Division
    budget: Budget
    seeds: int
    shown: str = ""
    x: float | None = None
    contestants: tuple[str, ...] = ()
    chosen_in: str | None = None


@dataclass(frozen=True)
class Published:
    """A number of the paper.

    Args:
        case: name of the case.
        contestant: name of the contestant.
        measure: name of the measure; of one with several values ``NAME/KEY``.
        value: in the measure's unit.
    """

    case: str
    contestant: str
    measure: str
    value: float


@dataclass(frozen=True)
class Experiment:
    """A table or a figure of a paper, as it is run here.

    Args:
        name: paper and place, such as ``"dmtrl/table-2"``: its file is
            ``experiments/dmtrl/table_2.py``, its results are in ``experiments/dmtrl/table-2/``.
        paper: authors, title, venue, year.
        place: in the paper, such as ``"Table 2"``.
        shows: what is to be seen, in a sentence.
        protocol: ``"full"``, the paper's own as far as it is known, or ``"reduced"``.
        departures: how this differs from the paper, a sentence each; those that reduce it first.
        minutes: of all runs on two CPU cores.
        cases: conditions; the first is the paper's own.
        contestants: what is compared; the first is the baseline.
        measures: what is measured on the test part.
        published: the paper's numbers.
        search: how candidates are chosen; None where no contestant has several.
        drawings: the figures; the first is named ``figure``.
        same_runs: other places of the paper. What one of them has made and is a run of this one
            too, of the same data, budget and candidates, is taken over and not made again.
    """

    name: str
    paper: str
    place: str
    shows: str
    protocol: Literal["full", "reduced"]
    departures: tuple[str, ...]
    minutes: float
    cases: tuple[Case, ...]
    contestants: tuple[Contestant, ...]
    measures: tuple[Measure, ...]
    published: tuple[Published, ...] = ()
    search: Search | None = None
    drawings: tuple[Drawing, ...] = ()
    same_runs: tuple[Experiment, ...] = ()
    is_quick: bool = False

    def __post_init__(self) -> None:
        wrong = [*_wrong_names(self), *_wrong_references(self), *_wrong_search(self)]
        if wrong:
            raise ArgumentError(*wrong)

    @property
    def baseline(self) -> Contestant:
        """What the others are compared with."""
        return self.contestants[0]

    def case(
        self,
        name: str,
    ) -> Case:
        """The case of this name."""
        return next(case for case in self.cases if case.name == name)

    def contestant(
        self,
        name: str,
    ) -> Contestant:
        """The contestant of this name."""
        return next(each for each in self.contestants if each.name == name)

    def measure(
        self,
        name: str,
    ) -> Measure:
        """The measure of this name; that of ``NAME/KEY`` has several values."""
        wanted = name.split("/")[0]
        return next(measure for measure in self.measures if measure.name == wanted)

    def those_of(
        self,
        case: Case,
    ) -> tuple[Contestant, ...]:
        """The contestants that run in a case."""
        if not case.contestants:
            return self.contestants
        return tuple(each for each in self.contestants if each.name in case.contestants)

    def quick(
        self,
        cases: Iterable[Case],
    ) -> Experiment:
        """The same experiment on tiny cases: it shows that all of it works, and nothing else.

        The first two contestants keep two candidates, so that a search is made too, on a part of
        the training rows; the others keep one. Numbers and drawings of cases that are left out are
        left out too.
        """
        tiny = tuple(cases)
        places = enumerate(self.contestants)
        few = [each.with_first_candidates(2 if place < 2 else 1) for place, each in places]
        search = self.search
        if search is not None:
            search = replace(search, seeds=search.seeds[:1], spare=0)
        names = {case.name for case in tiny}
        published = tuple(number for number in self.published if number.case in names)
        drawings = tuple(drawn for drawn in self.drawings if drawn.case in ("", *names))
        return replace(
            self,
            cases=tiny,
            contestants=tuple(few),
            published=published,
            drawings=drawings,
            search=search,
            is_quick=True,
        )


def _wrong_names(experiment: Experiment) -> list[Problem]:
    """Names that cannot be part of a file's name, or stand for two things."""
    of_kinds = {
        "cases": [case.name for case in experiment.cases],
        "contestants": [each.name for each in experiment.contestants],
        "measures": [measure.name for measure in experiment.measures],
    }
    for each in experiment.contestants:
        of_kinds[f"candidates of {each.name}"] = list(each.candidates)
    wrong = []
    for kind, names in of_kinds.items():
        if not names:
            wrong.append((kind, "at least one is needed"))
        for name in names:
            if not _NAME.fullmatch(name):
                rule = "must be small letters, digits, '-' and '.'"
                wrong.append((kind, f"{rule}, as part of a file's name; got {name!r}"))
            elif names.count(name) > 1:
                wrong.append((kind, f"{name!r} is there more than once"))
    return wrong


def _wrong_references(experiment: Experiment) -> list[Problem]:
    """What is named and does not exist."""
    cases = [case.name for case in experiment.cases]
    contestants = [each.name for each in experiment.contestants]
    measures = [measure.name for measure in experiment.measures]
    named: list[tuple[str, str, list[str]]] = []
    for case in experiment.cases:
        named += [("contestants of a case", name, contestants) for name in case.contestants]
        if case.chosen_in is not None:
            named.append(("chosen_in", case.chosen_in, cases))
    for number in experiment.published:
        named.append(("published", number.case, cases))
        named.append(("published", number.contestant, contestants))
        named.append(("published", number.measure.split("/")[0], measures))
    for drawn in experiment.drawings:
        if drawn.case:
            named.append(("drawings", drawn.case, cases))
    if experiment.search is not None:
        named.append(("search", experiment.search.measure, measures))
    return [
        (kind, f"there is no {name!r}; choose from {', '.join(known)}")
        for kind, name, known in named
        if name not in known
    ]


def _wrong_search(experiment: Experiment) -> list[Problem]:
    """A choice without a search, or one for which the baseline has fewer trials than another."""
    counts = {each.name: len(each.candidates) for each in experiment.contestants}
    most = max(counts.values(), default=1)
    if most > 1 and experiment.search is None:
        return [("search", "contestants have candidates, say how they are chosen")]
    of_baseline = counts.get(experiment.baseline.name, 1) if experiment.contestants else 1
    if of_baseline < most:
        told = f"the baseline has {of_baseline} where another contestant has {most}"
        return [("candidates", f"{told}; give it as many trials")]
    return []
