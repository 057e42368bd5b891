"""The contract of a sharing: a value that makes the parameters of the layers it is given.

A *layer* here is one weight of the template: its name, and its shape in the papers' mode order
without the task — ``(in, out)`` for Linear, ``(h, w, in, out)`` for Conv2d. The task axis is dim 0.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from softshare import sharing
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.weights.core import Core

if TYPE_CHECKING:
    from softshare.sharing.sum import Sum

AT_ONCE = 2**24
"""Elements that are squared in double precision at a time, in 134 megabytes."""


@dataclass(frozen=True)
class LayerShapes:
    """What a sharing is told of one layer.

    Args:
        shapes: the weight's shape for each task, modes in the papers' order; one entry where all
            tasks have the same.
        std: standard deviation that a weight's elements should have at the start, as the layer's
            own initialiser gave them: one number, or one for each of the shapes.
    """

    shapes: tuple[tuple[int, ...], ...]
    std: float | tuple[float, ...] = 1.0

    @property
    def stds(self) -> tuple[float, ...]:
        """The standard deviation for each of the shapes."""
        if isinstance(self.std, tuple):
            return self.std
        return (self.std,) * len(self.shapes)

    def common(self, layer: str, sharing: str) -> tuple[int, ...]:
        """The one shape that all tasks have.

        Raises:
            ValueError: tasks have different shapes.
        """
        found = set(self.shapes)
        if len(found) > 1:
            raise ValueError(
                f"layer {layer!r}: {sharing} needs one shape for all tasks, found "
                f"{sorted(found)}; leave this layer independent (ss.Independent())"
            )
        return self.shapes[0]


class SharedWeight(nn.Module, ABC):
    """The parameters behind one layer's weight in all ``T`` tasks.

    Parameters whose dim 0 is the task are named by :meth:`task_parameters`; all others are shared.
    """

    n_tasks: int

    regularises: bool = False
    """Whether :meth:`penalty` adds something to the losses; one that does not is never asked."""

    takes_variance: bool = False
    """Whether the penalty is a prior whose variance a sum can set: :meth:`prior_penalty`."""

    updates: bool = False
    """Whether :meth:`after_step` does something; else it is never called."""

    sparse_rows: bool = False
    """Whether gradients of the tasks' own parameters are sparse, with the rows of the batch's tasks
    alone; never for an added row.
    """

    @abstractmethod
    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        """The composed weights.

        Args:
            tasks: numbers of the tasks wanted, ``(k,)``; all when None. They must have one shape.

        Shape:
            ``(k, *weight)``, or ``(T, *weight)``.
        """

    def of(self, task: int) -> Tensor:
        """One task's weight, in the papers' mode order."""
        device = next(self.parameters()).device
        number = torch.tensor([task], device=device)
        return self.stacked(number)[0]

    def padded(self, tasks: Tensor | None = None) -> Tensor:
        """:meth:`stacked`, weights of different shapes filled up with zeros at the end of each
        mode.
        """
        return self.stacked(tasks)

    def contraction(self, tasks: Tensor | None = None) -> tuple[str, list[Tensor]] | None:
        """The weight as an unevaluated tensor network, so that the layer's input can join it.

        Returns:
            An einsum equation whose output is ``t`` followed by the weight's own modes, and its
            operands (rows of the wanted tasks only); ``t`` marks the task axis, and an equation
            with no operand that carries ``t`` is a weight all tasks share. None where only
            :meth:`stacked` will do.
        """
        return None

    def penalty(self, examples: Tensor) -> Tensor:
        """What the sharing adds to the sum of the tasks' mean losses; 0 unless it regularises.

        Args:
            examples: training examples of every task, ``(T,)``: what each mean loss is a mean over.

        Shape:
            ``()``.
        """
        return torch.zeros((), device=examples.device)

    def prior_penalty(self, examples: Tensor, variance: Tensor) -> Tensor:
        """:meth:`penalty` where an element's variance is to be this on average, ``()``, up to what
        does not depend on the weights.
        """
        raise ValueError("its prior has no variance to set")

    def after_step(self) -> None:
        """Closed-form updates after each optimiser step; nothing unless the sharing has some."""

    @abstractmethod
    def task_parameters(self) -> list[str]:
        """Names of the parameters whose dim 0 is the task; rows that :meth:`with_task` added apart
        come after the others'.
        """

    def sparse_parameters(self) -> list[str]:
        """Names of the parameters whose gradients hold only rows of the batch's tasks: none unless
        :attr:`sparse_rows`; rows that several tasks have in common are among them.
        """
        return []

    def own_values(self, task: int) -> list[Tensor]:
        """Views of all that is this task's own: its row of each of :meth:`task_parameters`."""
        values = []
        for name in self.task_parameters():
            rows = self.get_parameter(name).detach()
            values.append(rows[task])
        return values

    @property
    def shares_nothing(self) -> bool:
        """Whether every parameter serves one task alone, and no penalty joins them."""
        names = {name for name, _ in self.named_parameters()}
        return not self.regularises and names <= set(self.task_parameters())

    @abstractmethod
    def task_vectors(self) -> Tensor:
        """What is each task's own, as one row a task: ``(T, K)``; ``(T, 0)`` where nothing is."""

    def task_correlation(self) -> Tensor | None:
        """How the tasks' weights are correlated, where the sharing learns that: ``(T, T)``, 1 on
        the diagonal; else None.
        """
        return None

    @abstractmethod
    def independent_parameters(self) -> int:
        """How many parameters the tasks would have with a weight of their own each."""

    def with_task(self, start: Tensor) -> SharedWeight:
        """The same weight with one more task, the last, whose own parameters are all that can still
        be trained.

        Args:
            start: a weight of the new task's shape, from which it starts where its own parameters
                are the whole weight.

        Raises:
            ValueError: the tasks have nothing in common on which a new one could build, or not in
                this shape.
        """
        raise ValueError(
            "its sharing takes no new task: the tasks have no parts in common on which one "
            "could build"
        )

    @torch.no_grad()
    def scale(self, multiple: Tensor | float) -> None:
        """Multiply every task's weight by a number, by one factor that is the tasks' own: of zero,
        gradients still reach it.

        Raises:
            ValueError: nothing is the tasks' own.
        """
        for task in range(self.n_tasks):
            values = self.own_values(task)
            if not values:
                raise ValueError("tasks have nothing of their own here that could start at zero")
            values[0].mul_(multiple)

    def take_mean(self) -> Tensor | None:
        """Take the tasks' mean out of what is their own.

        Returns:
            The weight that each task's has lost, ``(*weight)``; None where that cannot be, and
            nothing has changed.
        """
        return None

    def add_to_all(self, value: Tensor) -> bool:
        """Add a weight ``(*weight)`` to every task's; False where that cannot be, and nothing has
        changed.
        """
        return False

    @property
    def terms(self) -> tuple[SharedWeight, ...]:
        """The weights whose sum this one is: itself, unless it is a sum."""
        return (self,)

    def leave_given(self) -> None:
        """Take out of training what was given and is not to be trained: all of it, unless something
        is learned beside it.
        """
        self.requires_grad_(False)

    def ranks(self) -> tuple[int, ...]:
        """The ranks of a factorisation, in the paper's order; empty where there are none."""
        return ()

    def ring_cores(self) -> Sequence[Core]:
        """The cores of a ring, shared ones and the tasks' own; none where it is no ring."""
        return ()

    @property
    def cores_in_common(self) -> Sequence[int]:
        """Numbers of the cores of a ring that tasks share or could share."""
        return ()


