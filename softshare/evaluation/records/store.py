"""The records of one comparison: in memory, and in its folder where it has one."""

from __future__ import annotations

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
)
from softshare.evaluation.records.split_files import write_split
from softshare.methods.settings import RunSettings
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.splits import Split
from softshare.tasks.task_set import TaskSet

TRIALS = "trials"


class Store:
    """Records by key, kept in a folder too where one is given.

    Args:
        out: the comparison's folder; None keeps all in memory.
        settings: method → settings of any of its runs, as given.
        tasks: its data.
        reading: the options by which these were read, option → value.

    Raises:
        ValueError: the folder holds records of other settings or other data, or a file that is no
            record.
    """

    def __init__(
        self,
        out: Path | None,
        settings: Mapping[str, RunSettings],
        tasks: TaskSet,
        *,
        reading: Mapping[str, Any],
    ) -> None:
        self.out = out
        self._tasks, self._reading = tasks, dict(reading)
        self.records = self._read(RECORDS)
        self._trials = self._read(TRIALS)
        asked = {method: of_method.as_json() for method, of_method in settings.items()}
        kept = [*self.records.values(), *self._trials.values()]
        found = conflicts(kept, asked, tasks.fingerprint())
        if found:
            differ = "; ".join(found)
            raise ArgumentError(
                (
                    "out",
                    f"{out} holds records of other settings ({differ}); choose another folder, or "
                    "delete this one",
                )
            )

    def add(
        self,
        settings: RunSettings,
        result: Mapping[str, Any],
        split: Split,
    ) -> None:
        """Keep what a run gave."""
        self.records[settings.key] = self._kept(
            RECORDS,
            settings.key,
            result,
            split,
        )

    def add_trial(
        self,
        key: str,
        result: Mapping[str, Any],
        split: Split,
    ) -> Record:
        """Keep what a trial of a search gave."""
        self._trials[key] = self._kept(
            TRIALS,
            key,
            result,
            split,
        )
        return self._trials[key]

    def trial(
        self,
        key: str,
        settings: RunSettings,
    ) -> Record | None:
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

    def _kept(
        self,
        folder: str,
        key: str,
        result: Mapping[str, Any],
        split: Split,
    ) -> Record:
        record = {"format": FORMAT, "key": key, "split": None, "reading": self._reading, **result}
        if self.out is not None:
            record["split"] = write_split(self.out, self._tasks, split)
            write_record(self.out / folder, record)
        return record
