"""Both sides of a comparison do the same work: from one start, their losses stay the same from step
to step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
import tensorly as backends
import torch

from benchmarks.naive import (
    as_written,
    cheapest,
    composing_once,
    composing_per_task,
    factors_per_task,
)
from benchmarks.networks import trunk_once, trunk_per_task
from benchmarks.orderings import convolutional_loops, core_and_decoder, dense_loops
from benchmarks.peers import TENSORLY, composed_once, composed_per_task, joined_by_hand, tensorly
from benchmarks.penalties import unfolded
from benchmarks.steps import Setting, Training
from softshare.network.templates.ordering import ordering_cnn
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.algebra.decompositions import task_last
from softshare.sharing.algebra.trace_norms import matricise, unfoldings
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker

CPU = torch.device("cpu")

SETTINGS = {
    "MLP": partial(
        Setting, partial(mlp, hidden=(7, 6)), (5,), n_tasks=4, batch_size=8, n_outputs=3, device=CPU
    ),
    "yes or no": partial(
        Setting, partial(mlp, hidden=(7,)), (5,), n_tasks=3, batch_size=8, n_outputs=1, device=CPU
    ),
    "CNN": partial(
        Setting,
        partial(lenet, channels=(4,), windows=(3,), hidden=6),
        (1, 8, 8),
        n_tasks=3,
        batch_size=4,
        n_outputs=3,
        device=CPU,
    ),
}

FACTORISED: dict[str, Sharing] = {
    "LAF": LastAxisFlattening(rank=2),
    "Tucker": Tucker(ranks=0.5),
    "TT": TensorTrain(ranks=0.5),
}

OTHERS = {
    "as written": partial(composing_per_task, order=as_written),
    "cheapest": partial(composing_per_task, order=cheapest),
    "once": composing_once,
    "factors": factors_per_task,
}


def assert_same_work(ours: Training, other: Training) -> None:
    """Equal losses before and after each of a few steps: unequal gradients would lead elsewhere."""
    first = ours.loss().item()
    for _ in range(4):
        assert other.loss().item() == pytest.approx(ours.loss().item(), rel=1e-5)
        ours()
        other()
    assert ours.loss().item() < first * (1 - 2e-5)


@pytest.mark.parametrize("one_input", [False, True])
@pytest.mark.parametrize("name", SETTINGS)
def test_the_loop_of_modules_trains_our_independent_networks(name: str, one_input: bool) -> None:
    setting = SETTINGS[name](one_input=one_input)
    assert setting.batch.one_input == one_input
    assert_same_work(setting.ours(Independent()), setting.independent_loop())


@pytest.mark.parametrize("other", [trunk_per_task, trunk_once])
@pytest.mark.parametrize("name", SETTINGS)
def test_hard_sharing_trains_our_tied_networks(
    name: str, other: Callable[[Setting], Training]
) -> None:
    setting = SETTINGS[name]()
    assert_same_work(setting.ours(Tied()), other(setting))


def factorised() -> list[tuple[str, str, str]]:
    return [
        (name, label, other)
        for name in SETTINGS
        for label in FACTORISED
        for other in OTHERS
        if (name, other) != ("CNN", "factors")
    ]


@pytest.mark.parametrize(("name", "label", "other"), factorised())
def test_the_loops_over_factors_train_our_factorised_networks(
    name: str, label: str, other: str
) -> None:
    setting = SETTINGS[name]()
    assert_same_work(setting.ours(FACTORISED[label]), OTHERS[other](setting, FACTORISED[label]))


def test_the_loops_of_soft_orderings_train_ours() -> None:
    dense = Setting(core_and_decoder, (64,), n_tasks=3, batch_size=4, n_outputs=3, device=CPU)
    assert_same_work(dense.ours(Tied()), dense_loops(dense))
    template = partial(ordering_cnn, channels=5, depth=3)
    convolutional = Setting(template, (1, 8, 8), n_tasks=3, batch_size=4, n_outputs=3, device=CPU)
    assert_same_work(convolutional.ours(Tied()), convolutional_loops(convolutional))


@pytest.fixture
def tensorly_on_torch() -> Iterator[None]:
    """TensorLy-Torch sets the whole process's backend, on which other tests' oracles run: it is set
    back.
    """
    before = backends.get_backend()
    pytest.importorskip("tltorch", reason="the peers are a benchmark extra")
    backends.set_backend("pytorch")
    yield
    backends.set_backend(before)


@pytest.mark.usefixtures("tensorly_on_torch")
@pytest.mark.parametrize("name", TENSORLY)
def test_all_ways_of_using_tensorly_are_one_layer(name: str) -> None:
    tensor, x = tensorly(name, (200, 190), CPU), torch.randn(10, 4, 200)
    expected = composed_once(tensor, x)
    gradients = torch.autograd.grad(expected, tuple(tensor.parameters()))
    for way in (composed_per_task, joined_by_hand):
        loss = way(tensor, x)
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(torch.autograd.grad(loss, tuple(tensor.parameters())), gradients)


def test_both_sides_of_a_trace_norm_unfold_the_same_matrix() -> None:
    tensor = task_last(torch.randn(3, 4, 5, 2))
    for rows in (*unfoldings("tucker", 4), *unfoldings("tt", 4)):
        theirs, ours = (
            torch.linalg.svdvals(unfolded(tensor, rows)),
            torch.linalg.svdvals(matricise(tensor, rows)),
        )
        torch.testing.assert_close(theirs, ours)
    torch.testing.assert_close(unfolded(tensor, (1,)), tensor.movedim(1, 0).reshape(5, -1))
    torch.testing.assert_close(unfolded(tensor, (0, 1)), tensor.reshape(20, -1))
