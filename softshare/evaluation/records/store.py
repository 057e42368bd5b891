"""The records of one comparison: in memory, and in its folder where it has one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from softshare.evaluation.records.records import (
    FORMAT,
    RECORDS,
    Record,
    conflicts,
    read_records,
    write_record,
    write_text,
)
from softshare.methods.settings import RunSettings
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.splits import Split

TRIALS = "trials"
SPLITS = "splits"


class Store:
    """Records by key, kept in a folder too where one is given.

    Args:
        out: the comparison's folder; None keeps all in memory.
        settings: method → settings of any of its runs, as given.
        fingerprint: of its data.

    Raises:
        ValueError: the folder holds records of other settings or other data, or a file that is no
            record.
    """

    def __init__(
        self, out: Path | None, settings: Mapping[str, RunSettings], fingerprint: str
    ) -> None:
        self.out = out
        self.records = self._read(RECORDS)
        self._trials = self._read(TRIALS)
        asked = {method: of_method.as_json() for method, of_method in settings.items()}
        found = conflicts([*self.records.values(), *self._trials.values()], asked, fingerprint)
        if found:
            differ = "; ".join(found)
            raise ArgumentError(
                (
                    "out",
                    f"{out} holds records of other settings ({differ}); choose another folder, or "
                    "delete this one",
                )
            )

    def add(self, settings: RunSettings, result: Mapping[str, Any], split: Split) -> None:
        """Keep what a run gave."""
        self.records[settings.key] = self._kept(RECORDS, settings.key, result, split)

    def add_trial(self, key: str, result: Mapping[str, Any], split: Split) -> Record:
        """Keep what a trial of a search gave."""
        self._trials[key] = self._kept(TRIALS, key, result, split)
        return self._trials[key]

    def trial(self, key: str, settings: RunSettings) -> Record | None:
        """The record of a trial of these very settings, if there is one."""
        record = self._trials.get(key)
        if record is None:
            return None
        asked = settings.as_json()
        return record if {**record["settings"], "searched": asked["searched"]} == asked else None

    def _read(self, folder: str) -> dict[str, Record]:
        return (
            {}
            if self.out is None
            else {record["key"]: record for record in read_records(self.out / folder)}
        )

    def _kept(self, folder: str, key: str, result: Mapping[str, Any], split: Split) -> Record:
        place = None if self.out is None else _write_split(self.out, split)
        record = {"format": FORMAT, "key": key, "split": place, **result}
        if self.out is not None:
            write_record(self.out / folder, record)
        return record


def _write_split(out: Path, split: Split) -> str:
    """Write a split once, under its digest; gives its path relative to ``out``."""
    name = f"{SPLITS}/{split.digest()}.json"
    if not (out / name).exists():
        write_text(out / name, json.dumps(split.as_dict(), separators=(",", ":")))
    return name
