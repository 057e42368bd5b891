"""Pairs of a contraction as matrix products of views.

``einsum`` turns every pair into a batched matrix product as well, but in an order of axes that it
chooses pair by pair; what is cheap for one pair may leave a result that the next must copy. Here
the sides of all products are chosen together, so that as little as possible is copied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product as every
from math import prod

import torch
from torch import Tensor

Step = tuple[int, int, str]
"""Two places in the list of operands, and the equation that contracts them; the result joins the
list at its end.
"""


@dataclass(frozen=True)
class Product:
    """A matrix product: ``(batch, m, k)`` of the left operand by ``(batch, k, n)`` of the right.

    Args:
        left: place of the left operand.
        right: place of the right operand.
        left_axes: order of the left operand's axes, batch, own and summed; None where it is so.
        left_shape: ``(m, k)`` or ``(batch, m, k)``.
        right_axes: order of the right operand's axes, batch, summed and own; None where it is so.
        right_shape: ``(k, n)`` or ``(batch, k, n)``.
        shape: the result's, a mode an axis.
    """

    left: int
    right: int
    left_axes: tuple[int, ...] | None
    left_shape: tuple[int, ...]
    right_axes: tuple[int, ...] | None
    right_shape: tuple[int, ...]
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Roles:
    """What the letters of two operands are in their product.

    left  (batch, own_left, summed)
                              ║            → (batch, own_left, own_right)
    right (batch,           summed, own_right)
    """

    batch: str
    own_left: str
    summed: str
    own_right: str

    @property
    def of_left(self) -> tuple[str, str, str]:
        return self.batch, self.own_left, self.summed

    @property
    def of_right(self) -> tuple[str, str, str]:
        return self.batch, self.summed, self.own_right

    @property
    def of_result(self) -> str:
        return self.batch + self.own_left + self.own_right


def multiply(left: Tensor, right: Tensor, product: Product) -> Tensor:
    """The product of two operands."""
    a = left
    b = right
    if product.left_axes is not None:
        a = a.permute(product.left_axes)
    if product.right_axes is not None:
        b = b.permute(product.right_axes)
    a = a.reshape(product.left_shape)  # (m, k) or (batch, m, k)
    b = b.reshape(product.right_shape)  # (k, n) or (batch, k, n)
    n_summed = product.left_shape[-1]
    if n_summed == 1:
        result = a * b
    elif len(product.left_shape) == 2:
        result = torch.mm(a, b)
    else:
        result = torch.bmm(a, b)
    return result.reshape(product.shape)


def lay_out(
    steps: Sequence[Step],
    leaves: Sequence[str],
    size: Mapping[str, int],
) -> tuple[tuple[Product, ...], str, int]:
    """The products that carry out a contraction's steps with the least copying.

    Args:
        steps: the pairs.
        leaves: the operands' letters.
        size: the extent of every letter.

    Returns:
        The products, the letters of the last one's axes, and how many elements are copied.
    """
    # Every pair either way round; of ways that copy equally much, the first.
    least: int | None = None
    for swapped in every((False, True), repeat=len(steps)):
        copied, products, letters = _products(steps, leaves, size, swapped)
        if least is None or copied < least:
            least = copied
            best = tuple(products), letters, copied
    return best


def _products(
    steps: Sequence[Step],
    leaves: Sequence[str],
    size: Mapping[str, int],
    swapped: Sequence[bool],
) -> tuple[int, list[Product], str]:
    """Elements copied, the products and the last one's letters, with the sides of some products
    swapped.
    """
    letters = list(leaves)
    products = []
    copied = 0
    kept = letters[-1]
    for (first, second, equation), swap in zip(steps, swapped, strict=True):
        left, right = (second, first) if swap else (first, second)
        kept = equation.split("->")[1]
        roles = _roles(letters[left], letters[right], kept, size)
        copied += _copied(letters[left], roles.of_left, size)
        copied += _copied(letters[right], roles.of_right, size)
        products.append(_product(left, right, letters, roles, size))
        letters.append(roles.of_result)
    if letters[-1] != kept:
        # The output's axes are in another order than the last product leaves them in.
        copied += _extent(letters[-1], size)
    return copied, products, letters[-1]


def _product(
    left: int,
    right: int,
    letters: Sequence[str],
    roles: _Roles,
    size: Mapping[str, int],
) -> Product:
    """One pair as a product of matrices."""
    batch = (_extent(roles.batch, size),) if roles.batch else ()
    m = _extent(roles.own_left, size)
    k = _extent(roles.summed, size)
    n = _extent(roles.own_right, size)
    return Product(
        left,
        right,
        left_axes=_axes(letters[left], "".join(roles.of_left)),
        left_shape=(*batch, m, k),
        right_axes=_axes(letters[right], "".join(roles.of_right)),
        right_shape=(*batch, k, n),
        shape=tuple(size[letter] for letter in roles.of_result),
    )


def _roles(
    left: str,
    right: str,
    kept: str,
    size: Mapping[str, int],
) -> _Roles:
    """The letters of both operands that are kept, those of one alone, and those that are summed.

    Those of both are in the order of the larger operand, which should not be the one copied.
    """
    larger = left if _extent(left, size) >= _extent(right, size) else right
    both = [letter for letter in larger if letter in left and letter in right]
    batch = ""
    summed = ""
    for letter in both:
        if letter in kept:
            batch += letter
        else:
            summed += letter
    return _Roles(
        batch,
        own_left=_without(left, both),
        summed=summed,
        own_right=_without(right, both),
    )


def _without(letters: str, others: Sequence[str]) -> str:
    return "".join(letter for letter in letters if letter not in others)


def _copied(
    letters: str,
    groups: Sequence[str],
    size: Mapping[str, int],
) -> int:
    """How many elements of an operand, contiguous in the order of its letters, must be copied to be
    a batch of matrices.
    """
    long = _longer_than_one(letters, size)
    batch, *sides = [_longer_than_one(group, size) for group in groups]
    # Letters next to each other in memory are one axis of a view.
    is_view = all(part in long for part in (batch, *sides))
    # With the batch last, every matrix's elements lie apart.
    strided_matrices = bool(batch) and long.endswith(batch) and any(sides)
    if is_view and not strided_matrices:
        return 0
    return _extent(letters, size)


def _longer_than_one(letters: str, size: Mapping[str, int]) -> str:
    return "".join(letter for letter in letters if size[letter] > 1)


def _axes(letters: str, wanted: str) -> tuple[int, ...] | None:
    """The places of the wanted letters, in their order; None where they stand so."""
    if letters == wanted:
        return None
    return tuple(letters.index(letter) for letter in wanted)


def _extent(letters: str, size: Mapping[str, int]) -> int:
    return prod(size[letter] for letter in letters)
