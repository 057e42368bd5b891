"""Contracting a tensor network in its cheapest order.

The orders of a network of at most ten operands are few enough to try all of them (dynamic
programming over subsets); the order is cached by equation and sizes, so a training step only looks
it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import prod
from operator import index

import torch
from torch import Tensor

from softshare.sharing.algebra.products import Product, Step, lay_out, multiply

ELEMENT = 8
"""Multiply-adds in the time that one element takes on its way from or to memory: a processor's
cache is slower than its arithmetic. Between 4 and 16 the same orders win."""

Splits = dict[int, tuple[int, tuple[int, int] | None]]
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
    best = _best_splits(_surviving_letters(terms, output), size, len(terms), last)
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
    for left, right in pairs:
        members.append(members[left] | members[right])
        steps.append(
            (
                left,
                right,
                f"{letters[members[left]]},{letters[members[right]]}->{letters[members[-1]]}",
            )
        )
    sums = tuple(
        tuple(axis for axis, letter in enumerate(term) if letter not in left)
        for term, left in zip(terms, leaves, strict=True)
    )
    products, last = lay_out(steps, leaves, size)
    axes = tuple(last.index(letter) for letter in output)
    multiply_adds = sum(_size(pair.split("->")[0].replace(",", ""), size) for _, _, pair in steps)
    elements = sum(
        _size(term, size) for _, _, pair in steps for term in pair.replace("->", ",").split(",")
    )
    return Order(tuple(steps), products, sums, axes, multiply_adds, elements)


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
    if (
        torch.compiler.is_compiling()
    ):  # an order is for sizes that are known: symbols become numbers
        return tuple(tuple(index(size) for size in operand.shape) for operand in operands)
    return tuple(operand.shape for operand in operands)


def carry_out(order: Order, operands: Sequence[Tensor]) -> Tensor:
    """Contract operands of the shapes that the order was made for."""
    tensors = [
        operand.sum(axes) if axes else operand
        for operand, axes in zip(operands, order.sums, strict=True)
    ]
    for product in order.products:
        tensors.append(multiply(tensors[product.left], tensors[product.right], product))
    return (
        tensors[-1]
        if order.axes == tuple(range(len(order.axes)))
        else tensors[-1].permute(order.axes)
    )


def _surviving_letters(terms: Sequence[str], output: str) -> dict[int, str]:
    """Every set of operands → the letters left once these are contracted with each other, the
    output's first.
    """
    letters = {}
    for members in range(1, 1 << len(terms)):
        inside = [letter for k, term in enumerate(terms) if members >> k & 1 for letter in term]
        outside = set(output).union(*(term for k, term in enumerate(terms) if not members >> k & 1))
        kept = [letter for letter in dict.fromkeys(inside) if letter in outside]
        if members.bit_count() > 1:
            kept = [letter for letter in output if letter in kept] + sorted(set(kept) - set(output))
        letters[members] = "".join(kept)
    return letters


def _parsed(
    equation: str, shapes: tuple[tuple[int, ...], ...]
) -> tuple[list[str], str, dict[str, int]]:
    """The operands' letters, the output's, and the extent of every letter."""
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    size = {
        letter: extent
        for term, shape in zip(terms, shapes, strict=True)
        for letter, extent in zip(term, shape, strict=True)
    }
    return terms, output, size


def _size(letters: str, size: Mapping[str, int]) -> int:
    return prod(size[letter] for letter in set(letters))


def _best_splits(
    letters: Mapping[int, str], size: Mapping[str, int], n_operands: int, last: bool
) -> Splits:
    waiting = 0 if last else 1 << (n_operands - 1)
    elements = {members: _size(own, size) for members, own in letters.items()}
    best: Splits = {1 << k: (0, None) for k in range(n_operands)}
    for count in range(2, n_operands + 1):
        for members in combinations(range(n_operands), count):
            group = sum(1 << k for k in members)
            options = []
            left = (group - 1) & group
            while left > (
                right := group ^ left
            ):  # the parts of the group in two, each division once
                moved = elements[left] + elements[right] + elements[group]
                cost = _size(letters[left] + letters[right], size) + ELEMENT * moved
                if count < n_operands or waiting not in (left, right):
                    options.append((best[left][0] + best[right][0] + cost, (left, right)))
                left = (left - 1) & group
            best[group] = min(options)
    return best


def _pairs(best: Splits, n_operands: int) -> list[tuple[int, int]]:
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
