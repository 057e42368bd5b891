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


class TaskLinear(TaskLayer):
    """``nn.Linear`` in all tasks: one batched product, or the input joins the weight's own
    contraction.

    Args:
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
    """

    def __init__(self, parameters: Sources, layout: BatchLayout) -> None:
        super().__init__(parameters, layout)
        self._can_join = takes_input(parameters["weight"][1])

    def forward(self, x: Tensor) -> Tensor:
        """``(k·B, *, in)`` (or ``(B, *, in)`` while all tasks see the same rows) → ``(k·B, *,
        out)``.
        """
        layout = self._layout
        if not self._is_own["weight"]:
            return self._shared(layout.join(x))
        x = x if layout.one_copy else layout.separate(x)
        rows = x.shape[:-1] if layout.one_copy else x.shape[1:-1]
        bias = self._stack("bias").unsqueeze(1) if self._has_bias else None
        if len(rows) == 1:
            return layout.leave(self._product(x, bias))
        return layout.leave(self._product(x.flatten(-1 - len(rows), -2), bias).unflatten(1, rows))

    def affine(self, rows: int) -> tuple[Tensor, Tensor | None] | None:
        """Weight ``(in, out)`` and bias where they are the same for all tasks, else None; the
        caller multiplies ``rows`` rows by them.
        """
        if not self.is_shared:
            return None
        weight = self._weight_of_all()
        if self._layout.decisions is not None:
            self._note_shared(
                weight,
                rows,
                "one product with the core's other layers: the weight is the same for all tasks",
            )
        return weight, self._one("bias") if self._has_bias else None

    def _weight_of_all(self) -> Tensor:
        """``(in, out)``, as it is stored."""
        return self._sources["weight"][1].of(0)

    def _shared(self, x: Tensor) -> Tensor:
        """One ordinary product on the folded batch; biases may still be the tasks' own."""
        layout, weight = self._layout, self._weight_of_all()
        if layout.decisions is not None:
            self._note_shared(
                weight,
                x.numel() // x.shape[-1],
                "one product: the weight is the same for all tasks",
            )
        if self._has_bias and self.is_shared and x.ndim == 2:
            return torch.addmm(self._one("bias"), x, weight)
        if not self._is_own.get("bias", False):
            return nn.functional.linear(x, weight.T, self._one("bias") if self._has_bias else None)
        bias = self._stack("bias")
        y = layout.separate(nn.functional.linear(x, weight.T))
        return layout.leave(y + bias.view(len(bias), *[1] * (y.ndim - 2), -1))

    def _note_shared(self, weight: Tensor, rows: int, way: str) -> None:
        self._note(way, rows * weight.numel(), rows * sum(weight.shape) + weight.numel())

    def _product(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """``(k, B, in)`` or ``(B, in)`` and bias ``(k, 1, out)`` → ``(k, B, out)``, in the cheapest
        order.
        """
        layout, source = self._layout, self._sources["weight"][1]
        network = source.contraction(layout.tasks) if self._can_join else None
        if network is not None:
            operands = [*network[1], x]
            order = cheapest_order(joint_equation(network[0], x.ndim == 2), shapes_of(operands))
            if not _composes_first(order, len(operands)):
                y = carry_out(order, operands)
                if layout.decisions is not None:
                    self._note_product(x, y, joins=True)
                return y if bias is None else y + bias
        weight = source.padded(layout.tasks) if network is None else contract(*network)
        rows = x.expand(layout.n_tasks, *x.shape) if x.ndim == 2 else x
        y = torch.bmm(rows, weight) if bias is None else torch.baddbmm(bias, rows, weight)
        if layout.decisions is not None:
            self._note_product(x, y, joins=False)
        return y

    def _note_product(self, x: Tensor, y: Tensor, *, joins: bool) -> None:
        """Write down the way taken, and the one not taken where there are two."""
        network = self._sources["weight"][1].contraction(self._layout.tasks)
        product = cheapest_order(
            "tni,tio->tno", ((*y.shape[:2], x.shape[-1]), (len(y), x.shape[-1], y.shape[-1]))
        )
        if network is None or len(network[1]) == 1:
            self._note(
                "each task's own weights, one batched product",
                product.multiply_adds,
                product.elements,
            )
            return
        composing = cheapest_order(network[0], shapes_of(network[1]))
        way = "weights composed for all tasks, one batched product"
        ways = [
            (
                way,
                composing.multiply_adds + product.multiply_adds,
                composing.elements + product.elements,
            )
        ]
        if self._can_join:
            order = cheapest_order(
                joint_equation(network[0], x.ndim == 2), shapes_of([*network[1], x]), last=False
            )
            ways.append(("the input joins the factors", order.multiply_adds, order.elements))
        (way, multiply_adds, elements), *others = reversed(ways) if joins else ways
        instead = [
            f"{other}: {adds:,} multiply-adds, {moved:,} elements" for other, adds, moved in others
        ]
        self._note(way, multiply_adds, elements, "".join(instead))


def takes_input(weight: SharedWeight) -> bool:
    """Whether a layer's input can join the weight's contraction: several factors, and no modes to
    be merged afterwards.
    """
    network = weight.contraction()
    return network is not None and len(network[1]) > 1 and len(network[0].split("->")[1]) == 3


def joint_equation(equation: str, one_input: bool) -> str:
    """The equation of a weight ``(t, in, out)`` with the layer's input as one more operand, its
    output ``(t, batch, out)``.

    Args:
        equation: the weight's own, its output the task, the inputs and the outputs.
        one_input: whether the input has no task axis.
    """
    inputs, output = equation.split("->")
    batch = next(letter for letter in "nmpqrsuvwxyz" if letter not in equation)
    return f"{inputs},{'' if one_input else 't'}{batch}{output[1]}->t{batch}{output[2]}"


def _composes_first(order: Order, n_operands: int) -> bool:
    """Whether the input, the last operand, waits until the weight is composed."""
    return n_operands - 1 in order.steps[-1][:2]
