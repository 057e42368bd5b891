"""Writing a size as a product of modes."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt


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


def _divisors(size: int) -> list[int]:
    small = [divisor for divisor in range(1, isqrt(size) + 1) if size % divisor == 0]
    return sorted({*small, *(size // divisor for divisor in small)})
