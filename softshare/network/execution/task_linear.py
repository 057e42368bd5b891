"""``nn.Linear`` in all tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.sharing.algebra.contraction import (
    Order,
    carry_out,
    cheapest_order,
    contract,
    shapes_of,
)
from softshare.sharing.base import SharedWeight

COMPOSES = "weights composed for all tasks, one batched product"
JOINS = "the input joins the factors"


class TaskLinear(TaskLayer):
    """``nn.Linear`` in all tasks: one batched product, or the input joins the weight's own
    contraction.

    Of a weight with factors ``U (in, r)`` and ``V_t (r, out)`` the two ways are, with the
    multiply-adds of a task::

        composing:   (U · V_t), then x · W_t     in·r·out + B·in·out     best for many rows
        joining:     (x · U), then · V_t         B·in·r + B·r·out        best for few

    Args:
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
    """

    def __init__(self, parameters: Sources, layout: BatchLayout) -> None:
        super().__init__(parameters, layout)
        self._can_join = takes_input(self._weight)

    @property
    def _weight(self) -> SharedWeight:
        _, weight = self._sources["weight"]
        return weight

    def forward(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """``(k·B, *, in)`` (or ``(B, *, in)`` while all tasks see the same rows) → ``(k·B, *,
        out)``, added to ``onto`` ``(k, B, *, out)`` where a sum's other term is there already.
        """
        layout = self._layout
        if not self._is_own["weight"]:
            y = self._shared(layout.join(x))
            if onto is None:
                return y
            apart = layout.separate(y)
            return layout.leave(apart + onto)
        if layout.one_copy:
            rows = x.shape[:-1]  # x is (B, *, in)
        else:
            x = layout.separate(x)
            rows = x.shape[1:-1]  # x is (k, B, *, in)
        bias = onto
        if self._has_bias:
            bias = self._stack("bias").unsqueeze(1)  # (k, 1, out)
            if onto is not None:
                bias = bias.view(len(bias), *[1] * len(rows), -1) + onto
        if bias is not None and len(rows) > 1:
            bias = bias.flatten(1, -2)  # (k, 1, out), or a row for each of x's
        if len(rows) == 1:
            y = self._product(x, bias)
            return layout.leave(y)
        # Further dimensions of rows, (B, *), become more rows while they are multiplied.
        flat = x.flatten(-1 - len(rows), -2)
        y = self._product(flat, bias)
        return layout.leave(y.unflatten(1, rows))

    def affine(self, rows: int) -> tuple[Tensor, Tensor | None] | None:
        """Weight ``(in, out)`` and bias where they are the same for all tasks, else None; the
        caller multiplies ``rows`` rows by them.
        """
        if not self.is_shared:
            return None
        weight = self._weight.of(0)
        self._note_shared(
            weight,
            rows,
            "one product with the core's other layers: the weight is the same for all tasks",
        )
        bias = self._one("bias") if self._has_bias else None
        return weight, bias

    def _shared(self, x: Tensor) -> Tensor:
        """One ordinary product on the folded batch; biases may still be the tasks' own."""
        layout = self._layout
        weight = self._weight.of(0)  # (in, out), as it is stored
        if layout.decisions is not None:
            self._note_shared(
                weight,
                x.numel() // x.shape[-1],
                "one product: the weight is the same for all tasks",
            )
        if self._has_bias and self.is_shared and x.ndim == 2:
            return torch.addmm(self._one("bias"), x, weight)
        if not self._is_own.get("bias", False):
            bias = self._one("bias") if self._has_bias else None
            return nn.functional.linear(x, weight.T, bias)
        biases = self._stack("bias")  # (k, out)
        product = nn.functional.linear(x, weight.T)
        y = layout.separate(product)  # (k, B, *, out)
        between = [1] * (y.ndim - 2)
        biases = biases.view(len(biases), *between, -1)
        return layout.leave(y + biases)

    def _product(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """``(k, B, in)`` or ``(B, in)`` and bias ``(k, 1, out)`` → ``(k, B, out)``, in the cheapest
        order.
        """
        tasks = self._layout.tasks
        network = self._weight.contraction(tasks) if self._can_join else None
        if network is None:
            weight = self._weight.padded(tasks)
        else:
            equation, factors = network
            operands = [*factors, x]
            joint = joint_equation(equation, x.ndim == 2)
            order = cheapest_order(joint, shapes_of(operands))
            if not _composes_first(order, len(operands)):
                y = carry_out(order, operands)
                self._note_product(x, y, joins=True)
                return y if bias is None else y + bias
            weight = contract(equation, factors)
        rows = x
        if x.ndim == 2:
            rows = x.expand(self._layout.n_tasks, *x.shape)
        y = _batched_product(rows, weight, bias)
        self._note_product(x, y, joins=False)
        return y

    # --- what it tells -------------------------------------------------------------------------

    def _note_shared(self, weight: Tensor, rows: int, way: str) -> None:
        """Write down, when asked to, one product of so many rows."""
        if self._layout.decisions is None:
            return
        n_in, n_out = weight.shape
        size = n_in * n_out
        elements = rows * (n_in + n_out) + size
        self._note(way, rows * size, elements)

    def _note_product(self, x: Tensor, y: Tensor, *, joins: bool) -> None:
        """Write down, when asked to, the way taken, and the one not taken where there are two."""
        if self._layout.decisions is None:
            return
        network = self._weight.contraction(self._layout.tasks)
        n_tasks, n_rows, n_out = y.shape
        n_in = x.shape[-1]
        shapes = (
            (n_tasks, n_rows, n_in),
            (n_tasks, n_in, n_out),
        )
        product = cheapest_order("tni,tio->tno", shapes)
        if network is None or len(network[1]) == 1:
            self._note(
                "each task's own weights, one batched product",
                product.multiply_adds,
                product.elements,
            )
            return
        equation, factors = network
        composing = cheapest_order(equation, shapes_of(factors))
        taken = (
            COMPOSES,
            composing.multiply_adds + product.multiply_adds,
            composing.elements + product.elements,
        )
        if not self._can_join:
            self._note(*taken)
            return
        joint = joint_equation(equation, x.ndim == 2)
        operands = [*factors, x]
        order = cheapest_order(joint, shapes_of(operands), last=False)
        other = (
            JOINS,
            order.multiply_adds,
            order.elements,
        )
        if joins:
            taken, other = other, taken
        way, adds, moved = other
        instead = f"{way}: {adds:,} multiply-adds, {moved:,} elements"
        self._note(*taken, instead)


def _batched_product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``(k, B, in)``, ``(k, in, out)`` and ``(k, 1, out)`` → ``(k, B, out)``."""
    if bias is None:
        return torch.bmm(rows, weight)
    return torch.baddbmm(bias, rows, weight)


def takes_input(weight: SharedWeight) -> bool:
    """Whether a layer's input can join the weight's contraction: several factors, and no modes to
    be merged afterwards.
    """
    network = weight.contraction()
    if network is None:
        return False
    equation, factors = network
    _, _, output = equation.partition("->")
    return len(factors) > 1 and len(output) == 3


def joint_equation(equation: str, one_input: bool) -> str:
    """The equation of a weight ``(t, in, out)`` with the layer's input as one more operand, its
    output ``(t, batch, out)``.

    Args:
        equation: the weight's own, its output the task, the inputs and the outputs.
        one_input: whether the input has no task axis.
    """
    factors, output = equation.split("->")
    n_in, n_out = output[1], output[2]
    batch = next(letter for letter in "nmpqrsuvwxyz" if letter not in equation)
    task = "" if one_input else "t"
    return f"{factors},{task}{batch}{n_in}->t{batch}{n_out}"


def _composes_first(order: Order, n_operands: int) -> bool:
    """Whether the input, the last operand, waits until the weight is composed."""
    left, right, _ = order.steps[-1]
    return n_operands - 1 in (left, right)
