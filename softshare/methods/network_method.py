"""A method that trains a multi-task network: what its recipe says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from softshare import methods
from softshare.methods.method import Learned, Method, Options, Range, State

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.network.templates.standard import TemplateFactory
    from softshare.sharing.base import Sharing
    from softshare.tasks.task_set import TaskSet

Sharings = Mapping[str, "Sharing"]
"""Layer-name pattern → sharing."""

COMMON_SEARCH_SPACE: Mapping[str, Range] = {
    "learning_rate": (3e-4, 1e-2, "log"),
    "weight_decay": (1e-2, 30.0, "log"),
}
"""What every network's search tunes, the baseline's included."""


def suits_any(tasks: TaskSet) -> str | None:
    """No objection to any tasks."""
    return None


@dataclass(frozen=True)
class NetworkMethod(Method):
    """A way to share the weights of the tasks' networks, from the sharing to the start.

    Args:
        name: what a list of methods calls it.
        shares: what it shares, in a few words.
        paper: where it comes from.
        sharing: (names of the layers, the last the output layer; options) → layer-name pattern →
            sharing.
        options: the method's own settings and their defaults, found on validation data. ``apart``
            is the fraction of the steps in which all tasks are first trained apart from common
            initial weights (the STL start; 0: a random start).
        initial: ``"common"`` — all tasks start from one draw of initial weights, the same as with
            every other method; or ``"independent"`` — each from its own.
        rates: parameter-name pattern → the multiple of the learning rate that these parameters get
            (see :func:`softshare.training.fit.parameter_groups`).
        template: (shape of an input, widths of the hidden layers, options) → the network of each
            task; the usual one when None.
        decide: (what makes and trains the method's networks, settings, prepared training part) →
            the settings with what the training part decides; nothing when None.
        cross_validated: options that can be :data:`~softshare.methods.method.CROSS_VALIDATED`.
        search_space: what a search may choose for the options.
        applies_to: why the method cannot apply to a task set, or None where it can.
        default: whether a comparison runs it unless told which methods to run.
        base: the linear model that networks for vectors stand on, one of
            :data:`softshare.methods.estimators.ESTIMATORS`: learning apart stands on one that does.
    """

    name: str
    shares: str
    paper: str
    sharing: Callable[[Sequence[str], Options], Sharings]
    options: Options = field(default_factory=dict)
    initial: Literal["common", "independent"] = "common"
    rates: Mapping[str, float] = field(default_factory=dict)
    template: Callable[[Sequence[int], Sequence[int], Options], TemplateFactory] | None = None
    decide: Callable[[Trainer, RunSettings, TaskSet], RunSettings] | None = None
    cross_validated: tuple[str, ...] = ()
    search_space: Mapping[str, Range] = field(default_factory=dict)
    applies_to: Callable[[TaskSet], str | None] = suits_any
    default: bool = True
    base: str = "pooled-ridge"

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`."""
        # Found when it is needed: a list of methods must not wait for torch.
        return methods.training.Trainer(self).learn(train, validation, settings, watch=watch)

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """See :meth:`Method.restore`."""
        return methods.restored.restored_networks(self, state, tasks)

    @property
    def takes_weights(self) -> bool:
        """See :attr:`Method.takes_weights`: losses are weighted means."""
        return True

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`."""
        return self.applies_to(tasks)

    def values(self, settings: RunSettings) -> dict[str, Any]:
        """All options in a run: the given ones in place of the defaults."""
        return {**self.options, **settings.method_options}
