"""Contracting a tensor network in the order with the fewest multiply-adds.

The orders of a network of at most ten operands are few enough to try all of them (dynamic
programming over subsets); the plan is cached by equation and sizes, so a training step only looks
it up.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import torch
from torch import Tensor

Step = tuple[int, int, str]
"""Which two operands of the list to contract (the second is removed last), and their equation."""


@lru_cache(maxsize=4096)
def plan(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[Step, ...], int]:
    """The pairwise order of a contraction with the fewest multiply-adds.

    Args:
        equation: an einsum equation with an explicit output.
        shapes: the operands' shapes.

    Returns:
        The steps, each to be applied to the list of operands left (the result is appended), and the
        multiply-adds of all of them.
    """
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    size = {letter: extent for term, shape in zip(terms, shapes, strict=True) for letter, extent in zip(term, shape, strict=True)}
    n = len(terms)
    everything = (1 << n) - 1

    def term_of(members: int) -> str:
        """The letters that survive once these operands are contracted with each other."""
        inside = {letter for k in range(n) if members >> k & 1 for letter in terms[k]}
        outside = set(output) | {letter for k in range(n) if not members >> k & 1 for letter in terms[k]}
        kept = inside & outside
        ordered = [letter for letter in output if letter in kept] + sorted(kept - set(output))
        return "".join(ordered)

    def multiply_adds(left: int, right: int) -> int:
        cost = 1
        for letter in set(letters[left]) | set(letters[right]):
            cost *= size[letter]
        return cost

    letters = {1 << k: terms[k] for k in range(n)}
    best: dict[int, tuple[int, tuple[int, int] | None]] = {1 << k: (0, None) for k in range(n)}
    for count in range(2, n + 1):
        for members in combinations(range(n), count):
            group = sum(1 << k for k in members)
            letters[group] = term_of(group)
            left = (group - 1) & group
            options = []
            while left > group ^ left:
                right = group ^ left
                options.append((best[left][0] + best[right][0] + multiply_adds(left, right), (left, right)))
                left = (left - 1) & group
            best[group] = min(options)
    letters[everything] = output

    steps: list[Step] = []
    left_over = [1 << k for k in range(n)]

    def emit(group: int) -> None:
        split = best[group][1]
        if split is None:
            return
        left, right = split
        emit(left)
        emit(right)
        i, j = left_over.index(left), left_over.index(right)
        steps.append((i, j, f"{letters[left]},{letters[right]}->{letters[group]}"))
        for position in sorted((i, j), reverse=True):
            del left_over[position]
        left_over.append(group)

    emit(everything)
    return tuple(steps), best[everything][0]


def contract(equation: str, operands: list[Tensor]) -> Tensor:
    """Evaluate an einsum equation pair by pair in its cheapest order.

    Args:
        equation: an einsum equation with an explicit output.
        operands: its tensors.
    """
    if len(operands) == 1:
        return torch.einsum(equation, operands[0])
    steps, _ = plan(equation, tuple(tuple(operand.shape) for operand in operands))
    left_over = list(operands)
    for i, j, pair in steps:
        result = torch.einsum(pair, left_over[i], left_over[j])
        for position in sorted((i, j), reverse=True):
            del left_over[position]
        left_over.append(result)
    return left_over[0]
