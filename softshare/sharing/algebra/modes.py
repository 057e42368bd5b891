"""Writing the sizes of a weight as products of modes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt, prod
from numbers import Integral
from typing import cast

Modes = tuple[Sequence[int], Sequence[int]]
"""Input modes and output modes, equally many."""


def modes_of(
    n_in: int,
    n_out: int,
    count: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and output modes as equal as the sizes allow.

    The largest input mode stands beside the smallest output mode, so that the cores are about
    equally large.
    """
    inputs = balanced_modes(n_in, count)
    outputs = balanced_modes(n_out, count)
    return inputs, outputs[::-1]


@lru_cache(maxsize=4096)
def balanced_modes(size: int, count: int) -> tuple[int, ...]:
    """Modes whose product is ``size``, as equal as whole numbers allow, the largest first.

    Of all factorisations the one with the least sum is taken: for a fixed product the sum is least
    where the factors are equal. A size with fewer prime factors than ``count`` gets modes of 1.

    Args:
        size: the product.
        count: how many modes.
    """
    if count == 1:
        return (size,)
    options = []
    for first in _divisors(size):
        # The rest is at its best by itself: the least sum holds a least sum of the others.
        others = balanced_modes(size // first, count - 1)
        modes = sorted((first, *others), reverse=True)
        options.append(modes)
    # Of two with one sum, the lesser list: there is one answer, whatever the order of divisors.
    best = min(options, key=lambda modes: (sum(modes), modes))
    return tuple(best)


def check_modes(layer: str, given: object) -> None:
    """Make sure that these are a layer's modes: one pair of input and output modes, or several.

    Raises:
        ValueError: they are not.
    """
    pairs = [given] if _is_pair(given) else given
    is_list = isinstance(pairs, Sequence) and len(pairs) > 0
    if not is_list or not all(map(_is_pair, cast("Sequence[object]", pairs))):
        raise ValueError(
            f"layer {layer!r}: modes are a pair of input and output modes, equally many "
            "whole numbers of at least 1, such as "
            f"((3, 2), (2, 2)), or several such pairs; got {given!r}"
        )


def _is_pair(given: object) -> bool:
    """Whether this is one pair ``((M_1, M_2, …), (N_1, N_2, …))``."""
    if not isinstance(given, Sequence) or len(given) != 2:
        return False
    inputs, outputs = given
    if not (_are_modes(inputs) and _are_modes(outputs)):
        return False
    return len(inputs) == len(outputs)


def _are_modes(given: object) -> bool:
    if not isinstance(given, Sequence) or not given:
        return False
    return all(map(_is_mode, given))


def _is_mode(mode: object) -> bool:
    return isinstance(mode, Integral) and int(mode) >= 1


def given_modes(
    layer: str,
    given: Modes | Sequence[Modes],
    n_in: int,
    n_out: int,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The given pair whose products are a weight's sizes.

    Args:
        layer: the layer's name.
        given: one pair, or several where tasks differ in shape.
        n_in: the weight's inputs.
        n_out: its outputs.

    Raises:
        ValueError: no pair suits; the message says the sizes and what is allowed.
    """
    pairs = cast("Sequence[Modes]", [given] if _is_pair(given) else given)
    told = []
    for inputs, outputs in pairs:
        products = (prod(inputs), prod(outputs))
        if products == (n_in, n_out):
            return tuple(map(int, inputs)), tuple(map(int, outputs))
        told.append(
            f"{tuple(inputs)} and {tuple(outputs)} with products {products[0]} and {products[1]}"
        )
    n_modes = len(pairs[0][0])
    suitable = modes_of(n_in, n_out, n_modes)
    raise ValueError(
        f"layer {layer!r}: no given modes suit its {n_in} inputs and {n_out} outputs "
        f"(given: {'; '.join(told)}); input and output modes must be "
        f"equally many and have these products, such as {suitable[0]} and {suitable[1]}"
    )


def _divisors(size: int) -> list[int]:
    found = set()
    for small in range(1, isqrt(size) + 1):
        if size % small == 0:
            # Divisors come in pairs, the smaller of which is at most the root.
            found.add(small)
            found.add(size // small)
    return sorted(found)
