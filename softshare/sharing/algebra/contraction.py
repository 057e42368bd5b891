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
    """

    steps: tuple[Step, ...]
    products: tuple[Product, ...]
    sums: tuple[tuple[int, ...], ...]
    axes: tuple[int, ...]
    multiply_adds: int
    elements: int

    @property
    def cost(self) -> int:
        """What orders are compared by: multiply-adds, and those that would fit into the time of
        moving the elements.
        """
        return self.multiply_adds + ELEMENT * self.elements


def cheapest_order(
    equation: str, shapes: tuple[tuple[int, ...], ...], *, last: bool = True
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
def _cheapest(equation: str, shapes: tuple[tuple[int, ...], ...], last: bool) -> Order:
    terms, output, size = _parsed(equation, shapes)
    best = _best_parts(_surviving_letters(terms, output), size, len(terms), last)
    return order_of(equation, shapes, _pairs(best, len(terms)))


def order_of(
    equation: str, shapes: tuple[tuple[int, ...], ...], pairs: Sequence[tuple[int, int]]
) -> Order:
    """A given order as products.

    Args:
        equation: an einsum equation with an explicit output.
        shapes: the operands' shapes.
        pairs: places in the list of operands; each result joins the list at its end.
    """
    terms, output, size = _parsed(equation, shapes)
    letters = _surviving_letters(terms, output)
    members = [1 << k for k in range(len(terms))]
    leaves = [letters[member] for member in members]
    steps: list[Step] = []
    multiply_adds = elements = 0
    for left, right in pairs:
        members.append(members[left] | members[right])
        a, b, result = (letters[members[place]] for place in (left, right, -1))
        steps.append((left, right, f"{a},{b}->{result}"))
        multiply_adds += _size(a + b, size)
        elements += _size(a, size) + _size(b, size) + _size(result, size)
    products, last = lay_out(steps, leaves, size)
    return Order(
        tuple(steps),
        products,
        sums=tuple(map(_missing, terms, leaves)),
        axes=tuple(last.index(letter) for letter in output),
        multiply_adds=multiply_adds,
        elements=elements,
    )


def _missing(term: str, left: str) -> tuple[int, ...]:
    """The axes of an operand whose letters are not left once it is summed by itself."""
    return tuple(axis for axis, letter in enumerate(term) if letter not in left)


def contract(equation: str, operands: Sequence[Tensor]) -> Tensor:
    """Evaluate an einsum equation pair by pair in its cheapest order.

    Args:
        equation: an einsum equation with an explicit output.
        operands: its tensors.
    """
    if len(operands) == 1 and len(set(equation.split("->"))) == 1:
        return operands[0]
    return carry_out(cheapest_order(equation, shapes_of(operands)), operands)


def shapes_of(operands: Sequence[Tensor]) -> tuple[tuple[int, ...], ...]:
    """What :func:`cheapest_order` wants to know of operands."""
    if torch.compiler.is_compiling():
        # An order is for sizes that are known: symbols become numbers.
        return tuple(tuple(map(index, operand.shape)) for operand in operands)
    return tuple(operand.shape for operand in operands)


def carry_out(order: Order, operands: Sequence[Tensor]) -> Tensor:
    """Contract operands of the shapes that the order was made for."""
    each = zip(operands, order.sums, strict=True)
    tensors = [operand.sum(axes) if axes else operand for operand, axes in each]
    for product in order.products:
        tensors.append(multiply(tensors[product.left], tensors[product.right], product))
    result = tensors[-1]
    in_place = order.axes == tuple(range(len(order.axes)))
    return result if in_place else result.permute(order.axes)


def _surviving_letters(terms: Sequence[str], output: str) -> dict[int, str]:
    """Every set of operands → the letters left once these are contracted with each other, the
    output's first.
    """
    letters = {}
    for members in range(1, 1 << len(terms)):
        inside, outside = "", set(output)
        for k, term in enumerate(terms):
            if members >> k & 1:
                inside += term
            else:
                outside.update(term)
        # aA,AbB,tB->tab: of the first two A is summed, B still joins them to the third.
        kept = [letter for letter in dict.fromkeys(inside) if letter in outside]
        if members.bit_count() > 1:
            of_output = [letter for letter in output if letter in kept]
            kept = of_output + sorted(set(kept) - set(output))
        letters[members] = "".join(kept)
    return letters


def _parsed(
    equation: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[list[str], str, dict[str, int]]:
    """The operands' letters, the output's, and the extent of every letter."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    size: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        size |= zip(term, shape, strict=True)
    return terms, output, size


def _size(letters: str, size: Mapping[str, int]) -> int:
    return prod(size[letter] for letter in set(letters))


def _best_parts(
    letters: Mapping[int, str], size: Mapping[str, int], n_operands: int, last: bool
) -> Parts:
    """The cheapest way to contract every set of operands, from small sets to large ones.

    A set is a number with a bit for each operand: 0b101 holds the first and the third.
    """
    waiting = 0 if last else 1 << (n_operands - 1)
    elements = {members: _size(own, size) for members, own in letters.items()}
    best: Parts = {1 << k: (0, None) for k in range(n_operands)}
    by_number = sorted(letters, key=int.bit_count)
    for group in by_number[n_operands:]:
        options = []
        for left, right in _divisions(group):
            if group.bit_count() == n_operands and waiting in (left, right):
                continue
            moved = elements[left] + elements[right] + elements[group]
            cost = _size(letters[left] + letters[right], size) + ELEMENT * moved
            options.append((best[left][0] + best[right][0] + cost, (left, right)))
        best[group] = min(options)
    return best


def _divisions(group: int) -> Iterator[tuple[int, int]]:
    """A set in two parts, each division once: 0b111 → 0b110 and 0b001, 0b101 and 0b010, 0b100 and
    0b011.
    """
    left = (group - 1) & group  # subtracting 1 and masking walks down through all subsets
    while left > group ^ left:
        yield left, group ^ left
        left = (left - 1) & group


def _pairs(best: Parts, n_operands: int) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []

    def place(group: int) -> int:
        """Where the contracted group stands in the list of operands."""
        split = best[group][1]
        if split is None:
            return group.bit_length() - 1
        pairs.append((place(split[0]), place(split[1])))
        return n_operands + len(pairs) - 1

    place((1 << n_operands) - 1)
    return pairs
