"""Records of an experiment's runs: one small JSON file each, sealed like those of a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from softshare.evaluation.records.schema import Count, Finite, Part, check_form
from softshare.evaluation.records.sealed import seal, unseal
from softshare.files import write_text
from softshare.tasks.arguments import ArgumentError

FORMAT = 1
RECORDS, TRIALS = "records", "trials"
DIGITS = 7
"""Significant digits of the numbers in a record: of what is single precision there are no more."""

Record = dict[str, Any]


class RunOfExperiment(Part):
    """What the readers of a record rely on; more may stand in it."""

    format: Literal[1]
    key: Annotated[str, Field(min_length=1)]
    experiment: str
    case: str
    contestant: str
    candidate: str
    seed: Count
    is_trial: bool
    is_quick: bool
    is_made: bool
    recipe: str
    claims: dict[str, str]
    steps: Count
    data: dict[str, Any]
    measures: dict[str, Any]
    curve: list[dict[str, Finite | None]]
    choice: dict[str, Any]
    error: str | None
    versions: dict[str, str]
    seconds: Annotated[float, Field(ge=0)]
    cpu_seconds: Annotated[float, Field(ge=0)]


def write_record(
    folder: Path,
    record: Mapping[str, Any],
) -> Path:
    """Write one record as ``<key>.json``, whole or not at all."""
    return write_text(folder / f"{record['key']}.json", seal(plain({"format": FORMAT, **record})))


def read_records(folder: Path) -> list[Record]:
    """All records of a folder in the order of their names; none where there is no such folder.

    Raises:
        ArgumentError: some cannot be relied on; the message names all of them.
    """
    records: list[Record] = []
    damaged: list[str] = []
    for path in sorted(folder.glob("[a-z0-9]*.json")):
        try:
            record = unseal(path.read_bytes())
            check_form(record, RunOfExperiment)
            if path.stem != record["key"]:
                raise ValueError(f"it is the record {record['key']!r}")
        except ValueError as error:
            damaged.append(f"{path.name} ({error})")
            continue
        records.append(record)
    if damaged:
        remedy = "delete them, and the same command runs them again"
        told = f"records in {folder} cannot be relied on: {', '.join(damaged)}; {remedy}"
        raise ArgumentError(("out", told))
    return records


def plain(value: Any) -> Any:
    """A value as JSON has it: numbers rounded, and null for those that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
