"""How large the value of a tensor network is, found without making the value.

``‖W‖²`` is the network joined to its own copy along all of its output's letters:

    W[a,b] = Σ_A  L[a,A] R[A,b]           L ─A─ R
                                          │a    │b
    ‖W‖²   = Σ    L[a,A] R[A,b]           L ─Z─ R
                · L[a,Z] R[Z,b]

Contracted from the sides inwards, all that is ever made are Gram matrices of factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from string import ascii_letters

import numpy as np
import torch
from torch import Tensor

CHUNK = 1 << 20
"""Elements of the tasks' rows that are widened to float64 at a time."""

NO_LIMIT = 1 << 62
"""Elements that an intermediate result may have: its order is chosen by what it costs alone."""

Operand = tuple[str, Tensor]
"""An operand's letters and its values."""


def mean_squares(equation: str, operands: Sequence[Tensor]) -> Tensor:
    """Mean square of the elements of every task's weight, in float64.

    Args:
        equation: einsum over the operands, its output ``t`` and then the weight's modes; operands
            that carry ``t`` have it as dim 0.
        operands: the factors.

    Shape:
        ``(T,)``; ``()`` where no operand carries ``t``, so that all tasks have one weight.
    """
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    copies = _letters_of_the_copy(terms, output)
    each = list(zip(terms, operands, strict=True))
    own = [(term, values) for term, values in each if term.startswith("t")]
    shared = [(term, values) for term, values in each if not term.startswith("t")]

    n_elements = _extent(each, output.removeprefix("t"))
    if not own:
        return _contract(_doubled(shared, copies), "") / n_elements

    # What the shared factors look like from the tasks' rows: a Gram matrix over the letters
    # that lead there, (K, K) where a task has a row of K values.
    of_rows = set("".join(term for term, _ in own))
    of_shared = dict.fromkeys("".join(term for term, _ in shared))
    border = [letter for letter in of_shared if letter in of_rows]
    kept = _unique(border + _copy(border, copies))
    gram = [(kept, _contract(_doubled(shared, copies), kept))] if shared else []
    sums = [_contract([*gram, *_doubled(rows, copies)], "t") for rows in _row_chunks(own)]
    return torch.cat(sums) / n_elements


def _letters_of_the_copy(terms: Sequence[str], output: str) -> dict[str, str]:
    """Every summed letter → an unused one, which stands for it in the network's copy."""
    used = dict.fromkeys("".join(terms) + output)
    summed = [letter for letter in used if letter not in output]
    free = [letter for letter in ascii_letters if letter not in used]
    return dict(zip(summed, free, strict=False))


def _copy(letters: Sequence[str], copies: dict[str, str]) -> list[str]:
    """What letters are called in the copy: a mode of the output stays, a summed one has its own."""
    return [copies.get(letter, letter) for letter in letters]


def _unique(letters: Sequence[str]) -> str:
    return "".join(dict.fromkeys(letters))


def _doubled(operands: Sequence[Operand], copies: dict[str, str]) -> list[Operand]:
    """Every operand, and itself once more with the letters of the copy."""
    both = []
    for term, values in operands:
        wide = values.detach().double()
        both.append((term, wide))
        both.append(("".join(_copy(list(term), copies)), wide))
    return both


def _row_chunks(own: Sequence[Operand]) -> Iterator[list[Operand]]:
    """The tasks' rows, some tasks at a time."""
    longest = max(values[0].numel() for _, values in own)
    at_a_time = max(1, CHUNK // max(1, longest))
    chunks = [values.split(at_a_time) for _, values in own]
    for rows in zip(*chunks, strict=True):
        yield [(term, values) for (term, _), values in zip(own, rows, strict=True)]


def _contract(operands: list[Operand], output: str) -> Tensor:
    """Contract pair by pair, each time the pair that leaves least to carry.

    The doubled network of a convolution has more operands than all orders can be tried for.
    """
    equation = ",".join(term for term, _ in operands) + "->" + output
    shapes = [np.broadcast_to(0.0, values.shape) for _, values in operands]
    path = np.einsum_path(equation, *shapes, optimize=("greedy", NO_LIMIT))[0][1:]
    for places in path:
        taken = [operands.pop(place) for place in sorted(places, reverse=True)]
        terms, values = zip(*taken, strict=True)
        needed = output + "".join(term for term, _ in operands)
        left = output  # of the last pair, whose letters must be in the output's order
        if operands:
            left = "".join(letter for letter in _unique("".join(terms)) if letter in needed)
        operands.append((left, torch.einsum(f"{','.join(terms)}->{left}", *values)))
    return operands[0][1]


def _extent(operands: Sequence[Operand], letters: str) -> int:
    size: dict[str, int] = {}
    for term, values in operands:
        size |= zip(term, values.shape, strict=True)
    return prod(size[letter] for letter in letters)
