"""``nn.Linear`` in all tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.joining import TASK, Joint, joined, joint_of
from softshare.sharing.algebra.contraction import cheapest_order, contract, shapes_of
from softshare.sharing.base import SharedWeight

COMPOSES = "weights composed for all tasks, one batched product"
COMPOSES_ONE = "the weight composed once, one product: it is the same for all tasks"
JOINS = "the input joins the factors"


class TaskLinear(TaskLayer):
    """``nn.Linear`` in all tasks: one batched product, or the input joins the weight's own
    contraction.

    Of a weight with factors ``U (in, r)`` and ``V_t (r, out)`` the two ways are, with the
    multiply-adds of a task::

        composing:   (U · V_t), then x · W_t     in·r·out + B·in·out     best for many rows
        joining:     (x · U), then · V_t         B·in·r + B·r·out        best for few

    A tensor ring has its inputs and outputs in several modes, and may take a row mode by mode.

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
        if self._can_join:
            product = self._shared_product(x)
            return self._with_bias(product)
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
        return self._with_bias(nn.functional.linear(x, weight.T))

    def _shared_product(self, x: Tensor) -> Tensor:
        """``(k·B, *, in)`` by a weight that all tasks have and that is a product of factors."""
        equation, factors = _of_one(self._weight)
        rows = x.flatten(0, -2)
        joint = joint_of(equation, shapes_of(factors), *shapes_of([rows]))
        if joint.composes_first:
            weight = contract(equation, factors).reshape(rows.shape[1], -1)
            y = rows @ weight
        else:
            y = joined(joint, factors, rows)
        self._note_product(joint)
        return y.unflatten(0, x.shape[:-1])

    def _with_bias(self, product: Tensor) -> Tensor:
        """A product of the folded batch ``(k·B, *, out)`` and the bias, where there is one."""
        layout = self._layout
        if not self._has_bias:
            return product
        if not self._is_own["bias"]:
            return product + self._one("bias")
        biases = self._stack("bias")  # (k, out)
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
            joint = joint_of(equation, shapes_of(factors), *shapes_of([x]))
            self._note_product(joint)
            if not joint.composes_first:
                y = joined(joint, factors, x)
                return y if bias is None else y + bias
            weight = contract(equation, factors)  # (k, in, out), or both in several modes
            if weight.ndim > 3:
                weight = weight.reshape(len(weight), x.shape[-1], -1)
        rows = x
        if x.ndim == 2:
            rows = x.expand(self._layout.n_tasks, *x.shape)
        y = _batched_product(rows, weight, bias)
        if network is None:
            self._note_own(x, y)
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

    def _note_product(self, joint: Joint) -> None:
        """Write down, when asked to, the way taken and the one not taken."""
        if self._layout.decisions is None:
            return
        composes = COMPOSES if TASK in joint.equation.partition("->")[2] else COMPOSES_ONE
        taken = (composes, joint.composing)
        other = (JOINS, joint.joining)
        if not joint.composes_first:
            taken, other = other, taken
        way, count = other
        instead = f"{way}: {count.multiply_adds:,} multiply-adds, {count.elements:,} elements"
        way, count = taken
        self._note(way, count.multiply_adds, count.elements, instead)

    def _note_own(self, x: Tensor, y: Tensor) -> None:
        """Write down, when asked to, a product of weights that are there: ``(k, B, in)`` or ``(B,
        in)`` and ``(k, B, out)``.
        """
        if self._layout.decisions is None:
            return
        n_tasks, n_rows, n_out = y.shape
        n_in = x.shape[-1]
        shapes = (
            (n_tasks, n_rows, n_in),
            (n_tasks, n_in, n_out),
        )
        product = cheapest_order("tni,tio->tno", shapes)
        self._note(
            "each task's own weights, one batched product",
            product.multiply_adds,
            product.elements,
        )


def _batched_product(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``(k, B, in)``, ``(k, in, out)`` and ``(k, 1, out)`` → ``(k, B, out)``."""
    if bias is None:
        return torch.bmm(rows, weight)
    return torch.baddbmm(bias, rows, weight)


def takes_input(weight: SharedWeight) -> bool:
    """Whether a layer's input may join the weight's contraction: it is not one factor alone.

    Weights whose shapes differ between tasks tell for the tasks of each pass.
    """
    network = weight.contraction()
    if network is None:
        return True
    _, factors = network
    return len(factors) > 1


def _of_one(weight: SharedWeight) -> tuple[str, list[Tensor]]:
    """The contraction of a weight that all tasks have, without their axis."""
    network = weight.contraction()
    assert network is not None  # else it would be the tasks' own
    equation, factors = network
    return equation.replace("->t", "->"), factors
