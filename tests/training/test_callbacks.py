"""What a user has happen beside the steps comes when it should, and gradients are clipped."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.tensor_train import TensorTrain
from softshare.tasks.batches import Batches
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callbacks
from softshare.training.fit import fit
from softshare.training.history import Row
from softshare.training.lazy_adam import LazyAdam
from softshare.training.objective import Loss, Objective

plain_sgd = partial(SGD, momentum=0.0)


def made_tasks() -> TaskSet:
    generator = np.random.default_rng(0)
    data = {}
    for name in "abc":
        inputs = generator.normal(size=(12, 4)).astype(np.float32)
        data[name] = (inputs, 3 * inputs.sum(axis=1))
    return TaskSet.from_arrays(data, kinds="regression")


def made_network(*, sparse_rows: bool = False) -> MultiTaskNetwork:
    sharing = TensorTrain(ranks=0.5)
    return MultiTaskNetwork(mlp, made_tasks(), sharing=sharing, seed=1, sparse_rows=sparse_rows)


class Watch:
    """Notes what it is called for."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []

    def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
        with_gradient = [value for value in network.parameters() if value.grad is not None]
        assert with_gradient
        self.calls.append(("before", step))

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        self.calls.append(("after", step))
        return False

    def after_evaluation(self, network: MultiTaskNetwork, row: Row) -> None:
        self.calls.append(("row", row["step"]))


def test_callbacks_come_before_the_step_after_an_evaluation_and_after_the_step() -> None:
    watch = Watch()
    tasks = made_tasks()
    fit(made_network(), tasks, steps=2, validation=tasks, evaluate_every=2, callbacks=[watch])
    assert watch.calls == [("before", 1), ("after", 1), ("before", 2), ("row", 2), ("after", 2)]


def test_a_callback_may_change_gradients() -> None:
    class Nothing:
        def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
            for value in network.parameters():
                if value.grad is not None:
                    value.grad.zero_()

    network = made_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit(network, made_tasks(), steps=3, optimizer=plain_sgd, callbacks=[Nothing()])
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_a_clipped_step_equals_one_that_pytorch_clips() -> None:
    tasks, network, by_hand = made_tasks(), made_network(), made_network()
    fit(network, tasks, steps=1, batch_size=8, optimizer=plain_sgd, clip_norm=0.05, seed=4)
    batch = next(iter(Batches(tasks, batch_size=8, seed=4)))
    Objective(tasks)(by_hand, batch).total.backward()
    length = clip_grad_norm_(by_hand.parameters(), 0.05)
    assert length > 0.05
    SGD(by_hand.parameters(), lr=1e-3).step()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, by_hand.state_dict()[name])


def test_gradients_that_are_short_enough_stay() -> None:
    clipped, plain = made_network(), made_network()
    fit(clipped, made_tasks(), steps=3, optimizer=plain_sgd, clip_norm=1e9)
    fit(plain, made_tasks(), steps=3, optimizer=plain_sgd)
    for name, value in clipped.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name])


def test_rows_of_a_steps_tasks_are_clipped_as_whole_gradients_are() -> None:
    """Tasks of which a step takes all: then both kinds of gradients are the same numbers."""
    lengths = {}

    class Length:
        def __init__(self, name: str) -> None:
            self.name = name

        def before_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> None:
            gradients = [value.grad for value in network.parameters() if value.grad is not None]
            dense = [each.to_dense() if each.is_sparse else each for each in gradients]
            lengths[self.name] = torch.cat([each.flatten() for each in dense]).norm()

    for name, sparse in (("rows", True), ("whole", False)):
        network = made_network(sparse_rows=sparse)
        optimizer = LazyAdam if sparse else plain_sgd
        watch = Length(name)
        fit(network, made_tasks(), steps=1, optimizer=optimizer, clip_norm=0.1, callbacks=[watch])
        gradients = [value.grad for value in network.parameters() if value.grad is not None]
        dense = [each.to_dense() if each.is_sparse else each for each in gradients]
        assert torch.cat([each.flatten() for each in dense]).norm() == pytest.approx(0.1, rel=1e-4)
    torch.testing.assert_close(lengths["rows"], lengths["whole"])


def test_callbacks_without_a_state_have_none() -> None:
    called = Callbacks([Watch()])
    assert called.names == []
    assert called.state_dict() == {"states": []}
