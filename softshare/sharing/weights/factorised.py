"""A weight that is a tensor network: an einsum equation and its factors."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from math import exp, log, prod
from typing import Any

import torch
from torch import Tensor, nn

from softshare.sharing.algebra.contraction import contract
from softshare.sharing.base import SharedWeight, root_mean_square


class FactorisedWeight(SharedWeight):
    """All tasks' copies of one weight, composed from factors by one contraction.

    Independent, tied, LAF, Tucker, tensor-train and tensor-ring weights are this one module with
    different equations.

    Args:
        equation: einsum over the factors, its output ``t`` and then the weight's modes in the
            papers' order. Factors that carry ``t`` have it as dim 0 and are the tasks' own.
        factors: name → initial values, in the equation's order.
        shape: the weight's shape, where the equation's output modes must still be merged into it.
        n_tasks: length of the task axis.
        ranks: what :meth:`ranks` reports.
        rows: factor → which of its rows is each task's, ``(T,)`` numbers, where tasks have rows in
            common (tasks on a grid of factors); a task's row is its own number otherwise.
        added: factor → the row ``(1, …)`` of a task that came later, a parameter of its own.

    Shape:
        composed ``(T, *shape)``.
    """

    def __init__(
        self,
        equation: str,
        factors: Mapping[str, Tensor],
        *,
        shape: Sequence[int],
        n_tasks: int,
        ranks: Sequence[int] = (),
        rows: Mapping[str, Sequence[int]] | None = None,
        added: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.equation = equation
        self.shape = tuple(shape)
        self.n_tasks = n_tasks
        # A plain dict would be sorted by name; strided factors could not be saved.
        own = OrderedDict(
            (name, nn.Parameter(values.detach().clone(memory_format=torch.contiguous_format)))
            for name, values in factors.items()
        )
        self.factors = nn.ParameterDict(own)
        self.added = nn.ParameterDict(
            {name: nn.Parameter(row.clone()) for name, row in (added or {}).items()}
        )
        self._ranks = tuple(ranks)
        terms = equation.split("->")[0].split(",")
        each = zip(own, terms, strict=True)
        self._own = tuple(name for name, term in each if term.startswith("t"))
        self._is_tied = not self._own
        self._grid = tuple(rows or ())
        self._has_added = bool(added)
        for name, numbers in (rows or {}).items():
            self.register_buffer(
                f"rows_{name}",
                torch.tensor(numbers, device=own[name].device),
                persistent=False,
            )

    def contraction(self, tasks: Tensor | None = None) -> tuple[str, list[Tensor]]:
        if tasks is None:
            return self.equation, list(self._all_factors().values())
        factors = self._stored_factors()
        for name in self._own:
            # On a grid of tasks several may have one row.
            rows = self.get_buffer(f"rows_{name}")[tasks] if name in self._grid else tasks
            factors[name] = self._rows(factors[name], rows)
        return self.equation, list(factors.values())

    def _all_factors(self) -> dict[str, Tensor]:
        """The factors with a row for each task, rows in common repeated."""
        factors = self._stored_factors()
        for name in self._grid:
            factors[name] = self._rows(factors[name], self.get_buffer(f"rows_{name}"))
        return factors

    def _stored_factors(self) -> dict[str, Tensor]:
        """The factors as they are, with the rows of a task that came later."""
        # A ParameterDict's own way costs more than a small layer's product.
        factors: dict[str, Any] = dict(self.factors._parameters)
        if self._has_added:
            for name, row in self.added.items():
                factors[name] = torch.cat([factors[name], row])  # (T − 1, …) and (1, …)
        return factors

    def _rows(self, factor: Tensor, tasks: Tensor) -> Tensor:
        """These tasks' rows; with ``sparse_rows`` the gradient holds them alone, not a zero for
        every other task.
        """
        if self.sparse_rows:
            return SparseRows.apply(factor, tasks)
        return factor.index_select(0, tasks)

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        n_tasks = self.n_tasks if tasks is None else len(tasks)
        if self._is_tied:
            return self.of(0).expand(n_tasks, *self.shape)
        equation, operands = self.contraction(tasks)
        if len(operands) == 1:
            return operands[0]
        return contract(equation, operands).reshape(n_tasks, *self.shape)

    def of(self, task: int) -> Tensor:
        if not self._is_tied:
            return super().of(task)
        factors = list(self._all_factors().values())
        if len(factors) == 1:
            return factors[0]
        # No factor carries the task, so neither does the product.
        return contract(self.equation.replace("->t", "->"), factors).reshape(self.shape)

    def task_parameters(self) -> list[str]:
        return self._rows_of_all() + [f"added.{name}" for name in self.added]

    def _rows_of_all(self) -> list[str]:
        """The factors with a row for each task but the one that came last."""
        return [f"factors.{name}" for name in self._own if name not in self._grid]

    def sparse_parameters(self) -> list[str]:
        return [f"factors.{name}" for name in self._own] if self.sparse_rows else []

    def task_vectors(self) -> Tensor:
        factors = self._all_factors()
        own = [factors[name].flatten(1) for name in self._own]
        nothing = next(iter(factors.values())).new_zeros(self.n_tasks, 0)
        return torch.cat([nothing, *own], 1)

    def own_values(self, task: int) -> list[Tensor]:
        if self.added and task == self.n_tasks - 1:
            return [row.detach()[0] for row in self.added.values()]
        return [self.get_parameter(name).detach()[task] for name in self._rows_of_all()]

    def with_task(self, start: Tensor) -> SharedWeight:
        """One more row of every factor that the tasks have of their own: a typical one, or
        ``start`` where it is the whole weight.

        The row is a parameter of its own, so that no optimizer (weight decay!) touches the others'.
        """
        if tuple(start.shape) != self.shape:
            raise ValueError(
                f"the new task needs the shape {tuple(start.shape)}, the tasks share one of "
                f"{self.shape}"
            )
        if self._grid:
            raise ValueError(
                "tasks on a grid of factors take no new task: it would be a new value of "
                "some factor, not a row"
            )
        factors = {name: factor.detach() for name, factor in self._all_factors().items()}
        added = {name: typical_row(factors[name]) for name in self._own}
        if len(factors) == 1:  # the tasks' rows are whole weights
            added = dict.fromkeys(added, start.unsqueeze(0))
        weight = type(self)(
            self.equation,
            factors,
            shape=self.shape,
            n_tasks=self.n_tasks + 1,
            ranks=self._ranks,
            added=added,
        )
        weight.factors.requires_grad_(False)
        return weight

    def independent_parameters(self) -> int:
        return self.n_tasks * prod(self.shape)

    def ranks(self) -> tuple[int, ...]:
        return self._ranks

    def extra_repr(self) -> str:
        return f"{self.equation}, shape={self.shape}, n_tasks={self.n_tasks}"


def typical_row(rows: Tensor) -> Tensor:
    """Where a new task starts: the mean of the tasks' rows, at their root-mean-square size; ``(T,
    *row)`` → ``(1, *row)``.

    The mean is what the rows have in common. Of rows that have little in common it is small, up to
    ``1/√T`` of their size, and a weight composed with several such rows would be next to nothing.
    """
    mean = rows.mean(0, keepdim=True)
    size = root_mean_square(mean)
    return mean * (root_mean_square(rows) / size) if size else mean


class SparseRows(torch.autograd.Function):
    """Rows of a tensor, whose gradient is a sparse tensor of those rows:
    :func:`torch.nn.functional.embedding` for any shape.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, rows: Tensor) -> Tensor:
        """``(T, *shape)`` and ``(k,)`` → ``(k, *shape)``."""
        ctx.save_for_backward(rows)
        ctx.size = values.shape
        return values.index_select(0, rows)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """``(k, *shape)`` → sparse ``(T, *shape)``."""
        (rows,) = ctx.saved_tensors
        # A dimension of one place may have any stride and still count as contiguous; what reads
        # sparse values goes by the strides, so they are made anew.
        values = gradient.reshape(-1).view(gradient.shape)
        size = ctx.size
        return torch.sparse_coo_tensor(
            rows.unsqueeze(0),
            values,
            size,
            check_invariants=False,
        ), None


def balance(factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same product from factors of equal root-mean-square size.

    An exact SVD split puts all scale into one factor and Adam, whose steps are of one size for all
    elements, then trains it badly. A product that is zero is left as it is.
    """
    scales = {name: root_mean_square(factor) for name, factor in factors.items()}
    if min(scales.values()) == 0:
        return dict(factors)
    level = exp(sum(log(scale) for scale in scales.values()) / len(scales))
    return {name: factor * (level / scales[name]) for name, factor in factors.items()}
