"""The experiments folder of a source checkout, and what it holds."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import softshare
from softshare.reproduction.claims import FILE, Claim, read_claims
from softshare.reproduction.experiment import Experiment
from softshare.tasks.arguments import ArgumentError

PACKAGE = "experiments"

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9-]*")


def experiments_folder() -> Path:
    """The folder ``experiments`` beside the package.

    Raises:
        ArgumentError: there is none: this is an installed package.
    """
    folder = Path(softshare.__file__).resolve().parents[1] / PACKAGE
    if not (folder / FILE).is_file():
        told = (
            "experiments come with the source checkout, and there is none beside this package; "
            "clone the repository and install it with `pip install -e .`"
        )
        raise ArgumentError(("name", told))
    return folder


def experiment_names() -> list[str]:
    """The names of all experiments, by paper and place."""
    folder = experiments_folder()
    names = []
    for path in folder.glob("*/*.py"):
        if f"{path.stem}.py" != "__init__.py" and "EXPERIMENT = " in path.read_text("utf-8"):
            names.append(_name_of(path))
    return sorted(names, key=_in_order)


def read_experiment(
    name: str,
    *,
    quick: bool = False,
) -> Experiment:
    """The experiment of this name, or its quick version; its file is the only one that is imported.

    Raises:
        ArgumentError: there is no such experiment.
    """
    known = experiment_names()
    if not _NAME.fullmatch(name) or name not in known:
        told = f"there is no experiment {name!r}; choose from {', '.join(known)}"
        raise ArgumentError(("name", told))
    module = _imported(name)
    found = getattr(module, "QUICK" if quick else "EXPERIMENT", None)
    if not isinstance(found, Experiment) or found.name != name or found.is_quick != quick:
        told = f"its file must define EXPERIMENT and QUICK = EXPERIMENT.quick(…), named {name!r}"
        raise ArgumentError(("name", told))
    return found


def read_experiments() -> Iterator[Experiment]:
    """All experiments, one after the other."""
    for name in experiment_names():
        yield read_experiment(name)


def claims_of(experiment: Experiment) -> tuple[Claim, ...]:
    """The claims of an experiment, in the order of the file.

    Raises:
        ValueError: the file is wrong, or names what the experiment does not have.
    """
    claims = [
        claim for claim in read_claims(experiments_folder()) if claim.experiment == experiment.name
    ]
    for claim in claims:
        _require_parts(experiment, claim)
    return tuple(claims)


def results_folder(experiment: Experiment) -> Path:
    """Where the committed records of an experiment are."""
    paper, _, place = experiment.name.partition("/")
    return experiments_folder() / _file_name(paper) / place


def _imported(name: str) -> ModuleType:
    paper, _, place = name.partition("/")
    # A worker process finds the module by the same places, see worker_process.py.
    module = importlib.import_module(f"{PACKAGE}.{_file_name(paper)}.{_file_name(place)}")
    expected = experiments_folder() / _file_name(paper) / f"{_file_name(place)}.py"
    if module.__file__ is None or Path(module.__file__).resolve() != expected:
        told = f"another package is called {PACKAGE!r}: {module.__file__}, expected {expected}"
        raise ArgumentError(("name", told))
    return module


def _require_parts(
    experiment: Experiment,
    claim: Claim,
) -> None:
    cases = {case.name for case in experiment.cases}
    contestants = {each.name for each in experiment.contestants}
    measures = {measure.name for measure in experiment.measures}
    named = (
        ("case", claim.case, cases),
        ("control", claim.control, cases | {None}),
        ("contestant", claim.contestant, contestants),
        ("baseline", claim.baseline, contestants | {None}),
        ("measure", claim.measure.split("/")[0], measures),
    )
    for field, name, known in named:
        if name not in known:
            raise ValueError(f"{FILE}: {claim.id}: {experiment.name} has no {field} {name!r}")
    is_gain = claim.baseline == experiment.baseline.name and claim.smallest > 0
    if is_gain and claim.control is None:
        told = "a gain over the baseline needs a control: name a case in which it must vanish"
        raise ValueError(f"{FILE}: {claim.id}: {told}")


def _file_name(part: str) -> str:
    return part.replace("-", "_")


def _name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}".replace("_", "-")


def _in_order(name: str) -> tuple[str, bool, int, str]:
    """Papers by name, in each tables before figures, by number."""
    paper, _, place = name.partition("/")
    numbers = re.findall(r"\d+", place)
    return paper, not place.startswith("table"), int(numbers[0]) if numbers else 0, place
