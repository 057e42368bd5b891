"""What a user has happen beside the steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.training.history import Row
from softshare.training.objective import Loss
from softshare.training.training_parts import Stateful


@runtime_checkable
class BeforeStep(Protocol):
    """Called when every parameter has its gradient, before the optimizer uses them."""

    def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
        """``step`` counts from 1. Gradients may be read, and changed in place."""
        ...


@runtime_checkable
class AfterStep(Protocol):
    """Called after every step; says whether to stop."""

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        """``step`` counts from 1; True ends the training."""
        ...


@runtime_checkable
class AfterEvaluation(Protocol):
    """Called when a row of history is there."""

    def after_evaluation(self, network: MultiTaskNetwork, row: Row) -> None:
        """See :class:`~softshare.training.history.History` for what a row holds."""
        ...


Callback = BeforeStep | AfterStep | AfterEvaluation
"""An object with one of these methods, or several.

What it keeps over training goes on with it where it has ``state_dict()`` and ``load_state_dict()``.
"""


class Callbacks:
    """The callbacks of a training, called together.

    Args:
        given: the callbacks, in the order in which they are called.
    """

    def __init__(self, given: Sequence[Callback]) -> None:
        self._before = [each for each in given if isinstance(each, BeforeStep)]
        self._after = [each for each in given if isinstance(each, AfterStep)]
        self._evaluated = [each for each in given if isinstance(each, AfterEvaluation)]
        self._stateful = [each for each in given if isinstance(each, Stateful)]

    def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
        """See :class:`BeforeStep`."""
        for callback in self._before:
            callback.before_step(network, step, loss)

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        """See :class:`AfterStep`; each is called, also after one that ends the training."""
        ends = [callback.after_step(network, step, loss) for callback in self._after]
        return any(ends)

    def after_evaluation(self, network: MultiTaskNetwork, row: Row) -> None:
        """See :class:`AfterEvaluation`."""
        for callback in self._evaluated:
            callback.after_evaluation(network, row)

    @property
    def names(self) -> list[str]:
        """Of those that have a state, in their order."""
        return [type(callback).__qualname__ for callback in self._stateful]

    def state_dict(self) -> dict[str, Any]:
        """Of those that have one."""
        return {"states": [callback.state_dict() for callback in self._stateful]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let them go on."""
        for callback, own in zip(self._stateful, state["states"], strict=True):
            callback.load_state_dict(own)
