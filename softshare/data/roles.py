"""What the columns of a table are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import has_magic
from typing import Any, Self, get_args

import numpy as np
import pandas as pd

from softshare.data.names import near
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.asking import NOTHING_SAID, Asking
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.levels import Levels
from softshare.tasks.name_columns import read_names
from softshare.tasks.reading import EXAMPLES, Asked, Reading
from softshare.tasks.splits import PARTS
from softshare.tasks.table_use import TableUse
from softshare.tasks.target_reading import read_target
from softshare.tasks.target_values import TargetReading
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet
from softshare.tasks.weights import read_weights

_PARTS = {part: part for part in PARTS} | {
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
}


@dataclass(frozen=True)
class Roles:
    """Which columns name the task, hold the targets and so on;
    :func:`softshare.data.table.read_table` says what each is.

    Args:
        of: role → its columns.
        kinds: the kind of every target, or target column → kind.
        positive: the positive class of binary targets, where that was said.
        asking: what was said of how to read the table.
    """

    of: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, Kind] | Kind | None = None
    positive: str | None = None
    asking: Asking = NOTHING_SAID

    @classmethod
    def given(
        cls,
        kinds: Mapping[str, Kind] | Kind | None,
        *,
        positive: str | None = None,
        asking: Asking = NOTHING_SAID,
        **columns: str | Sequence[str] | None,
    ) -> Self:
        """From columns as they are passed: one, several or none.

        Raises:
            ArgumentError: what is passed is no text, nor several.
        """
        of, wrong = {}, []
        for role, names in columns.items():
            if _are_names(names):
                of[role] = _listed(names)
            else:
                wrong.append((role, f"must be a column's name or a list of names, got {names!r}"))
        if wrong:
            raise ArgumentError(*wrong)
        return cls(of, kinds, positive, asking)

    @property
    def columns(self) -> list[str]:
        """All columns with a use other than as input."""
        return [name for names in self.of.values() for name in names]

    def among(self, columns: Sequence[str]) -> Roles:
        """The same uses, with patterns such as ``tox_*`` replaced by the columns they match."""
        of = {}
        for role, names in self.of.items():
            of[role] = tuple(
                dict.fromkeys(match for name in names for match in _matching(name, columns))
            )
        kinds = self.kinds
        if isinstance(kinds, Mapping):
            kinds = {
                match: kind
                for name, kind in kinds.items()
                for match in _matching(name, of["target"])
            }
        return replace(self, of=of, kinds=kinds)

    @property
    def needed(self) -> list[str]:
        """The columns with a use, without those that are left out."""
        return [name for name in self.columns if name not in self.of.get("drop", ())]

    @property
    def of_inputs(self) -> Asking:
        """What was said of how to read the inputs, those that are left out among them."""
        dropped: dict[str, Any] = dict.fromkeys(self.of.get("drop", ()), "drop")
        return replace(self.asking, columns={**self.asking.columns, **dropped})

    def check(self, columns: Sequence[str], *, inputs_left: bool = True) -> None:
        """Report all that is wrong with the columns named, together.

        Args:
            columns: of the table.
            inputs_left: whether a column without another use must be left.

        Raises:
            ValueError: a column does not exist or has two uses, there is no target,
                or a kind names none.
        """
        errors: list[Problem] = []
        for role, names in self.of.items():
            strange = [name for name in names if name not in columns]
            errors += [(role, f"no column {name!r}, {near(name, columns)}") for name in strange]
        used = self.columns
        for name in dict.fromkeys(name for name in used if used.count(name) > 1):
            uses = ", ".join(
                role for role, names in self.of.items() for other in names if other == name
            )
            errors.append((f"column {name!r}", f"has several uses ({uses}); it can have one"))
        if not self.of["target"]:
            errors.append(("target", "name at least one column to predict"))
        errors += self._wrongly_asked(columns)
        if not errors and inputs_left and len(used) == len(columns):
            errors.append(("table", f"no column is left as input, it has {', '.join(columns)}"))
        if not errors and isinstance(self.kinds, Mapping):
            unknown = [
                f"{name!r} is no target, {near(name, self.of['target'])}"
                for name in self.kinds
                if name not in self.of["target"]
            ]
            if unknown:
                errors.append(("kinds", "; ".join(unknown)))
        if errors:
            raise ArgumentError(*errors)

    def _wrongly_asked(self, columns: Sequence[str]) -> list[Problem]:
        """What is wrong with how columns are asked to be read."""
        errors: list[Problem] = []
        for name, how in self.asking.columns.items():
            if name not in columns:
                errors.append(("columns", f"no column {name!r}, {near(name, columns)}"))
            elif how not in get_args(Asked):
                told = f"{name!r} can be {', '.join(get_args(Asked))}, not {how!r}"
                errors.append(("columns", told))
        return errors

    def tasks(self, frame: pd.DataFrame, inputs: Any) -> TaskSet:
        """The tasks that these columns pose on inputs, one a row of the frame.

        Raises:
            ValueError: the columns' values do not fit their use.
        """
        read = self._read_targets(frame)
        targets = {name: reading.values for name, reading in read.items()}
        notes = [note for reading in read.values() for note in reading.notes]
        for of_input in getattr(inputs, "readings", ()):
            notes += of_input.cautions
        given = {name: self._kind_of(name) for name in targets}
        kinds = {name: kind for name, kind in given.items() if kind is not None}
        if isinstance(inputs, EncodedColumns):
            inputs = replace(inputs, readings=(*self._readings(frame, read), *inputs.readings))
        groups = next((groups_of(frame[name]) for name in self.of["group"]), None)
        parts = next((_parts(frame[name]) for name in self.of["split"]), None)
        weights = None
        for name in self.of.get("weight", ()):
            weights = read_weights(frame[name], self.asking)
            notes.append(f"rows count as column {name!r} says, in training and in metrics")
        if not self.of["task"]:
            made = TaskSet.from_shared_inputs(
                inputs,
                targets,
                kinds=kinds,
                groups=groups,
                parts=parts,
                weights=weights,
            )
            return replace(made, notes=(*notes, *made.notes), table=self._use(read))
        factors = {}
        for factor in self.of["task"]:
            factors[factor], of_names = read_names(frame[factor], self.asking)
            notes += of_names
        several = len(targets) > 1
        ((name, values),) = list(targets.items())[:1]
        tasks = TaskSet.from_task_column(
            inputs,
            targets if several else values,
            pd.DataFrame(factors),
            kind=kinds if several else kinds.get(name),
            groups=groups,
            parts=parts,
            weights=weights,
        )
        unlabelled = int(values.isna().sum())
        if unlabelled and not several:
            notes.insert(0, f"{unlabelled} row(s) without a value of {name!r} are left out")
        return replace(tasks, notes=(*notes, *tasks.notes), table=self._use(read))

    def _use(self, targets: Mapping[str, TargetReading]) -> TableUse:
        """What new rows of the same columns are read by."""
        written = {name: read.written for name, read in targets.items() if read.written}
        weight = self.of.get("weight", ())
        return TableUse(self.of["task"], self.of["target"], self.asking, weight, written)

    def _kind_of(self, target: str) -> Kind | None:
        """The kind that is given for a target, or for all."""
        return self.kinds.get(target) if isinstance(self.kinds, Mapping) else self.kinds

    def _read_targets(self, frame: pd.DataFrame) -> dict[str, TargetReading]:
        """Every target's values, and how they were read."""
        read: dict[str, TargetReading] = {}
        for name in self.of["target"]:
            read[name] = read_target(
                frame[name],
                kind=self._kind_of(name),
                positive=self.positive,
                asking=self.asking,
                is_one_of_several=len(self.of["target"]) > 1,
            )
        return read

    def _readings(self, frame: pd.DataFrame, targets: Mapping[str, TargetReading]) -> list[Reading]:
        """How the columns with another use than as input are shown beside these."""
        readings = []
        for role, names in self.of.items():
            for name in names:
                if role == "drop":
                    continue
                levels = Levels.of(frame[name])
                why = f"{targets[name].why}" if role == "target" else ""
                readings.append(
                    Reading(
                        name,
                        "role",
                        f"the {role}: {why}" if why else f"the {role}",
                        examples=tuple(levels.first_texts(EXAMPLES)),
                        n_values=len(levels.values),
                        n_missing=int((levels.codes < 0).sum()),
                    )
                )
        return readings


