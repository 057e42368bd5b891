"""Contracting a tensor network in the order with the fewest multiply-adds.

The orders of a network of at most ten operands are few enough to try all of them (dynamic
programming over subsets); the plan is cached by equation and sizes, so a training step only looks
it up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from math import prod

import torch
from torch import Tensor

Step = tuple[int, int, str]
"""Two places in the list of operands, and the equation that contracts them; the result joins the list at its end."""

Splits = dict[int, tuple[int, tuple[int, int] | None]]
"""Set of operands (a bit each) → multiply-adds of contracting it, and the two parts that are contracted last."""


@lru_cache(maxsize=4096)
def plan(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[Step, ...], int]:
    """The pairwise order of a contraction with the fewest multiply-adds.

    Args:
        equation: an einsum equation with an explicit output.
        shapes: the operands' shapes.

    Returns:
        The steps, and the multiply-adds of all of them; no step for a single operand.
    """
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    size = {letter: extent for term, shape in zip(terms, shapes, strict=True) for letter, extent in zip(term, shape, strict=True)}
    letters = _surviving_letters(terms, output)
    best = _best_splits(letters, size, len(terms))
    everything = (1 << len(terms)) - 1
    return _steps(letters, best, len(terms)), best[everything][0]


def contract(equation: str, operands: Sequence[Tensor]) -> Tensor:
    """Evaluate an einsum equation pair by pair in its cheapest order.

    Args:
        equation: an einsum equation with an explicit output.
        operands: its tensors.
    """
    if len(operands) == 1:
        return torch.einsum(equation, operands[0])
    steps, _ = plan(equation, tuple(operand.shape for operand in operands))
    tensors = list(operands)
    for left, right, pair in steps:
        tensors.append(torch.einsum(pair, tensors[left], tensors[right]))
    return tensors[-1]


def _surviving_letters(terms: Sequence[str], output: str) -> dict[int, str]:
    """Every set of operands → the letters left once these are contracted with each other, the output's first."""
    letters = {1 << k: term for k, term in enumerate(terms)}
    for members in range(1, 1 << len(terms)):
        inside = {letter for k, term in enumerate(terms) if members >> k & 1 for letter in term}
        outside = set(output).union(*(term for k, term in enumerate(terms) if not members >> k & 1))
        kept = inside & outside
        letters.setdefault(members, "".join([letter for letter in output if letter in kept] + sorted(kept - set(output))))
    return letters


def _best_splits(letters: Mapping[int, str], size: Mapping[str, int], n_operands: int) -> Splits:
    best: Splits = {1 << k: (0, None) for k in range(n_operands)}
    for count in range(2, n_operands + 1):
        for members in combinations(range(n_operands), count):
            group = sum(1 << k for k in members)
            options = []
            left = (group - 1) & group
            while left > (right := group ^ left):  # the parts of the group in two, each division once
                multiply_adds = prod(size[letter] for letter in set(letters[left] + letters[right]))
                options.append((best[left][0] + best[right][0] + multiply_adds, (left, right)))
                left = (left - 1) & group
            best[group] = min(options)
    return best


def _steps(letters: Mapping[int, str], best: Splits, n_operands: int) -> tuple[Step, ...]:
    steps: list[Step] = []

    def place(group: int) -> int:
        """Where the contracted group stands in the list of operands."""
        split = best[group][1]
        if split is None:
            return group.bit_length() - 1
        left, right = split
        step = (place(left), place(right), f"{letters[left]},{letters[right]}->{letters[group]}")
        steps.append(step)
        return n_operands + len(steps) - 1

    place((1 << n_operands) - 1)
    return tuple(steps)
