"""How large the value of a tensor network is, found without making the value.

``‖W‖²`` is the network joined to its own copy along all of its output's letters:

    W[a,b] = Σ_A  L[a,A] R[A,b]           L ─A─ R
                                          │a    │b
    ‖W‖²   = Σ    L[a,A] R[A,b]           L ─Z─ R
                · L[a,Z] R[Z,b]

Contracted from the sides inwards, all that is ever made are Gram matrices of factors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    own: list[Operand] = []
    shared: list[Operand] = []
    for term, values in zip(terms, operands, strict=True):
        kind = own if term.startswith("t") else shared
        kind.append((term, values))

    modes = output.removeprefix("t")
    n_elements = _extent(own + shared, modes)
    if not own:
        whole = _contract(_doubled(shared, copies), "")
        return whole / n_elements

    gram = _gram(own, shared, copies)
    sums = []
    for rows in _row_chunks(own):
        both = _doubled(rows, copies)
        sums.append(_contract([*gram, *both], "t"))  # (k,) of k tasks
    return torch.cat(sums) / n_elements


def _gram(
    own: Sequence[Operand],
    shared: Sequence[Operand],
    copies: Mapping[str, str],
) -> list[Operand]:
    """What the shared factors look like from the tasks' rows: a Gram matrix over the letters that
    lead there, ``(K, K)`` where a task has a row of K values; nothing where none are shared.
    """
    if not shared:
        return []
    of_rows = _letters(own)
    border = [letter for letter in _letters(shared) if letter in of_rows]
    # A mode of the output is one letter in both copies: it stands once.
    kept = _unique(border + _copy(border, copies))
    both = _doubled(shared, copies)
    return [(kept, _contract(both, kept))]


def _letters_of_the_copy(
    terms: Sequence[str],
    output: str,
) -> dict[str, str]:
    """Every summed letter → an unused one, which stands for it in the network's copy."""
    used = _unique([*terms, output])
    summed = [letter for letter in used if letter not in output]
    free = [letter for letter in ascii_letters if letter not in used]
    return dict(zip(summed, free, strict=False))


def _copy(
    letters: Sequence[str],
    copies: Mapping[str, str],
) -> list[str]:
    """What letters are called in the copy: a mode of the output stays, a summed one has its own."""
    return [copies.get(letter, letter) for letter in letters]


def _letters(operands: Sequence[Operand]) -> str:
    """Every letter of some operands, once."""
    return _unique(_terms(operands))


def _terms(operands: Sequence[Operand]) -> list[str]:
    return [term for term, _ in operands]


def _unique(letters: Sequence[str]) -> str:
    found = dict.fromkeys("".join(letters))
    return "".join(found)


def _doubled(
    operands: Sequence[Operand],
    copies: Mapping[str, str],
) -> list[Operand]:
    """Every operand, and itself once more with the letters of the copy."""
    both = []
    for term, values in operands:
        wide = values.detach().double()
        other = "".join(_copy(term, copies))
        both.append((term, wide))
        both.append((other, wide))
    return both


def _row_chunks(own: Sequence[Operand]) -> Iterator[list[Operand]]:
    """The tasks' rows, some tasks at a time."""
    terms = _terms(own)
    longest = 1
    for _, values in own:
        longest = max(longest, values[0].numel())
    at_a_time = max(1, CHUNK // longest)
    chunks = [values.split(at_a_time) for _, values in own]
    for rows in zip(*chunks, strict=True):
        yield list(zip(terms, rows, strict=True))


def _contract(operands: Sequence[Operand], output: str) -> Tensor:
    """Contract pair by pair, each time the pair that leaves least to carry.

    The doubled network of a convolution has more operands than all orders can be tried for.
    """
    waiting = list(operands)
    for places in _greedy_pairs(waiting, output):
        # From the back: what is taken out leaves the smaller places as they are.
        from_the_back = sorted(places, reverse=True)
        taken = [waiting.pop(place) for place in from_the_back]
        terms = _terms(taken)
        values = [tensor for _, tensor in taken]
        left = output  # of the last pair, whose letters must be in the output's order
        if waiting:
            later = output + _letters(waiting)
            left = _needed(terms, later)
        inputs = ",".join(terms)
        result = torch.einsum(f"{inputs}->{left}", *values)
        waiting.append((left, result))
    return waiting[0][1]


def _needed(terms: Sequence[str], later: str) -> str:
    """The letters of a pair that something later has too: all others are summed now."""
    kept = [letter for letter in _unique(terms) if letter in later]
    return "".join(kept)


def _greedy_pairs(
    operands: Sequence[Operand],
    output: str,
) -> list[tuple[int, ...]]:
    """Places of the operands that are contracted one after the other; each result joins the list
    at its end.
    """
    inputs = ",".join(_terms(operands))
    # The order is found from shapes alone: views of one number that look as large.
    stand_ins = []
    for _, values in operands:
        stand_ins.append(np.broadcast_to(0.0, values.shape))
    path, _told = np.einsum_path(
        f"{inputs}->{output}",
        *stand_ins,
        optimize=("greedy", NO_LIMIT),
    )
    return path[1:]  # the first entry is a word


def _extent(operands: Sequence[Operand], letters: str) -> int:
    """How many elements a tensor of these letters has."""
    size: dict[str, int] = {}
    for term, values in operands:
        size |= zip(term, values.shape, strict=True)
    return prod(size[letter] for letter in letters)
