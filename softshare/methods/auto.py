"""``auto``: what a portfolio of methods says together, weighed by what it said of rows held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from softshare import methods
from softshare.methods.method import Learned, Method, Options, Range, State
from softshare.tasks.arguments import ArgumentError

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Auto(Method):
    """A portfolio, cross-fitted and weighed.

    Args:
        presets: name → the methods that it may weigh; those that do not suit the tasks are left
            out. The option ``preset`` names one, and ``time_limit`` the minutes of a run, 0 for
            as many as it takes.
        pooled: the one of them that every choice starts with.
        apart: the one that tasks keep which everything joint would hurt.
    """

    presets: Mapping[str, tuple[Method, ...]]
    pooled: Method
    apart: Method
    name: str = "auto"
    shares: str = "what a portfolio of methods shares, weighed on rows held out"
    paper: str = "Wolpert 1992 (stacking)"
    default: bool = True
    options: Options = field(default_factory=lambda: {"preset": "default", "time_limit": 0.0})
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`; validation examples are not needed and not used."""
        members = self._members(train, self.option(settings, "preset"))
        return methods.stacked.stack_methods(self, members, train, settings)

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """See :meth:`Method.restore`."""
        known = {method.name: method for members in self.presets.values() for method in members}
        return methods.stacked.restored_stack(known, state, tasks)

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`."""
        return methods.plain_entries.not_one_model(tasks)

    @property
    def takes_weights(self) -> bool:
        """See :attr:`Method.takes_weights`; members that do not are left out."""
        return True

    def misfit(self, option: str, value: Any) -> str | None:
        """See :meth:`Method.misfit`."""
        if option == "preset" and value not in self.presets:
            return f"one of {', '.join(self.presets)}"
        if option == "time_limit" and value < 0:
            return "minutes, or 0 for no limit"
        return None

    def _members(self, tasks: TaskSet, preset: str) -> Sequence[Method]:
        if wanted := self.misfit("preset", preset):
            raise ArgumentError(("options", f"auto.preset must be {wanted}, got {preset!r}"))
        members = [method for method in self.presets[preset] if method.unsuitable(tasks) is None]
        if tasks.weights is None:
            return members
        return [method for method in members if method.takes_weights]
