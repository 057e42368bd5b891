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
    a = (left if product.left_axes is None else left.permute(product.left_axes)).reshape(
        product.left_shape
    )
    b = (right if product.right_axes is None else right.permute(product.right_axes)).reshape(
        product.right_shape
    )
    if product.left_shape[-1] == 1:  # nothing is summed
        return (a * b).reshape(product.shape)
    return (torch.mm(a, b) if len(product.left_shape) == 2 else torch.bmm(a, b)).reshape(
        product.shape
    )


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
    options = [
        _products(steps, leaves, size, swapped)
        for swapped in every((False, True), repeat=len(steps))
    ]
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
        left, right = (right, left) if swap else (left, right)
        a, b, kept = letters[left], letters[right], pair.split("->")[1]
        order = (
            a if _extent(a, size) >= _extent(b, size) else b
        )  # the larger operand should not be the one that is copied
        batch = "".join(
            letter for letter in order if letter in a and letter in b and letter in kept
        )
        summed = "".join(
            letter for letter in order if letter in a and letter in b and letter not in kept
        )
        own_a, own_b = (
            "".join(letter for letter in term if letter not in batch + summed) for term in (a, b)
        )
        copied += _copied(a, (batch, own_a, summed), size) + _copied(
            b, (batch, summed, own_b), size
        )
        letters.append(batch + own_a + own_b)
        groups = [[batch] if batch else [], [own_a], [summed], [own_b]]
        shapes = [[_extent(group, size) for group in part] for part in groups]
        products.append(
            Product(
                left,
                right,
                _axes(a, batch + own_a + summed),
                (*shapes[0], *shapes[1], *shapes[2]),
                _axes(b, batch + summed + own_b),
                (*shapes[0], *shapes[2], *shapes[3]),
                tuple(size[letter] for letter in letters[-1]),
            )
        )
    if steps and letters[-1] != steps[-1][2].split("->")[1]:
        copied += _extent(letters[-1], size)
    return copied, products, letters[-1]


def _copied(letters: str, groups: Sequence[str], size: Mapping[str, int]) -> int:
    """How many elements of an operand, contiguous in the order of its letters, must be copied to be
    a batch of matrices.
    """
    long = [letter for letter in letters if size[letter] > 1]
    parts = ["".join(letter for letter in group if size[letter] > 1) for group in groups]
    is_view = all(part in "".join(long) for part in parts)
    strided_matrices = (
        bool(parts[0]) and "".join(long).endswith(parts[0]) and bool(parts[1] + parts[2])
    )
    return 0 if is_view and not strided_matrices else _extent(letters, size)


def _axes(letters: str, wanted: str) -> tuple[int, ...] | None:
    return None if letters == wanted else tuple(letters.index(letter) for letter in wanted)


def _extent(letters: str, size: Mapping[str, int]) -> int:
    return prod(size[letter] for letter in letters)