class Sharing(ABC):
    """How the tasks' copies of some layers' weights are shared. A frozen value: it holds settings,
    no parameters.

    It is called once for the whole group of layers it is given.
    """

    @property
    def ties_bias(self) -> bool:
        """Whether biases and norm parameters of the group's layers are one for all tasks."""
        return False

    @property
    def of_biases(self) -> Sharing | None:
        """How biases and norm parameters of the group's layers are shared; each task's own if
        None.
        """
        return None

    @property
    def is_one_for_all(self) -> bool:
        """Whether all tasks have the same weight."""
        return False

    @property
    def learns_beside_frozen(self) -> bool:
        """Whether it leaves a layer's frozen values as they are and learns something beside
        them.
        """
        return False

    @property
    def joins_tasks(self) -> bool:
        """Whether anything in one task's weights depends on the others'."""
        return True

    @property
    def orders_layers(self) -> bool:
        """Whether it is for the scales of a :class:`~softshare.SoftOrdering` alone, which it sets,
        and for no weights.
        """
        return False

    def truncated(self, epsilon: float) -> Sharing:
        """The same sharing with the ranks that trained weights need to be kept within a relative
        error; itself where it has no ranks to cut.
        """
        return self

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        """The same sharing for tasks of these names: with an axis for each factor, if tuples index
        them and it can use that.

        Raises:
            ValueError: the names span no grid, and the sharing would use one.
        """
        return self

    @abstractmethod
    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        """Parameters for a random start, with composed weights of the layers' standard deviation.

        Nothing of size tasks × layer is made unless the sharing itself has as many parameters.

        Raises:
            ValueError: a setting cannot apply to a layer; the message names the layer and what is
                allowed.
        """

    @abstractmethod
    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """Parameters that reproduce trained weights as nearly as the sharing can.

        Args:
            stacks: layer name → the tasks' weights ``(T, *weight)``, or a list of ``T`` tensors
                where their shapes differ.

        Raises:
            ValueError: a setting cannot apply to a layer; the message names the layer and what is
                allowed.
        """

    def start(
        self,
        stacks: Mapping[str, Sequence[Tensor] | Tensor],
        streams: RandomStreams,
        *,
        examples: Sequence[float] | None = None,
    ) -> dict[str, SharedWeight]:
        """:meth:`share`, with what else a start from values may need.

        Args:
            stacks: as for :meth:`share`.
            streams: random numbers for parts that the values say nothing of.
            examples: of every task, behind its weights, ``(T,)``; equally many when None.
        """
        return self.share(stacks)

    def __add__(self, own: Sharing) -> Sum:
        """What all tasks have in common, and each task's own small part beside it."""
        if not isinstance(own, Sharing):
            return NotImplemented
        return sharing.sum.Sum(self, own)


def common_stack(
    stack: Sequence[Tensor] | Tensor,
    layer: str,
    sharing: str,
) -> Tensor:
    """The tasks' weights of one layer as one tensor ``(T, *weight)``.

    Raises:
        ValueError: the weights differ in shape.
    """
    if isinstance(stack, Tensor):
        return stack
    shapes = tuple(tuple(weight.shape) for weight in stack)
    LayerShapes(shapes).common(layer, sharing)
    return torch.stack(list(stack))


def root_mean_square(values: Tensor) -> float:
    """``sqrt(mean(values²))``: the scale of a tensor's elements."""
    values = values.detach()
    if values.numel() <= AT_ONCE:
        squares = values.double().square()
        return math.sqrt(float(squares.mean()))
    total = 0.0
    rows_at_once = max(AT_ONCE * len(values) // values.numel(), 1)
    for part in values.split(rows_at_once):
        squares = part.double().square()
        total += float(squares.sum())
    return math.sqrt(total / values.numel())
