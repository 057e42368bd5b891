"""Writing the sizes of a weight as products of modes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt, prod
from numbers import Integral
from typing import cast

Modes = tuple[Sequence[int], Sequence[int]]
"""Input modes and output modes, equally many."""


def modes_of(n_in: int, n_out: int, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and output modes as equal as the sizes allow.

    The largest input mode stands beside the smallest output mode, so that the cores are about
    equally large.
    """
    return balanced_modes(n_in, count), balanced_modes(n_out, count)[::-1]


@lru_cache(maxsize=4096)
def balanced_modes(size: int, count: int) -> tuple[int, ...]:
    """Modes whose product is ``size``, as equal as whole numbers allow, the largest first.

    Of all factorisations the one with the least sum is taken: for a fixed product the sum is least
    where
    the factors are equal. A size with fewer prime factors than ``count`` gets modes of 1.

    Args:
        size: the product.
        count: how many modes.
    """
    if count == 1:
        return (size,)
    options = [
        sorted((first, *balanced_modes(size // first, count - 1)), reverse=True)
        for first in _divisors(size)
    ]
    return tuple(min(options, key=lambda modes: (sum(modes), modes)))


def check_modes(layer: str, given: object) -> None:
    """Make sure that these are a layer's modes: one pair of input and output modes, or several.

    Raises:
        ValueError: they are not.
    """
    pairs = [given] if _is_pair(given) else given
    if not isinstance(pairs, Sequence) or not pairs or not all(_is_pair(pair) for pair in pairs):
        raise ValueError(
            f"layer {layer!r}: modes are a pair of input and output modes, equally many "
            "whole numbers of at least 1, such as "
            f"((3, 2), (2, 2)), or several such pairs; got {given!r}"
        )


def _is_pair(given: object) -> bool:
    if (
        not isinstance(given, Sequence)
        or len(given) != 2
        or not all(isinstance(modes, Sequence) and modes for modes in given)
    ):
        return False
    inputs, outputs = given
    return len(inputs) == len(outputs) and all(
        isinstance(mode, Integral) and int(mode) >= 1 for mode in (*inputs, *outputs)
    )


def given_modes(
    layer: str, given: Modes | Sequence[Modes], n_in: int, n_out: int
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
    for inputs, outputs in pairs:
        if (prod(inputs), prod(outputs)) == (n_in, n_out):
            return tuple(map(int, inputs)), tuple(map(int, outputs))
    told = "; ".join(
        f"{tuple(ins)} and {tuple(outs)} with products {prod(ins)} and {prod(outs)}"
        for ins, outs in pairs
    )
    suitable = modes_of(n_in, n_out, len(pairs[0][0]))
    raise ValueError(
        f"layer {layer!r}: no given modes suit its {n_in} inputs and {n_out} outputs "
        f"(given: {told}); input and output modes must be "
        f"equally many and have these products, such as {suitable[0]} and {suitable[1]}"
    )


def _divisors(size: int) -> list[int]:
    small = [divisor for divisor in range(1, isqrt(size) + 1) if size % divisor == 0]
    return sorted({*small, *(size // divisor for divisor in small)})
