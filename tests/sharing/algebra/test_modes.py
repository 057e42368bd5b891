"""Modes of a size: their product, and that no other whole numbers are more equal."""

from __future__ import annotations

from itertools import product
from math import prod

import pytest

from softshare.sharing.algebra.modes import balanced_modes, check_modes, given_modes, modes_of


@pytest.mark.parametrize("size", [1, 7, 12, 36, 60])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_other_factors_have_a_lesser_sum(size: int, count: int) -> None:
    modes = balanced_modes(size, count)
    divisors = [divisor for divisor in range(1, size + 1) if size % divisor == 0]
    others = [option for option in product(divisors, repeat=count) if prod(option) == size]
    assert prod(modes) == size
    assert sum(modes) == min(map(sum, others))
    assert list(modes) == sorted(modes, reverse=True)


def test_large_input_modes_stand_beside_small_output_modes() -> None:
    assert modes_of(784, 1024, 4) == ((7, 7, 4, 4), (4, 4, 8, 8))


def test_of_several_pairs_the_one_with_the_products_is_taken() -> None:
    pairs = [((3, 2), (2, 2)), ((7, 1), (2, 2))]
    assert given_modes("fc", pairs, 7, 4) == ((7, 1), (2, 2))


def test_modes_that_suit_no_weight_are_refused_with_some_that_do() -> None:
    with pytest.raises(ValueError, match=r"layer 'fc'.*5 inputs and 4 outputs.*such as \(5, 1\)"):
        given_modes("fc", ((3, 2), (2, 2)), 5, 4)


@pytest.mark.parametrize("given", [5, (), "ab", ((3, 2), (2,)), ((0, 2), (2, 2)), ((), ())])
def test_what_is_no_pair_of_modes_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match="layer 'fc': modes are a pair"):
        check_modes("fc", given)


def test_the_message_tells_the_products_of_what_is_given() -> None:
    given = [((3, 2), (2, 2)), ((5, 1), (7, 1))]
    told = (
        r"\(3, 2\) and \(2, 2\) with products 6 and 4; \(5, 1\) and \(7, 1\) with products 5 and 7"
    )
    with pytest.raises(ValueError, match=told):
        given_modes("fc", given, 5, 4)
