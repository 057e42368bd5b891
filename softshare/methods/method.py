"""What a named recipe is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.network.templates.standard import TemplateFactory
    from softshare.sharing.base import Sharing
    from softshare.tasks.task_set import TaskSet

Options = Mapping[str, Any]
Range = tuple[float, float, str] | tuple[Any, ...]
"""What a search may choose from: ``(low, high, "log" | "linear" | "int")``, or a tuple of choices.
"""

COMMON_SEARCH_SPACE: Mapping[str, Range] = {
    "learning_rate": (3e-4, 1e-2, "log"),
    "weight_decay": (1e-6, 1e-2, "log"),
}
"""What every method's search tunes, the baseline's included."""

CROSS_VALIDATED = "cv"
"""The value of an option that is to be chosen by cross-validation on the training part."""


def _suits_any(tasks: TaskSet) -> str | None:
    return None


@dataclass(frozen=True)
class Method:
    """A way to learn several tasks, from the sharing to the start.

    Args:
        name: what ``--methods`` calls it.
        shares: what it shares, in a few words.
        paper: where it comes from.
        sharing: (names of the layers, the last the output layer; options) → layer-name pattern →
            sharing.
        options: the method's own settings and their defaults, found on validation data. ``apart``
            is the share of the steps in which all tasks are first trained apart from common initial
            weights (the STL start;
            0: a random start).
        initial: ``"common"`` — all tasks start from one draw of initial weights, the same as with
            every other method; or ``"independent"`` — each from its own.
        rates: parameter-name pattern → the multiple of the learning rate that these parameters get
            (see :func:`softshare.training.fit.parameter_groups`).
        template: (shape of an input, widths of the hidden layers, options) → the network of each
            task; the usual one when None.
        decide: (this method, settings, prepared training part) → the settings with what the
            training part decides, such as options that are :data:`CROSS_VALIDATED`; nothing when
            None.
        cross_validated: options that can be :data:`CROSS_VALIDATED`.
        search_space: what a search may choose for the options.
        applies_to: why the method cannot apply to a task set, or None where it can.
        default: whether ``compare`` runs it unless told which methods to run.
    """

    name: str
    shares: str
    paper: str
    sharing: Callable[[Sequence[str], Options], Mapping[str, Sharing]]
    options: Options = field(default_factory=dict)
    initial: Literal["common", "independent"] = "common"
    rates: Mapping[str, float] = field(default_factory=dict)
    template: Callable[[Sequence[int], Sequence[int], Options], TemplateFactory] | None = None
    decide: Callable[[Method, RunSettings, TaskSet], RunSettings] | None = None
    cross_validated: tuple[str, ...] = ()
    search_space: Mapping[str, Range] = field(default_factory=dict)
    applies_to: Callable[[TaskSet], str | None] = _suits_any
    default: bool = True
