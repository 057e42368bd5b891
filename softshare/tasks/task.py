"""One prediction problem: its name, its kind and how many outputs it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["binary", "multiclass", "regression"]
TaskName = str | tuple[str, ...]

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Task:
    """One prediction problem.

    Args:
        name: what the task is called; a tuple where tasks are indexed by several factors
            (aspect, customer), one string a factor.
        kind: ``"binary"`` (one logit, target 0 or 1), ``"multiclass"`` (one logit a class,
            target the number of the class) or ``"regression"`` (one number).
        n_outputs: width of the task's output; 1 unless the task is multiclass.
        classes: the names of the classes in the order of their numbers; empty for regression.

    Raises:
        TypeError: the name is neither text nor a tuple of texts.
        ValueError: the kind is unknown, or ``n_outputs`` does not fit it.
    """

    name: TaskName
    kind: Kind
    n_outputs: int = 1
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = self.name if isinstance(self.name, tuple) else (self.name,)
        if not all(isinstance(part, str) for part in parts):
            raise TypeError(f"a task's name must be text or a tuple of texts, got {self.name!r}")
        if self.kind not in KINDS:
            raise ValueError(
                f"task {self.label!r}: kind must be one of {', '.join(KINDS)}, not {self.kind!r}"
            )
        if self.kind == "multiclass" and self.n_outputs < 2:
            raise ValueError(
                f"task {self.label!r}: a multiclass task needs n_outputs >= 2, got {self.n_outputs}"
            )
        if self.kind != "multiclass" and self.n_outputs != 1:
            raise ValueError(
                f"task {self.label!r}: a {self.kind} task has n_outputs = 1, got {self.n_outputs}"
            )

    @property
    def label(self) -> str:
        """The name as one string, the factors of a tuple joined by `` / ``."""
        return label_of(self.name)


def label_of(name: TaskName) -> str:
    """A task's name as one string, the factors of a tuple joined by `` / ``."""
    return " / ".join(name) if isinstance(name, tuple) else str(name)


def no_such_task(name: TaskName, tasks: Sequence[Task]) -> KeyError:
    """The error of asking for a task that is not among these; names the first ten."""
    known = ", ".join(task.label for task in tasks[:10])
    more = ", …" if len(tasks) > 10 else ""
    return KeyError(f"no task {name!r}; the tasks are {known}{more}")
