"""``auto``: what a portfolio of methods says together, weighed by what it said of rows held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softshare import methods
from softshare.methods.method import Learned, Method, Options, Range

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Auto(Method):
    """A portfolio, cross-fitted and weighed.

    Args:
        portfolio: the methods that it may weigh; those that do not suit the tasks are left out.
        pooled: the one of them that every choice starts with.
        apart: the one that tasks keep which everything joint would hurt.
    """

    portfolio: tuple[Method, ...]
    pooled: Method
    apart: Method
    name: str = "auto"
    shares: str = "what a portfolio of methods shares, weighed on rows held out"
    paper: str = "Wolpert 1992 (stacking)"
    default: bool = True
    options: Options = field(default_factory=dict)
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`; validation examples are not needed and not used."""
        return methods.stacked.stack_methods(self, self._members(train), train, settings)

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`."""
        return methods.plain_entries.not_alike(tasks)

    def _members(self, tasks: TaskSet) -> Sequence[Method]:
        return [method for method in self.portfolio if method.unsuitable(tasks) is None]
