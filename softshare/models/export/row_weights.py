"""Layers whose rows belong to different tasks: factors are gathered by row, weights never composed.

Of a weight with factors ``U (in, r)`` and ``V (T, r, out)`` every row ``x_n`` of task ``t_n``
becomes ``x_n · U · V[t_n]``: what is made is as large as the batch, and what is kept as large as
the factors, however many tasks there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import torch
from torch import Tensor, nn

from softshare.models.export.refusal import NotExportableError
from softshare.sharing.algebra.contraction import cheapest_order
from softshare.sharing.base import SharedWeight
from softshare.sharing.weights.factorised import FactorisedWeight
from softshare.sharing.weights.sum_weight import SumWeight

ROWS = 64
"""Of a batch, by which the order of products is chosen."""


class AffineOfRows(nn.Module):
    """``nn.Linear`` of which every row has its own task's weight.

    Args:
        weight: of all tasks, modes ``(in, out)``.
        bias: of all tasks, or None.
        shape: of the weight.
    """

    def __init__(
        self,
        weight: SharedWeight,
        bias: SharedWeight | None,
        shape: Sequence[int],
    ) -> None:
        super().__init__()
        n_in, n_out = shape
        weights = []
        for term, multiple in terms_of(weight):
            weights.append(
                ProductOfRows(
                    term,
                    multiple,
                    n_in,
                )
            )
        self.weights = nn.ModuleList(weights)
        self.bias = None if bias is None else ValuesOfRows(bias, (n_out,))

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, in)`` and ``(N,)`` → ``(N, out)``."""
        y = torch.zeros((), dtype=x.dtype)
        for weight in self.weights:
            y = y + weight(x, places)
        return y if self.bias is None else y + self.bias(x, places)


class ValuesOfRows(nn.Module):
    """Every row's own values of a parameter, such as a bias.

    Args:
        weight: of all tasks.
        shape: of the parameter.
    """

    def __init__(
        self,
        weight: SharedWeight,
        shape: Sequence[int],
    ) -> None:
        super().__init__()
        self.shape = tuple(shape)
        terms = []
        for term, multiple in terms_of(weight):
            # A row's only input is 1: of it, the product is the value itself.
            terms.append(
                ProductOfRows(
                    term,
                    multiple,
                    1,
                )
            )
        self.terms = nn.ModuleList(terms)

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, *)`` and ``(N,)`` → ``(N, *shape)``."""
        ones = torch.ones_like(x[:, :1])
        values = torch.zeros((), dtype=x.dtype)
        for term in self.terms:
            values = values + term(ones, places)
        return values.reshape(-1, *self.shape)


class ProductOfRows(nn.Module):
    """One product of factors, joined by every row's inputs.

    Args:
        weight: of all tasks, a product of factors.
        multiple: what it is multiplied by.
        n_in: the inputs of a row; 1 where the weight has outputs alone.

    Raises:
        NotExportableError: the tasks' weights differ in shape.
    """

    def __init__(
        self,
        weight: SharedWeight,
        multiple: float,
        n_in: int,
    ) -> None:
        super().__init__()
        equation, factors, rows = _stored(weight)
        terms, _, output = equation.partition("->")
        operands = terms.split(",")
        self.is_own = [term.startswith("t") for term in operands]
        self.factors = _kept([factor.detach() for factor in factors])
        self.factors[0].mul_(multiple)
        # None are kept of a factor whose rows are the tasks' own numbers.
        none = torch.zeros(0, dtype=torch.int64)
        self.rows = _kept([none if numbers is None else numbers for numbers in rows])
        size: dict[str, int] = {"t": ROWS}
        for term, factor in zip(operands, factors, strict=True):
            of_term = zip(term, factor.shape, strict=True)
            size |= {letter: extent for letter, extent in of_term if letter != "t"}
        inputs, outputs = _divided(output[1:], size, n_in)
        self.input_sizes = [size[letter] for letter in inputs]
        shapes = []
        for term in [*operands, "t" + inputs]:
            shapes.append(tuple(size[letter] for letter in term))
        joint = f"{terms},t{inputs}->t{outputs}"
        order = cheapest_order(joint, tuple(shapes))
        self.steps = order.steps
        # The order's own axes are those of its products, which lay modes out as they come.
        _, _, last = order.steps[-1]
        _, _, made = last.partition("->")
        self.axes = tuple(made.index(letter) for letter in "t" + outputs)

    def forward(
        self,
        x: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, in)`` and ``(N,)`` → ``(N, out)``."""
        operands = []
        for factor, rows, is_own in zip(self.factors, self.rows, self.is_own, strict=True):
            if not is_own:
                operands.append(factor)
                continue
            numbers = rows.index_select(0, places) if len(rows) else places
            operands.append(factor.index_select(0, numbers))
        operands.append(x.reshape(-1, *self.input_sizes))
        for left, right, equation in self.steps:
            operands.append(
                torch.einsum(
                    equation,
                    operands[left],
                    operands[right],
                )
            )
        y = operands[-1].permute(self.axes)
        return y.flatten(1) if y.ndim > 1 else y[:, None]


def terms_of(weight: SharedWeight, multiple: float = 1.0) -> Iterator[tuple[SharedWeight, float]]:
    """The weights whose sum a weight is, each with what it is multiplied by."""
    if not isinstance(weight, SumWeight):
        yield weight, multiple
        return
    one = torch.ones((), dtype=torch.float64)
    of_own = float(weight.scaled(one))
    yield from terms_of(weight.common, multiple)
    yield from terms_of(weight.own, multiple * of_own)


def _stored(weight: SharedWeight) -> tuple[str, list[Tensor], list[Tensor | None]]:
    """A weight's equation, its factors as they are stored, and which row of each is each task's."""
    if isinstance(weight, FactorisedWeight):
        factors, rows = weight.stored()
        return weight.equation, factors, rows
    network = weight.contraction()
    if network is None:
        raise NotExportableError("the tasks' weights differ in shape; export each task by itself")
    equation, factors = network
    return equation, factors, [None] * len(factors)


def _divided(
    letters: str,
    size: dict[str, int],
    n_in: int,
) -> tuple[str, str]:
    """The modes of a weight that make up its inputs, and those of its outputs."""
    for count in range(len(letters) + 1):
        if prod(size[letter] for letter in letters[:count]) == n_in:
            return letters[:count], letters[count:]
    raise NotExportableError(f"no modes among {letters} make up {n_in} inputs")


def _kept(values: Sequence[Tensor]) -> nn.ParameterList:
    """Copies that are not trained."""
    copies = nn.ParameterList()
    for value in values:
        copies.append(nn.Parameter(value.clone(), requires_grad=False))
    return copies
