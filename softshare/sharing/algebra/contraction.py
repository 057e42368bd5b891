"""Contracting a tensor network in its cheapest order.

The orders of a network of at most ten operands are few enough to try all of them (dynamic
programming over subsets); the order is cached by equation and sizes, so a training step only looks
it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from operator import index

import torch
from torch import Tensor

from softshare.sharing.algebra.products import Product, Step, lay_out, multiply

ELEMENT = 8
"""Multiply-adds in the time that one element takes on its way from or to memory: a processor's
cache is slower than its arithmetic. Between 4 and 16 the same orders win."""

Shapes = tuple[tuple[int, ...], ...]
"""The operands' shapes."""

Parts = dict[int, tuple[int, tuple[int, int] | None]]
"""Set of operands (a bit each) → cost of contracting it, and the two parts that are contracted
last.
"""


@dataclass(frozen=True)
class Order:
    """How a tensor network is contracted.

    Args:
        steps: the pairs in their order; none for a single operand.
        products: the same as matrix products.
        sums: for every operand the axes of letters that stand nowhere else, summed beforehand.
        axes: how the last product's axes are turned into the output's.
        multiply_adds: of all steps.
        elements: read and written by all steps.
        copied: elements that are put in another order between the steps.
    """

    steps: tuple[Step, ...]
    products: tuple[Product, ...]
    sums: tuple[tuple[int, ...], ...]
    axes: tuple[int, ...]
    multiply_adds: int
    elements: int
    copied: int

    @property
    def moved(self) -> int:
        """Elements read and written, each one copied once more."""
        return self.elements + 2 * self.copied

    @property
    def cost(self) -> int:
        """What orders are compared by: multiply-adds, and those that would fit into the time of
        moving the elements.
        """
        return self.multiply_adds + ELEMENT * self.elements


def cheapest_order(
    equation: str,
    shapes: Shapes,
    *,
    last: bool = True,
) -> Order:
    """The cheapest pairwise order of a contraction.

    Args:
        equation: an einsum equation with an explicit output.
        shapes: the operands' shapes.
        last: whether the last operand may wait until all others are contracted.
    """
    return _cheapest(equation, shapes, last)


# What torch.compiler.assume_constant_result would set: that function loads the compiler, which
# takes a second, for everybody who only imports this.
cheapest_order._dynamo_marked_constant = True  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def _cheapest(
    equation: str,
    shapes: Shapes,
    last: bool,
) -> Order:
    terms, output, size = _parsed(equation, shapes)
    n_operands = len(terms)
    letters = _surviving_letters(terms, output)
    best = _best_parts(letters, size, n_operands, last)
    pairs = _pairs(best, n_operands)
    return order_of(equation, shapes, pairs)


def order_of(
    equation: str,
    shapes: Shapes,
    pairs: Sequence[tuple[int, int]],
) -> Order:
    """A given order as products.

    Args:
        equation: an einsum equation with an explicit output.
        shapes: the operands' shapes.
        pairs: places in the list of operands; each result joins the list at its end.
    """
    terms, output, size = _parsed(equation, shapes)
    letters = _surviving_letters(terms, output)
    members = [1 << k for k in range(len(terms))]  # a bit each
    leaves = [letters[member] for member in members]

    steps: list[Step] = []
    multiply_adds = 0
    elements = 0
    for left, right in pairs:
        both = members[left] | members[right]
        a = letters[members[left]]
        b = letters[members[right]]
        result = letters[both]
        members.append(both)
        steps.append((left, right, f"{a},{b}->{result}"))
        multiply_adds += _size(a + b, size)
        for part in (a, b, result):
            elements += _size(part, size)

    products, last, copied = lay_out(steps, leaves, size)
    return Order(
        tuple(steps),
        products,
        sums=tuple(map(_missing, terms, leaves)),
        axes=tuple(map(last.index, output)),
        multiply_adds=multiply_adds,
        elements=elements,
        copied=copied,
    )


def _missing(term: str, left: str) -> tuple[int, ...]:
    """The axes of an operand whose letters are not left once it is summed by itself."""
    axes = []
    for axis, letter in enumerate(term):
        if letter not in left:
            axes.append(axis)
    return tuple(axes)


def contract(equation: str, operands: Sequence[Tensor]) -> Tensor:
    """Evaluate an einsum equation pair by pair in its cheapest order.

    Args:
        equation: an einsum equation with an explicit output.
        operands: its tensors.
    """
    is_one = len(operands) == 1
    if is_one and len(set(equation.split("->"))) == 1:
        return operands[0]  # ab->ab
    order = cheapest_order(equation, shapes_of(operands))
    return carry_out(order, operands)


