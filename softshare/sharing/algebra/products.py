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


def multiply(left: Tensor, right: Tensor, product: Product) -> Tensor:
    """The product of two operands."""
    a, b = left, right
    if product.left_axes is not None:
        a = a.permute(product.left_axes)
    if product.right_axes is not None:
        b = b.permute(product.right_axes)
    a = a.reshape(product.left_shape)  # (m, k) or (batch, m, k)
    b = b.reshape(product.right_shape)  # (k, n) or (batch, k, n)
    if product.left_shape[-1] == 1:  # nothing is summed
        result = a * b
    elif len(product.left_shape) == 2:
        result = torch.mm(a, b)
    else:
        result = torch.bmm(a, b)
    return result.reshape(product.shape)


def lay_out(
    steps: Sequence[Step], leaves: Sequence[str], size: Mapping[str, int]
) -> tuple[tuple[Product, ...], str]:
    """The products that carry out a contraction's steps with the least copying.

    Args:
        steps: the pairs.
        leaves: the operands' letters.
        size: the extent of every letter.

    Returns:
        The products, and the letters of the last one's axes.
    """
    sides = every((False, True), repeat=len(steps))
    options = [_products(steps, leaves, size, swapped) for swapped in sides]
    _, products, last = min(options, key=lambda option: option[0])
    return tuple(products), last


def _products(
    steps: Sequence[Step], leaves: Sequence[str], size: Mapping[str, int], swapped: Sequence[bool]
) -> tuple[int, list[Product], str]:
    """Elements copied, the products and the last one's letters, with the sides of some products
    swapped.
    """
    letters, copied, products = list(leaves), 0, []
    for (left, right, pair), swap in zip(steps, swapped, strict=True):
        if swap:
            left, right = right, left
        a, b = letters[left], letters[right]
        batch, own_a, summed, own_b = _roles(a, b, pair.split("->")[1], size)
        #   left  (batch, own_a, summed)
        #                          ║          → (batch, own_a, own_b)
        #   right (batch,        summed, own_b)
        copied += _copied(a, (batch, own_a, summed), size)
        copied += _copied(b, (batch, summed, own_b), size)
        result = batch + own_a + own_b
        letters.append(result)
        n_batch = (_extent(batch, size),) if batch else ()
        m, k, n = _extent(own_a, size), _extent(summed, size), _extent(own_b, size)
        products.append(
            Product(
                left,
                right,
                left_axes=_axes(a, batch + own_a + summed),
                left_shape=(*n_batch, m, k),
                right_axes=_axes(b, batch + summed + own_b),
                right_shape=(*n_batch, k, n),
                shape=tuple(size[letter] for letter in result),
            )
        )
    if steps and letters[-1] != steps[-1][2].split("->")[1]:
        copied += _extent(letters[-1], size)
    return copied, products, letters[-1]


def _roles(a: str, b: str, kept: str, size: Mapping[str, int]) -> tuple[str, str, str, str]:
    """The letters of both that are kept, the left operand's own, those summed, the right one's own.

    Those of both are in the order of the larger operand, which should not be the one copied.
    """
    batch = summed = ""
    for letter in a if _extent(a, size) >= _extent(b, size) else b:
        if letter in a and letter in b:
            if letter in kept:
                batch += letter
            else:
                summed += letter
    own_a = "".join(letter for letter in a if letter not in b)
    own_b = "".join(letter for letter in b if letter not in a)
    return batch, own_a, summed, own_b


def _copied(letters: str, groups: Sequence[str], size: Mapping[str, int]) -> int:
    """How many elements of an operand, contiguous in the order of its letters, must be copied to be
    a batch of matrices.
    """
    long = _longer_than_one(letters, size)
    batch, *sides = [_longer_than_one(group, size) for group in groups]
    # Letters next to each other in memory are one axis of a view.
    is_view = all(part in long for part in (batch, *sides))
    # With the batch last, every matrix's elements lie apart.
    strided_matrices = bool(batch) and long.endswith(batch) and any(sides)
    return 0 if is_view and not strided_matrices else _extent(letters, size)


def _longer_than_one(letters: str, size: Mapping[str, int]) -> str:
    return "".join(letter for letter in letters if size[letter] > 1)


def _axes(letters: str, wanted: str) -> tuple[int, ...] | None:
    return None if letters == wanted else tuple(letters.index(letter) for letter in wanted)


def _extent(letters: str, size: Mapping[str, int]) -> int:
    return prod(size[letter] for letter in letters)
