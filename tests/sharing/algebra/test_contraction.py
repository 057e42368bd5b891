"""The contraction planner against torch.einsum and against every order tried by hand."""

from __future__ import annotations

from itertools import combinations
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from softshare.sharing.algebra.contraction import ELEMENT, cheapest_order, contract

SIZE = {"a": 2, "b": 3, "c": 4, "d": 5, "e": 2, "t": 3}


@st.composite
def equations(draw: st.DrawFn, most_operands: int = 5) -> str:
    terms = draw(
        st.lists(
            st.lists(st.sampled_from(sorted(SIZE)), min_size=1, max_size=3, unique=True),
            min_size=1,
            max_size=most_operands,
        )
    )
    used = sorted({letter for term in terms for letter in term})
    output = draw(st.lists(st.sampled_from(used), max_size=4, unique=True))
    return f"{','.join(''.join(term) for term in terms)}->{''.join(output)}"


def _shapes(equation: str) -> tuple[tuple[int, ...], ...]:
    return tuple(
        tuple(SIZE[letter] for letter in term) for term in equation.split("->")[0].split(",")
    )


def _cheapest_by_brute_force(terms: list[frozenset[str]], output: frozenset[str]) -> int:
    if len(terms) == 1:
        return 0
    costs = []
    for i, j in combinations(range(len(terms)), 2):
        others = [term for k, term in enumerate(terms) if k not in (i, j)]
        together = terms[i] | terms[j]
        kept = together & output.union(*others)
        moved = sum(
            prod(SIZE[letter] for letter in letters) for letters in (terms[i], terms[j], kept)
        )
        multiply_adds = prod(SIZE[letter] for letter in together)
        costs.append(
            multiply_adds + ELEMENT * moved + _cheapest_by_brute_force([*others, kept], output)
        )
    return min(costs)


@given(equations())
def test_contract_equals_einsum(equation: str) -> None:
    operands = [torch.randn(shape, dtype=torch.float64) for shape in _shapes(equation)]
    assert_close(
        contract(equation, operands), torch.einsum(equation, *operands), rtol=1e-10, atol=1e-10
    )


@given(equations())
def test_plan_costs_what_the_cheapest_order_costs(equation: str) -> None:
    inputs, output = equation.split("->")
    terms = [frozenset(term) for term in inputs.split(",")]
    summed_first = [
        term & frozenset(output).union(*(terms[:k] + terms[k + 1 :]))
        for k, term in enumerate(terms)
    ]
    assert cheapest_order(equation, _shapes(equation)).cost == _cheapest_by_brute_force(
        summed_first, frozenset(output)
    )


def test_a_chain_with_few_tasks_is_multiplied_from_the_task_end() -> None:
    order = cheapest_order("aA,AbB,tB->tab", ((784, 8), (8, 512, 10), (4, 10)))
    assert [set(pair.split("->")[1]) for _, _, pair in order.steps] == [set("tAb"), set("tab")]
    assert order.multiply_adds == 8 * 512 * 10 * 4 + 784 * 8 * 512 * 4
    assert order.elements == (8 * 512 * 10 + 4 * 10 + 4 * 8 * 512) + (
        784 * 8 + 4 * 8 * 512 + 4 * 784 * 512
    )


def test_nothing_large_is_copied_where_the_input_joins_a_chain() -> None:
    rows = torch.randn(10, 64, 784)
    factors = [torch.randn(784, 32), torch.randn(32, 512, 5), torch.randn(10, 5)]
    seen: list[Tensor] = []

    class Copies(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            if func in (torch.ops.aten.clone.default, torch.ops.aten.copy_.default):
                seen.append(args[0])
            return func(*args, **(kwargs or {}))

    with Copies():
        contract("aA,AbB,tB,tna->tnb", [*factors, rows])
    assert not seen


def test_operands_that_do_not_fit_the_equation_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        cheapest_order("ab,bc->ac", ((2, 3),))