def shapes_of(operands: Sequence[Tensor]) -> Shapes:
    """What :func:`cheapest_order` wants to know of operands."""
    if not torch.compiler.is_compiling():
        return tuple(operand.shape for operand in operands)
    # An order is for sizes that are known: symbols become numbers.
    shapes = []
    for operand in operands:
        shapes.append(tuple(map(index, operand.shape)))
    return tuple(shapes)


def carry_out(order: Order, operands: Sequence[Tensor]) -> Tensor:
    """Contract operands of the shapes that the order was made for."""
    tensors = []
    for operand, axes in zip(operands, order.sums, strict=True):
        tensors.append(operand.sum(axes) if axes else operand)
    for product in order.products:
        left = tensors[product.left]
        right = tensors[product.right]
        tensors.append(multiply(left, right, product))
    result = tensors[-1]
    in_place = order.axes == tuple(range(len(order.axes)))
    return result if in_place else result.permute(order.axes)


def _surviving_letters(
    terms: Sequence[str],
    output: str,
) -> dict[int, str]:
    """Every set of operands → the letters left once these are contracted with each other, the
    output's first.
    """
    survivors = {}
    for members in range(1, 1 << len(terms)):
        inside = ""
        outside = set(output)
        for k, term in enumerate(terms):
            if members >> k & 1:
                inside += term
            else:
                outside.update(term)
        # aA,AbB,tB->tab: of the first two A is summed, B still joins them to the third.
        kept = []
        for letter in dict.fromkeys(inside):
            if letter in outside:
                kept.append(letter)
        is_result = members.bit_count() > 1  # a single operand's axes stand as they are
        if is_result:
            of_output = [letter for letter in output if letter in kept]
            others = set(kept) - set(output)
            kept = of_output + sorted(others)
        survivors[members] = "".join(kept)
    return survivors


def _parsed(
    equation: str,
    shapes: Shapes,
) -> tuple[list[str], str, dict[str, int]]:
    """The operands' letters, the output's, and the extent of every letter."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    size: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        size |= zip(term, shape, strict=True)
    return terms, output, size


def _size(letters: str, size: Mapping[str, int]) -> int:
    extents = [size[letter] for letter in set(letters)]
    return prod(extents)


def _best_parts(
    letters: Mapping[int, str],
    size: Mapping[str, int],
    n_operands: int,
    last: bool,
) -> Parts:
    """The cheapest way to contract every set of operands, from small sets to large ones.

    A set is a number with a bit for each operand: 0b101 holds the first and the third.
    """
    everything = (1 << n_operands) - 1
    waiting = 0 if last else 1 << (n_operands - 1)
    elements = {}
    for members, own in letters.items():
        elements[members] = _size(own, size)
    best: Parts = {}
    for k in range(n_operands):
        best[1 << k] = (0, None)

    by_number = sorted(letters, key=int.bit_count)
    for group in by_number[n_operands:]:
        options = []
        for left, right in _divisions(group):
            if group == everything and waiting in (left, right):
                continue  # the last operand may not be the last to join
            moved = elements[left] + elements[right] + elements[group]
            multiply_adds = _size(letters[left] + letters[right], size)
            before = best[left][0] + best[right][0]
            cost = before + multiply_adds + ELEMENT * moved
            options.append((cost, (left, right)))
        best[group] = min(options)
    return best


def _divisions(group: int) -> Iterator[tuple[int, int]]:
    """A set in two parts, each division once: 0b111 → 0b110 and 0b001, 0b101 and 0b010, 0b100 and
    0b011.
    """
    left = (group - 1) & group  # subtracting 1 and masking walks down through all subsets
    while True:
        right = group ^ left
        if left <= right:
            return
        yield left, right
        left = (left - 1) & group


def _pairs(best: Parts, n_operands: int) -> list[tuple[int, int]]:
    """The pairs in their order, as places in the list of operands and results."""
    pairs: list[tuple[int, int]] = []

    def place(group: int) -> int:
        """Where the contracted group stands in the list of operands."""
        _cost, split = best[group]
        if split is None:
            return group.bit_length() - 1
        left, right = split
        # First what the parts need: their results stand in the list before this one's.
        pairs.append((place(left), place(right)))
        return n_operands + len(pairs) - 1

    everything = (1 << n_operands) - 1
    place(everything)
    return pairs
