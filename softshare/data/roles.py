"""What the columns of a table are for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from glob import has_magic
from typing import Any, Self

import numpy as np
import pandas as pd

from softshare.data.names import near
from softshare.data.table_file import numbers_where_meant
from softshare.tasks.arguments import ArgumentError, Problem
from softshare.tasks.splits import PARTS
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet

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
    """

    of: Mapping[str, tuple[str, ...]]
    kinds: Mapping[str, Kind] | Kind | None = None

    @classmethod
    def given(
        cls, kinds: Mapping[str, Kind] | Kind | None, **columns: str | Sequence[str] | None
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
        return cls(of, kinds)

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

    def tasks(self, frame: pd.DataFrame, inputs: Any) -> TaskSet:
        """The tasks that these columns pose on inputs, one a row of the frame.

        Raises:
            ValueError: the columns' values do not fit their use.
        """
        targets = {name: numbers_where_meant(frame[name]) for name in self.of["target"]}
        kinds = (
            self.kinds
            if isinstance(self.kinds, Mapping)
            else {}
            if self.kinds is None
            else dict.fromkeys(targets, self.kinds)
        )
        groups = next((groups_of(frame[name]) for name in self.of["group"]), None)
        parts = next((_parts(frame[name]) for name in self.of["split"]), None)
        if not self.of["task"]:
            return TaskSet.from_shared_inputs(
                inputs,
                targets,
                kinds=kinds,
                groups=groups,
                parts=parts,
            )
        if len(targets) > 1:
            return self._crossed(frame, inputs, targets, kinds, groups, parts)
        ((name, values),) = targets.items()
        task = frame[list(self.of["task"])]
        tasks = TaskSet.from_task_column(
            inputs,
            values,
            task,
            kind=kinds.get(name),
            groups=groups,
            parts=parts,
        )
        unlabelled = int(values.isna().sum())
        return (
            replace(tasks, notes=(f"{unlabelled} row(s) without a value of {name!r} are left out",))
            if unlabelled
            else tasks
        )

    def _crossed(
        self,
        frame: pd.DataFrame,
        inputs: Any,
        targets: Mapping[str, pd.Series],
        kinds: Any,
        groups: Any,
        parts: Any,
    ) -> TaskSet:
        """Tasks of a task column and several targets."""
        return TaskSet.from_task_column(
            inputs,
            targets,
            frame[list(self.of["task"])],
            kind={name: kind for name, kind in kinds.items() if kind is not None},
            groups=groups,
            parts=parts,
        )


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
    empty = column.isna()
    if empty.any():
        rows = f"{int(empty.sum())} row(s), the first is row {int(empty.argmax()) + 1}"
        raise ArgumentError(("group", f"column {column.name!r} is empty in {rows}"))
    return column.to_numpy()


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
