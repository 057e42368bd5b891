"""One layer's step: factorised ones against independent ones and against the best order of
contraction, the ring against a dense layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from math import prod

import torch
from torch import Tensor

from benchmarks.case import Case
from benchmarks.measure import Step, timed
from benchmarks.steps import stepping
from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.joining import joint_equation
from softshare.network.execution.noise import TaskNoise
from softshare.network.execution.task_linear import TaskLinear
from softshare.network.layers import Parameter
from softshare.sharing.algebra.contraction import Order, carry_out, order_of
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.factorised import FactorisedWeight

N_TASKS, BATCH, SHAPE = 10, 64, (784, 512)

LAYERS: dict[str, tuple[Sharing, float | None]] = {
    "TT (32, 5)": (TensorTrain(ranks=(32, 5)), 1 / 0.25),
    "TT (128, 5)": (TensorTrain(ranks=(128, 5)), 1 / 0.6),
    "TT (300, 5)": (TensorTrain(ranks=(300, 5)), None),
    "Tucker (128, 128, 5)": (Tucker(ranks=(128, 128, 5)), 1 / 0.6),
    "Tucker (300, 300, 8)": (Tucker(ranks=(300, 300, 8)), None),
    "LAF 3": (LastAxisFlattening(rank=3), None),
    "LAF 8": (LastAxisFlattening(rank=8), None),
    "TT, full rank": (TensorTrain(ranks=1.0), None),
    "Tucker, full rank": (Tucker(ranks=1.0), None),
}
"""Layers 784 × 512, and by how much their step must be faster than an independent layer's."""

LARGE_RING = (
    (7, 7, 5, 5, 3),
    (7, 7, 5, 5, 3),
)
"""Modes of 3675 inputs and outputs, a third of the paper's layer for Omniglot each way."""

SETTING = f"784 × 512, T = {N_TASKS}, B = {BATCH}"

ORDER_AT_LEAST = 1 / 1.3

SLOWEST_ORDER = 4
"""Orders of more multiply-adds than this many times the fewest are not timed."""


def cases() -> list[Case]:
    """All of them."""
    found = []
    for name, (sharing, least) in LAYERS.items():
        found.append(
            Case(
                "layers",
                f"{name}, {SETTING}",
                "independent layers, a loop",
                partial(_against_loop, sharing),
                least,
            )
        )
        found.append(
            Case(
                "orders",
                f"{name}, {SETTING}",
                "the best of all orders",
                partial(_against_orders, sharing),
                ORDER_AT_LEAST,
            )
        )
    ring = "tensor ring [7, 7, 4, 4] → [6, 6, 6, 6], R = 10, T = 1, B = 64"
    large = f"tensor ring {LARGE_RING[0]} → {LARGE_RING[1]}, R = 4, T = 2, B = 16"
    return [
        *found,
        Case("layers", ring, "a dense layer", _ring, 1 / 4),
        Case("layers", large, "its weights composed", _ring_by_its_input, 8.0),
    ]


def drawn(
    sharing: Sharing, shape: tuple[int, ...], *, n_tasks: int, device: torch.device
) -> SharedWeight:
    """A layer's shared weight at its random start."""
    return sharing.draw({"layer": LayerShapes((shape,), 0.03)}, RandomStreams(0, range(n_tasks)))[
        "layer"
    ].to(device)


def layer_step(weight: SharedWeight, x: Tensor) -> Step:
    """Forward, backward (the input's gradient too) and update of an affine layer without bias in
    all tasks.
    """
    layout = BatchLayout(TaskNoise(range(weight.n_tasks)))
    layout.n_tasks = weight.n_tasks
    layer = TaskLinear(
        {"weight": (Parameter("layer", "layer.weight", (1, 0), True), weight)}, layout
    )

    def loss() -> Tensor:
        return layer(x.flatten(0, 1)).square().mean()

    return stepping(loss, weight.parameters())


def inputs(
    device: torch.device,
    n_tasks: int = N_TASKS,
    n_in: int = SHAPE[0],
    n_rows: int = BATCH,
) -> Tensor:
    """The tasks' inputs, as a layer below would give them."""
    return torch.randn(n_tasks, n_rows, n_in, device=device).requires_grad_()


def _against_loop(sharing: Sharing, device: torch.device) -> tuple[Step, Step]:
    x = inputs(device)
    modules = [torch.nn.Linear(*SHAPE, bias=False, device=device) for _ in range(N_TASKS)]

    def loss() -> Tensor:
        return torch.stack(
            [
                module(rows).square().mean()
                for module, rows in zip(modules, x.unbind(0), strict=True)
            ]
        ).mean()

    own = [parameter for module in modules for parameter in module.parameters()]
    return layer_step(drawn(sharing, SHAPE, n_tasks=N_TASKS, device=device), x), stepping(loss, own)


def _ring(device: torch.device) -> tuple[Step, Step]:
    ring = TensorRing(10, modes={"layer": ((7, 7, 4, 4), (6, 6, 6, 6))})
    x = inputs(device, 1)
    ours, dense = (
        drawn(sharing, (784, 1296), n_tasks=1, device=device) for sharing in (ring, Independent())
    )
    return layer_step(ours, x), layer_step(dense, x)


def _ring_by_its_input(device: torch.device) -> tuple[Step, Step]:
    """Our layer of a large ring beside one that composes every task's weight first."""
    inner, outer = LARGE_RING
    ring = TensorRing(4, shared=2, modes={"layer": LARGE_RING})
    x = inputs(device, 2, prod(inner), 16)
    weight = drawn(ring, (prod(inner), prod(outer)), n_tasks=2, device=device)
    ours = layer_step(weight, x)
    return ours, stepping(lambda: (x @ weight.stacked()).square().mean(), weight.parameters())


def _against_orders(sharing: Sharing, device: torch.device) -> tuple[Step, Step]:
    """Our layer beside the order of contraction, input included, that is fastest when each is
    timed.
    """
    x = inputs(device)
    weight = drawn(sharing, SHAPE, n_tasks=N_TASKS, device=device)
    assert isinstance(weight, FactorisedWeight)
    operands = [*weight.contraction()[1], x]
    equation, shapes = (
        joint_equation(weight.equation, False),
        tuple(tuple(operand.shape) for operand in operands),
    )
    orders = [order_of(equation, shapes, pairs) for pairs in _all_orders(len(operands))]
    fewest = min(order.multiply_adds for order in orders)
    steps = [
        _order_step(order, weight, x)
        for order in orders
        if order.multiply_adds <= SLOWEST_ORDER * fewest
    ]
    return layer_step(weight, x), min(
        steps, key=lambda step: min(timed(step, 1, device) for _ in range(6))
    )


def _order_step(order: Order, weight: FactorisedWeight, x: Tensor) -> Step:
    return stepping(
        lambda: carry_out(order, [*weight.contraction()[1], x]).square().mean(), weight.parameters()
    )


def _all_orders(n_operands: int) -> list[list[tuple[int, int]]]:
    """Every order in which so many operands can be contracted pair by pair, results joining the
    list at its end.
    """

    def orders(left: Sequence[int], following: int) -> Iterator[list[tuple[int, int]]]:
        if len(left) == 1:
            yield []
        for i, one in enumerate(left):
            for other in left[i + 1 :]:
                rest = [place for place in left if place not in (one, other)]
                for later in orders([*rest, following], following + 1):
                    yield [(one, other), *later]

    return list(orders(range(n_operands), n_operands))
