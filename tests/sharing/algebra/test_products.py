"""A contraction's pairs as matrix products, against ``einsum``; and what they copy."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from softshare.sharing.algebra.products import lay_out, multiply

SIZE = {"t": 3, "a": 4, "b": 5, "c": 2, "K": 6, "L": 1}


@pytest.mark.parametrize(
    "equation",
    [
        "aK,Kb->ab",
        "Ka,bK->ab",
        "taK,tKb->tab",
        "atK,btK->tab",
        "a,b->ab",
        "taKL,KLb->tab",
        "aKb,Kb->a",
        "ta,b->tab",
    ],
)
def test_a_pair_is_its_einsum(equation: str) -> None:
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    shapes = [[SIZE[letter] for letter in term] for term in terms]
    operands = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    (product,), letters, _copied = lay_out([(0, 1, equation)], terms, SIZE)
    result = multiply(operands[product.left], operands[product.right], product)
    assert sorted(letters) == sorted(output)
    in_order = result.permute([letters.index(letter) for letter in output])
    assert_close(in_order, torch.einsum(equation, *operands))


def test_sides_are_swapped_where_that_leaves_the_output_as_it_is_wanted() -> None:
    (product,), letters, _copied = lay_out([(0, 1, "aK,Kb->ba")], ["aK", "Kb"], SIZE)
    assert letters == "ba"
    assert (product.left, product.right) == (1, 0)
