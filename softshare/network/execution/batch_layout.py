"""How several tasks' batches lie while one forward runs on all of them, and what every layer in all
tasks has.

Two tasks a, b with three rows each, and the three ways in which these may lie::

    folded  (k·B, …)     apart  (k, B, …)        one copy  (B, …)
      a0                   a:  a0 a1 a2            x0    rows that both tasks see,
      a1                   b:  b0 b1 b2            x1    while nothing of a task's own
      a2                                           x2    has touched them
      b0
      b1
      b2

Folded is what a template's own forward sees. Apart is folded with another view: no element moves.
One copy becomes folded by :meth:`BatchLayout.expand`, which copies; the later, the cheaper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from softshare.network.execution.noise import TaskNoise
from softshare.network.execution.observed import Observed
from softshare.network.execution.plan import Decision
from softshare.network.layers import Parameter
from softshare.sharing.base import SharedWeight

Sources = Mapping[str, tuple[Parameter, SharedWeight]]
"""Parameter name in a layer → its place in the template, and the shared weight behind it."""


class BatchLayout:
    """How the batch that is being run lies: folded ``(k·B, …)``, the k batches one after the other,
    unless a flag says otherwise.

    Attributes:
        tasks: the tasks' numbers ``(k,)``, or None for all.
        n_tasks: k.
        one_copy: while all tasks still see one copy of the same rows ``(B, …)``.
        apart: while the tasks have a dimension of their own, ``(k, B, …)``.
        in_chain: whether the network is a plain chain of layers: what one makes, only the next
            sees, and it may lie apart.
        decisions: where layers write how they run, or None.
        observed: where layers whose weights are sums hand out what they see, or None.
        noise: the tasks' random streams.
        in_pass: whether the batch is being run; what runs a layer later, as activation
            checkpointing does, finds another one here.
    """

    def __init__(self, noise: TaskNoise) -> None:
        self.noise = noise
        self.tasks: Tensor | None = None
        self.n_tasks = 1
        self.one_copy = False
        self.apart = False
        self.in_chain = False
        self.decisions: list[Decision] | None = None
        self.observed: list[Observed] | None = None
        self.in_pass = True

    def join(self, x: Tensor) -> Tensor:
        """The tasks' rows in dim 0, whether each has its own or all see one copy.

        Raises:
            RuntimeError: no batch is being run.
        """
        if not self.in_pass:
            raise RuntimeError(
                "a layer of a MultiTaskNetwork ran outside of the network's own pass, "
                "where nothing tells whose rows these are; "
                "activation checkpointing (torch.utils.checkpoint) in a template does "
                "that: take it out"
            )
        if not self.apart:
            return x
        self.apart = False
        return x.flatten(0, 1)

    def expand(self, x: Tensor) -> Tensor:
        """Folded rows, a copy for each task where there was one for all: ``(k·B, …)``."""
        if not self.one_copy:
            return self.join(x)
        self.one_copy = False
        return x.expand(self.n_tasks, *x.shape).flatten(0, 1)

    def separate(self, x: Tensor) -> Tensor:
        """Each task's rows, ``(k, B, …)``; what a layer makes of them, :meth:`leave` hands on."""
        if self.apart:
            return x
        return self.unfold(self.expand(x))

    def leave(self, y: Tensor) -> Tensor:
        """What a layer has made, ``(k, B, …)``: apart, which spares the next layer the unfolding,
        where only that sees it.
        """
        self.one_copy = False
        self.apart = self.in_chain
        return y if self.in_chain else y.flatten(0, 1)

    def unfold(self, x: Tensor) -> Tensor:
        """``(k·B, …)`` → ``(k, B, …)``."""
        return x.view(self.n_tasks, x.shape[0] // self.n_tasks, *x.shape[1:])


class TaskLayer(nn.Module):
    """A layer with parameters, in all tasks at once.

    Args:
        parameters: see :data:`Sources`.
        layout: how the running batch lies.

    Attributes:
        is_shared: whether all tasks have the same values of all parameters.
    """

    def __init__(self, parameters: Sources, layout: BatchLayout) -> None:
        super().__init__()
        # In a plain dict: the weights are registered once, by the network, and not again here.
        self._sources = dict(parameters)
        self._layout = layout
        self._is_own = {
            name: not is_one_for_all(weight) for name, (_, weight) in parameters.items()
        }
        self._has_bias = "bias" in parameters
        self.is_shared = not any(self._is_own.values())

    @property
    def layer(self) -> str:
        """The layer's name in the template."""
        return next(parameter.path.rpartition(".")[0] for parameter, _ in self._sources.values())

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            raise AttributeError(
                f"a layer that runs in all tasks at once has no {name!r}: where a module's "
                "forward reads that of a layer inside it, set "
                "task_by_task = True in the module's class"
            ) from None

    def _one(self, name: str) -> Tensor:
        """The value that all tasks have, in PyTorch's axis order."""
        parameter, weight = self._sources[name]
        return parameter.to_torch(weight.of(0))

    def _stack(self, name: str) -> Tensor:
        """The tasks' values ``(k, …)`` in PyTorch's axis order, filled up with zeros where shapes
        differ.
        """
        parameter, weight = self._sources[name]
        return parameter.to_torch(weight.padded(self._layout.tasks))

    def _note(
        self,
        way: str,
        multiply_adds: int = 0,
        elements: int = 0,
        instead: str = "",
    ) -> None:
        """Write down how the layer runs, when asked to."""
        decisions = self._layout.decisions
        if decisions is not None:
            decision = Decision(self.layer, way, multiply_adds, elements, instead)
            decisions.append(decision)


def is_one_for_all(weight: SharedWeight) -> bool:
    """Whether all tasks have the same weight: no factor of it carries the task axis."""
    network = weight.contraction()
    if network is None:
        return False
    equation, _ = network
    factors, _, _ = equation.partition("->")
    return not any(term.startswith("t") for term in factors.split(","))
