"""Writing the sizes of a weight as products of modes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isqrt, prod
from typing import cast

Modes = tuple[Sequence[int], Sequence[int]]
"""Input modes and output modes, equally many."""


def modes_of(n_in: int, n_out: int, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and output modes as equal as the sizes allow.

    The largest input mode stands beside the smallest output mode, so that the cores are about equally large.
    """
    return balanced_modes(n_in, count), balanced_modes(n_out, count)[::-1]


@lru_cache(maxsize=4096)
def balanced_modes(size: int, count: int) -> tuple[int, ...]:
    """Modes whose product is ``size``, as equal as whole numbers allow, the largest first.

    Of all factorisations the one with the least sum is taken: for a fixed product the sum is least where
    the factors are equal. A size with fewer prime factors than ``count`` gets modes of 1.

    Args:
        size: the product.
        count: how many modes.
    """
    if count == 1:
        return (size,)
    options = [sorted((first, *balanced_modes(size // first, count - 1)), reverse=True) for first in _divisors(size)]
    return tuple(min(options, key=lambda modes: (sum(modes), modes)))


def given_modes(layer: str, given: Modes | Sequence[Modes], n_in: int, n_out: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The given pair whose products are a weight's sizes.

    Args:
        layer: the layer's name.
        given: one pair, or several where tasks differ in shape.
        n_in: the weight's inputs.
        n_out: its outputs.

    Raises:
        ValueError: no pair suits; the message says the sizes and what is allowed.
    """
    pairs = cast("Sequence[Modes]", [given] if isinstance(given[0][0], int) else given)
    for inputs, outputs in pairs:
        if (prod(inputs), prod(outputs)) == (n_in, n_out) and len(inputs) == len(outputs):
            return tuple(inputs), tuple(outputs)
    told = "; ".join(f"{tuple(ins)} and {tuple(outs)} with products {prod(ins)} and {prod(outs)}" for ins, outs in pairs)
    suitable = modes_of(n_in, n_out, len(pairs[0][0]))
    raise ValueError(
        f"layer {layer!r}: no given modes suit its {n_in} inputs and {n_out} outputs (given: {told}); input and output modes must be "
        f"equally many and have these products, such as {suitable[0]} and {suitable[1]}"
    )


def _divisors(size: int) -> list[int]:
    small = [divisor for divisor in range(1, isqrt(size) + 1) if size % divisor == 0]
    return sorted({*small, *(size // divisor for divisor in small)})
