"""Random factors whose composed weights have the size that is wanted: set, not left to chance.

Variances say what the size is on average. A product of few numbers strays far from that: with one
input channel a Tucker weight is multiplied by a single normal number, and with a task rank of 1 a
task's weight is. So sizes are set in two steps: every shared factor is given its own exactly, and
then every task's rows are scaled until the task's composed weight has the one wanted. A task's rows
depend on its own stream and on what is shared, never on which other tasks there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from string import ascii_lowercase

import torch
from torch import Tensor

from softshare.sharing.algebra.mean_squares import mean_squares
from softshare.sharing.base import root_mean_square
from softshare.sharing.random_streams import RandomStreams


def draw_factors(
    equation: str,
    sizes: Mapping[str, int],
    names: Sequence[str],
    *,
    std: float,
    streams: RandomStreams,
    layer: str,
    levels: Mapping[str, Sequence[object]] | None = None,
) -> dict[str, Tensor]:
    """Random factors whose composed weights have elements of root mean square ``std`` exactly.

    An element of the composed weight is a sum over the contracted modes of products of one element
    a factor, so factors of variance ``(std² / ∏ contracted sizes)^(1 / number of factors)`` give it
    the variance ``std²``; what chance leaves of a difference is then taken out. The composed weight
    itself is never made.

    Args:
        equation: einsum over the factors; ``t`` marks the task axis.
        sizes: the extent of every letter but ``t``.
        names: the factors' names, in the equation's order.
        std: the size wanted: of every task's weight, or of all cells' together where tasks stand on
            a grid.
        streams: where the values come from; a task's rows come from its own stream.
        layer: the layer's name, which sets its streams apart.
        levels: factor → the names of its rows, where these are not the tasks (tasks on a grid of
            factors).
    """
    inputs, output = equation.split("->")
    terms = inputs.split(",")
    summed = set("".join(terms)) - set(output)
    n_summands = prod(sizes[letter] for letter in summed)
    scale = (std**2 / n_summands) ** (1 / (2 * len(terms)))

    of_levels = {}
    for name, rows in (levels or {}).items():
        of_levels[name] = RandomStreams(streams.seed, rows)
    factors = {}
    of_tasks = []
    for name, term in zip(names, terms, strict=True):
        label = f"{layer}.{name}"
        is_own = term.startswith("t")
        shape = [sizes[letter] for letter in term.removeprefix("t")]
        if is_own:
            of_tasks.append(name)
            own_streams = of_levels.get(name, streams)
            values = own_streams.normal_by_task(label, shape)  # (T, *shape)
        else:
            values = of_size_one(streams.normal(label, shape))
        factors[name] = scale * values

    if levels:
        return _set_grid(equation, factors, std)
    return _set_each(equation, factors, of_tasks or names, std)


def of_size_one(values: Tensor) -> Tensor:
    """The same values at a root mean square of 1."""
    return values / root_mean_square(values)


def scales_to(std: float, squares: Tensor) -> Tensor:
    """By what weights of these mean squares are multiplied to have the root mean square ``std``; a
    weight that is zero stays it.
    """
    scales = std / squares.sqrt()
    unchanged = torch.ones_like(squares)
    return torch.where(squares > 0, scales, unchanged)


def scaled_rows(rows: Tensor, scales: Tensor) -> Tensor:
    """Every row times its number, ``(T, *row)`` and ``(T,)``; or the whole times one, ``()``."""
    if scales.ndim:
        ones = [1] * (rows.ndim - 1)
        scales = scales.reshape(-1, *ones)  # (T, 1, …, 1) beside (T, *row)
    return rows * scales.to(rows)


def _set_each(
    equation: str,
    factors: Mapping[str, Tensor],
    scaled: Sequence[str],
    std: float,
) -> dict[str, Tensor]:
    """Every task's weight at its size, by equal parts in each of the factors to be scaled."""
    values = list(factors.values())
    scales = scales_to(std, mean_squares(equation, values))  # (T,), or () of tied weights
    return _scaled(factors, scaled, scales)


def _scaled(
    factors: Mapping[str, Tensor],
    scaled: Sequence[str],
    scales: Tensor,
) -> dict[str, Tensor]:
    """Some of the factors scaled, so that the product has the scales given."""
    part = scales ** (1 / len(scaled))
    result = dict(factors)
    for name in scaled:
        result[name] = scaled_rows(factors[name], part)
    return result


def _set_grid(
    equation: str,
    factors: Mapping[str, Tensor],
    std: float,
) -> dict[str, Tensor]:
    """The stack of all cells' weights at its size, by equal parts in each of the shared factors: a
    row that several tasks have in common cannot suit each of them.

    Cells without a task count, so that no task's start depends on which others there are.
    """
    inputs, output = equation.split("->")
    unused = iter(letter for letter in ascii_lowercase if letter not in equation)
    # Every task axis gets a letter of its own: tA,tB → xA,yB, and the output has a mode for each.
    terms = []
    axes = ""
    shared = []
    for name, term in zip(factors, inputs.split(","), strict=True):
        if term.startswith("t"):
            axis = next(unused)
            axes += axis
            terms.append(axis + term.removeprefix("t"))
        else:
            shared.append(name)
            terms.append(term)
    left = ",".join(terms)
    modes = output.removeprefix("t")
    values = list(factors.values())
    squares = mean_squares(f"{left}->t{axes}{modes}", values)  # () over all cells
    return _scaled(factors, shared, scales_to(std, squares))
