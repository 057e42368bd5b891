"""A layer's input as one more operand of its weight's contraction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from torch import Tensor

from softshare.sharing.algebra.contraction import (
    ELEMENT,
    Order,
    Shapes,
    carry_out,
    cheapest_order,
)

TASK = "t"

BATCH = "nmpqrsuvwxyz"
"""Letters of the rows: the first that a weight's equation does not have."""


@dataclass(frozen=True)
class Count:
    """What a way costs.

    Args:
        multiply_adds: of the forward pass.
        elements: read and written, those put in another order included.
    """

    multiply_adds: int
    elements: int

    @property
    def cost(self) -> int:
        """What ways are compared by."""
        return self.multiply_adds + ELEMENT * self.elements


@dataclass(frozen=True)
class Joint:
    """The contraction of a weight's factors with a layer's input.

    Args:
        equation: with the input as the last operand.
        inputs: the modes into which a row's features are divided.
        n_outputs: how many modes the outputs have.
        order: the cheapest in which the input does not wait until the weight is composed.
        joining: what that costs.
        composing: what it costs to compose the weight and multiply by it then.
        composes_first: whether to compose the weight.
    """

    equation: str
    inputs: tuple[int, ...]
    n_outputs: int
    order: Order
    joining: Count
    composing: Count
    composes_first: bool


def joined(joint: Joint, factors: Sequence[Tensor], x: Tensor) -> Tensor:
    """What a layer makes of its input: ``(k, B, in)`` or ``(B, in)`` → ``(k, B, out)``, or ``(B,
    out)`` by a weight that all tasks have.
    """
    *rows, _n_in = x.shape
    if len(joint.inputs) > 1:
        x = x.reshape(*rows, *joint.inputs)
    y = carry_out(joint.order, [*factors, x])
    if joint.n_outputs == 1:
        return y
    return y.flatten(y.ndim - joint.n_outputs)


def joint_of(equation: str, factors: Shapes, x: Sequence[int]) -> Joint:
    """The contraction of a weight's factors with a layer's input, in its cheapest order.

    Args:
        equation: the weight's own: its output the task, the modes of the inputs and those of the
            outputs.
        factors: their shapes.
        x: the input's shape, ``(k, B, in)`` or ``(B, in)``.
    """
    return _joint(equation, tuple(factors), tuple(x))


# As of cheapest_order, which see: sizes are known when a graph is made.
joint_of._dynamo_marked_constant = True  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def _joint(equation: str, factors: Shapes, x: tuple[int, ...]) -> Joint:
    terms, _, output = equation.partition("->")
    size: dict[str, int] = {}
    for term, shape in zip(terms.split(","), factors, strict=True):
        size |= zip(term, shape, strict=True)
    modes = output.removeprefix(TASK)
    n_inputs = _n_inputs(modes, size, x[-1])
    inputs = tuple(size[letter] for letter in modes[:n_inputs])
    outputs = tuple(size[letter] for letter in modes[n_inputs:])
    joint = joint_equation(equation, len(x) == 2, n_inputs)
    shapes = (*factors, (*x[:-1], *inputs))
    order = cheapest_order(joint, shapes, last=False)
    joining = Count(order.multiply_adds, order.moved)
    composing = _composing(equation, factors, x, prod(outputs))
    return Joint(
        joint,
        inputs,
        len(outputs),
        order,
        joining=joining,
        composing=composing,
        composes_first=composing.cost <= joining.cost,
    )


def _composing(equation: str, factors: Shapes, x: tuple[int, ...], n_out: int) -> Count:
    """What it costs to compose the weight and multiply by it then."""
    terms, _, output = equation.partition("->")
    compose = cheapest_order(equation, factors)
    *_tasks, n_rows, n_in = x
    n_tasks = 1
    if output.startswith(TASK):
        own = zip(terms.split(","), factors, strict=True)
        n_tasks = next(shape[0] for term, shape in own if term.startswith(TASK))
    product = cheapest_order("tni,tio->tno", ((n_tasks, n_rows, n_in), (n_tasks, n_in, n_out)))
    return Count(
        compose.multiply_adds + product.multiply_adds,
        compose.moved + product.elements,
    )


def joint_equation(equation: str, one_input: bool, n_inputs: int = 1) -> str:
    """The equation of a weight ``(t, in, out)`` with the layer's input as one more operand, its
    output ``(t, batch, out)``; without ``t`` where the weight has none.

    Args:
        equation: the weight's own, its output the task, the inputs' modes and the outputs'.
        one_input: whether the input has no task axis.
        n_inputs: how many modes are the inputs'.
    """
    factors, _, output = equation.partition("->")
    task = TASK if output.startswith(TASK) else ""
    modes = output.removeprefix(TASK)
    batch = next(letter for letter in BATCH if letter not in equation)
    of_x = "" if one_input else task
    inputs, outputs = modes[:n_inputs], modes[n_inputs:]
    return f"{factors},{of_x}{batch}{inputs}->{task}{batch}{outputs}"


def _n_inputs(modes: str, size: dict[str, int], n_in: int) -> int:
    """How many of a weight's modes make up its inputs.

    Modes of 1 at the border may count as either's: there is one element, whoever has it.
    """
    product = 1
    for count, letter in enumerate(modes, start=1):
        product *= size[letter]
        if product == n_in:
            return count
    extents = [size[letter] for letter in modes]
    raise ValueError(f"a weight of modes {extents} does not take {n_in} inputs")
