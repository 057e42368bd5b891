"""The records of one comparison: in memory, and in its folder where it has one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from softshare.evaluation.records.begun import read_begun, remove_begun, write_begun
from softshare.evaluation.records.division import Splits, division_of
from softshare.evaluation.records.records import (
    RECORDS,
    Record,
    conflicts,
    read_records,
    write_record,
)
from softshare.evaluation.records.schema import FORMAT
from softshare.evaluation.records.split_files import SPLITS, write_split
from softshare.evaluation.records.unfinished import UnfinishedRuns
from softshare.evaluation.words import listed
from softshare.files import remove_unfinished
from softshare.methods.settings import RunSettings
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.splits import Split

TRIALS = "trials"


class Store:
    """Records by key, kept in a folder too where one is given.

    The folder says with what the comparison was begun, before there is a record. Left as a context
    without one, it says so no more.

    Args:
        out: the comparison's folder; None keeps all in memory.
        settings: method → settings of any of its runs, as given.
        splits: of its data.
        reading: the options by which these were read, option → value.

    Raises:
        ValueError: the folder holds records of other settings, other data or another division of
            them, or damaged ones.
        OSError: the folder cannot be read or written.
    """

    def __init__(
        self,
        out: Path | None,
        settings: Mapping[str, RunSettings],
        splits: Splits,
        *,
        reading: Mapping[str, Any],
    ) -> None:
        self.out = out
        self._splits, self._reading = splits, dict(reading)
        self._data = {
            "fingerprint": splits.tasks.fingerprint(),
            "division": division_of(splits.tasks),
        }
        self.records: dict[str, Record] = {}
        self._trials: dict[str, Record] = {}
        self.unfinished = UnfinishedRuns(out)
        self._whole: set[str] = set()  # digests of the splits whose files are known to be right
        if out is not None:
            remove_unfinished(out / name for name in ("", RECORDS, TRIALS, SPLITS))
            self._take_up(out, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unfinished.close()
        if self.out is not None and not self.records and not self._trials:
            remove_begun(self.out)

    def _take_up(self, out: Path, settings: Mapping[str, RunSettings]) -> None:
        """Read what the folder holds already, and make its damaged split files again."""
        self.records = _by_key(out / RECORDS)
        self._trials = _by_key(out / TRIALS, trials=True)
        kept = [*self.records.values(), *self._trials.values()]
        asked = {method: of_method.as_json() for method, of_method in settings.items()}
        # records say more than what was intended: with some, only they count
        earlier = kept or read_begun(out)
        found = conflicts(earlier, asked, self._data) or self._of_other_splits(kept)
        if found:
            differ = "; ".join(found)
            raise ArgumentError(
                (
                    "out",
                    f"{out} holds records of other settings ({differ}); choose another folder, or "
                    "delete this one",
                )
            )
        write_begun(out, asked, self._data)
        for fraction, seed in _runs(kept):
            self._write_split(out, self._splits.of(fraction, seed))
        for record in kept:
            self.unfinished.end(record["key"])  # a kill may have come between the two

    def _of_other_splits(self, kept: Iterable[Record]) -> list[str]:
        """The keys of records whose rows were divided otherwise than they are now, as a phrase."""
        keys = []
        for record in kept:
            of_run = record["settings"]
            split = self._splits.of(of_run["fraction"], of_run["seed"])
            if record["split"] != split.digest():
                keys.append(record["key"])
        return [f"the rows were divided otherwise for {listed(keys, most=3)}"] if keys else []

    def add(self, settings: RunSettings, result: Mapping[str, Any]) -> None:
        """Keep what a run gave."""
        key = settings.key
        self.records[key] = self._kept(
            RECORDS,
            key,
            settings,
            result,
        )

    def add_trial(
        self,
        key: str,
        settings: RunSettings,
        result: Mapping[str, Any],
    ) -> Record:
        """Keep what a trial of a search gave."""
        self._trials[key] = self._kept(
            TRIALS,
            key,
            settings,
            result,
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
        asked = settings.as_json() | {"searched": record["settings"]["searched"]}
        asked["source"] = record["settings"]["source"]  # the fingerprint tells data apart
        return record if record["settings"] == asked else None

    def _kept(
        self,
        folder: str,
        key: str,
        settings: RunSettings,
        result: Mapping[str, Any],
    ) -> Record:
        split = self._splits.of(settings.fraction, settings.seed)
        record = {
            "format": FORMAT,
            "key": key,
            "split": split.digest(),
            "reading": self._reading,
            **result,
        }
        record["data"] = {**result["data"], **self._data}
        if self.out is not None:
            self._write_split(self.out, split)
            write_record(self.out / folder, record)
        self.unfinished.end(key)
        return record

    def _write_split(self, out: Path, split: Split) -> None:
        """Make sure that a split's file is there; of very many rows it takes seconds to write."""
        digest = split.digest()
        if digest not in self._whole:
            write_split(out, self._splits.tasks, split)
            self._whole.add(digest)


def _by_key(folder: Path, *, trials: bool = False) -> dict[str, Record]:
    return {record["key"]: record for record in read_records(folder, trials=trials)}


def _runs(records: Iterable[Record]) -> dict[tuple[float, int], None]:
    """The training fractions and seeds that records are of, each pair once."""
    pairs = [(record["settings"]["fraction"], record["settings"]["seed"]) for record in records]
    return dict.fromkeys(pairs)
