"""A weight as a ring: its equation against the trace of the product of the cores' slices."""

from __future__ import annotations

from itertools import product

import torch
from torch.testing import assert_close

from softshare.sharing.algebra.ring import Ring, common_cores, count_parameters

LINEAR = Ring((6, 4), ((3, 2), (2, 2)), (2, 3))
WINDOW = Ring((3, 3, 2, 4), ((9,), (2, 4)), (2, 3))


def test_an_element_is_the_trace_of_the_product_of_slices() -> None:
    first = torch.randn(LINEAR.core_shape(0), dtype=torch.float64)
    second = torch.randn(LINEAR.core_shape(1), dtype=torch.float64)
    equation = LINEAR.equation(shared=(0, 1)).replace("->t", "->")
    weight = torch.einsum(equation, first, second)  # (3, 2, 2, 2): input modes, output modes
    for i, j, k, m in product(range(3), range(2), range(2), range(2)):
        slices = first[:, i, k, :] @ second[:, j, m, :]
        assert_close(weight[i, j, k, m], slices.trace())


def test_the_last_rank_is_the_first_cores() -> None:
    assert LINEAR.core_shape(0) == (2, 3, 2, 3)
    assert LINEAR.core_shape(1) == (3, 2, 2, 2)
    assert WINDOW.core_shape(0) == (2, 9, 3)


def test_own_cores_carry_the_task_and_the_window_comes_first() -> None:
    assert WINDOW.equation(shared=(0,)) == "AaB,tBbcA->tabc"
    assert WINDOW.sizes() == {"A": 2, "a": 9, "B": 3, "b": 2, "c": 4}


def test_cores_of_one_number_and_equal_modes_can_be_shared() -> None:
    other = Ring((6, 6), ((3, 2), (2, 3)), (2, 3))
    assert common_cores({LINEAR: 1}) == [0, 1]
    assert common_cores({LINEAR: 1, other: 1}) == [0]
    assert common_cores({LINEAR: 2, other: 1}) == [0, 1]


def test_a_shared_core_counts_once_and_an_own_one_for_every_task() -> None:
    first, second = 2 * 3 * 2 * 3, 3 * 2 * 2 * 2
    assert count_parameters({LINEAR: 5}, shared=(0,)) == first + 5 * second
    assert count_parameters({LINEAR: 5}, shared=()) == 5 * (first + second)