def _matching(name: str, columns: Sequence[str]) -> list[str]:
    """The columns that a name or pattern means; the name itself where there is none."""
    if name in columns or not has_magic(name):
        return [name]
    return [column for column in columns if fnmatchcase(column, name)] or [name]


def _are_names(names: object) -> bool:
    if names is None or isinstance(names, str):
        return True
    if not isinstance(names, Iterable):
        return False
    return all(isinstance(name, str) for name in names)


def _listed(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)


@contextmanager
def about(table: Any) -> Iterator[None]:
    """Lets errors name the file whose content does not fit, where they do not name it yet."""
    try:
        yield
    except ValueError as error:
        if isinstance(table, pd.DataFrame) or str(table) in str(error):
            raise
        if isinstance(error, ArgumentError):
            raise ArgumentError(*error.problems, about=str(table)) from None
        raise ValueError(f"{table}: {error}") from None


def groups_of(column: pd.Series) -> np.ndarray:
    """The group of every row.

    Raises:
        ValueError: a row has none.
    """
    levels = Levels.of(column)
    empty = levels.codes < 0
    if empty.any():
        rows = f"{int(empty.sum())} row(s), the first is row {int(empty.argmax()) + 1}"
        raise ArgumentError(("group", f"column {column.name!r} is empty in {rows}"))
    return np.array(levels.texts, dtype=object)[levels.codes]


def _parts(column: pd.Series) -> np.ndarray:
    words = column.astype(str).str.strip().str.lower()
    parts = words.map(_PARTS)
    if parts.isna().any():
        row = int(parts.isna().argmax())
        found = f"found {column[row]!r} in row {row + 1}"
        raise ArgumentError(
            ("split", f"column {column.name!r} must say {', '.join(PARTS)}, {found}")
        )
    absent = {"train", "test"} - set(parts)
    if absent:
        lacking = " and ".join(sorted(absent))
        raise ArgumentError(("split", f"column {column.name!r} names no row for {lacking}"))
    return parts.to_numpy(dtype=object)
