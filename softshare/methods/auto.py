"""``auto``: what a portfolio of methods says together, weighed by what it said of rows held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from softshare import methods
from softshare.methods.method import Learned, Method, Options, Range, State
from softshare.methods.network_method import NetworkMethod
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
        of_same_rows: the same for tasks that see the same rows, such as several target columns: of
            these more than the linear model serves each task.
        pooled: the one of them that every choice starts with; where it does not suit the tasks, the
            one that learns apart.
        apart: the one that tasks keep which everything joint would hurt.
        alone: those that share nothing, and so serve a task that no other is like.
    """

    presets: Mapping[str, tuple[Method, ...]]
    of_same_rows: Mapping[str, tuple[Method, ...]]
    pooled: Method
    apart: Method
    alone: tuple[Method, ...]
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
        pieces = methods.pieces.forms(train)
        minutes = float(self.option(settings, "time_limit")) / len(pieces)
        own = settings.with_options(time_limit=minutes)

        def learn(alike: TaskSet) -> Learned:
            members = self._members(alike, self.option(settings, "preset"))
            return methods.stacked.stack_methods(self._for(alike), members, alike, own)

        return methods.pieces.learned_in_pieces(pieces, train, learn)

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """See :meth:`Method.restore`."""
        of_all = [*self.presets.values(), *self.of_same_rows.values()]
        known = {method.name: method for members in of_all for method in members}
        restore = partial(methods.stacked.restored_stack, known)
        return methods.pieces.restored_pieces(state, tasks, restore)

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`."""
        return self.apart.unsuitable(tasks)

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
        presets = self.of_same_rows if self.pooled.unsuitable(tasks) else self.presets
        members = [method for method in presets[preset] if method.unsuitable(tasks) is None]
        if len(tasks) == 1:
            members = [method for method in members if method in self.alone]
        if methods.plain_entries.not_alike(tasks) is not None:
            # Networks for images are not cross-fitted in a bearable time.
            members = [method for method in members if not isinstance(method, NetworkMethod)]
        if tasks.weights is None:
            return members
        return [method for method in members if method.takes_weights]

    def _for(self, tasks: TaskSet) -> Auto:
        """The same with a method to start from that suits the tasks."""
        if len(tasks) > 1 and self.pooled.unsuitable(tasks) is None:
            return self
        return replace(self, pooled=self.apart)
