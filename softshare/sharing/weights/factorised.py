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
        self._ranks = tuple(ranks)
        # A plain dict would be sorted by name.
        parameters = OrderedDict()
        for name, values in factors.items():
            parameters[name] = _parameter(values)
        self.factors = nn.ParameterDict(parameters)
        self.added = nn.ParameterDict()
        for name, row in (added or {}).items():
            self.added[name] = nn.Parameter(row.clone())
        self._has_added = bool(added)

        inputs, _output = equation.split("->")
        own = []
        for name, term in zip(parameters, inputs.split(","), strict=True):
            if term.startswith("t"):
                own.append(name)
        self._own = tuple(own)
        self._is_tied = not own
        self._grid = tuple(rows or ())
        for name, numbers in (rows or {}).items():
            device = parameters[name].device
            of_tasks = torch.tensor(numbers, device=device)
            self.register_buffer(f"rows_{name}", of_tasks, persistent=False)

    def contraction(self, tasks: Tensor | None = None) -> tuple[str, list[Tensor]]:
        if tasks is None:
            return self.equation, list(self._all_factors().values())
        factors = self._stored_factors()
        for name in self._own:
            rows = tasks
            if name in self._grid:
                # On a grid of tasks several may have one row.
                rows = self.get_buffer(f"rows_{name}")[tasks]
            factors[name] = self._rows(factors[name], rows)
        return self.equation, list(factors.values())

    def _all_factors(self) -> dict[str, Tensor]:
        """The factors with a row for each task, rows in common repeated."""
        factors = self._stored_factors()
        for name in self._grid:
            rows = self.get_buffer(f"rows_{name}")
            factors[name] = self._rows(factors[name], rows)
        return factors

    def _stored_factors(self) -> dict[str, Tensor]:
        """The factors as they are, with the rows of a task that came later."""
        # A ParameterDict's own way costs more than a small layer's product.
        factors: dict[str, Any] = dict(self.factors._parameters)
        if self._has_added:
            for name, row in self.added.items():
                factors[name] = torch.cat([factors[name], row])  # (T − 1, …) and (1, …)
        return factors

    def stored(self) -> tuple[list[Tensor], list[Tensor | None]]:
        """The factors as they are stored, and for each which of its rows is each task's, ``(T,)``;
        None where a task's row is its own number.
        """
        factors = self._stored_factors()
        rows: list[Tensor | None] = []
        for name in factors:
            rows.append(self.get_buffer(f"rows_{name}") if name in self._grid else None)
        return list(factors.values()), rows

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
        names = self._rows_of_all()
        for name in self.added:
            names.append(f"added.{name}")
        return names

    def _rows_of_all(self) -> list[str]:
        """The factors with a row for each task but the one that came last."""
        names = []
        for name in self._own:
            if name not in self._grid:
                names.append(f"factors.{name}")
        return names

    def sparse_parameters(self) -> list[str]:
        if not self.sparse_rows:
            return []
        return [f"factors.{name}" for name in self._own]

    def task_vectors(self) -> Tensor:
        factors = self._all_factors()
        any_factor = next(iter(factors.values()))
        parts = [any_factor.new_zeros(self.n_tasks, 0)]  # all there is where nothing is their own
        for name in self._own:
            parts.append(factors[name].flatten(1))
        return torch.cat(parts, 1)

    @torch.no_grad()
    def scale(self, multiple: Tensor | float) -> None:
        if self._is_tied:
            super().scale(multiple)  # which tells that nothing is the tasks' own
        first = self._own[0]
        self.factors[first].mul_(multiple)

    @torch.no_grad()
    def take_mean(self) -> Tensor | None:
        if len(self._own) != 1 or self._grid or self._has_added:
            return None
        # The weight is linear in its only own factor: the mean of rows makes the mean weight.
        (name,) = self._own
        rows = self.factors[name]
        mean = rows.mean(0, keepdim=True)
        factors = {**self._stored_factors(), name: mean}
        rows.sub_(mean)
        return contract(self.equation, list(factors.values())).reshape(self.shape)

    @torch.no_grad()
    def add_to_all(self, value: Tensor) -> bool:
        factors = list(self.factors.parameters())
        if not self._is_tied or len(factors) != 1 or not factors[0].requires_grad:
            return False
        factors[0].add_(value)
        return True

    def own_values(self, task: int) -> list[Tensor]:
        came_last = task == self.n_tasks - 1
        if self.added and came_last:
            return [row.detach()[0] for row in self.added.values()]
        values = []
        for name in self._rows_of_all():
            rows = self.get_parameter(name).detach()
            values.append(rows[task])
        return values

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
        factors = {}
        for name, factor in self._all_factors().items():
            factors[name] = factor.detach()
        is_whole_weight = len(factors) == 1
        added = {}
        for name in self._own:
            row = start.unsqueeze(0) if is_whole_weight else typical_row(factors[name])
            added[name] = row  # (1, …)
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
    # Kept as tensors: numbers would have to be fetched from the device, and one has none to fetch.
    size = mean.double().square().mean().sqrt()
    wanted = rows.double().square().mean().sqrt()
    growth = torch.where(size > 0, wanted / size, 1.0)
    return mean * growth.to(mean.dtype)


def _parameter(values: Tensor) -> nn.Parameter:
    """A parameter of these values in a row: a strided one could not be saved."""
    copy = values.detach().clone(memory_format=torch.contiguous_format)
    return nn.Parameter(copy)


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
        sparse = torch.sparse_coo_tensor(
            rows.unsqueeze(0),  # (1, k)
            values,
            ctx.size,
            check_invariants=False,
        )
        return sparse, None


def balance(factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same product from factors of equal root-mean-square size.

    An exact SVD split puts all scale into one factor and Adam, whose steps are of one size for all
    elements, then trains it badly. A product that is zero is left as it is.
    """
    sizes = {}
    for name, factor in factors.items():
        sizes[name] = root_mean_square(factor)
    if min(sizes.values()) == 0:
        return dict(factors)
    # The geometric mean leaves the product as it is.
    logs = [log(size) for size in sizes.values()]
    level = exp(sum(logs) / len(logs))
    balanced = {}
    for name, factor in factors.items():
        balanced[name] = factor * (level / sizes[name])
    return balanced
