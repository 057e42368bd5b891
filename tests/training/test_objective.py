"""The objective: parts of the tasks add up to the whole, absent tasks take no part."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from torch.optim import SGD

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.tasks.batch import Batch
from softshare.tasks.batches import Batches, Policy
from softshare.tasks.losses import BinaryLoss
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from softshare.training.objective import Loss, Objective
from softshare.training.recorder import mean_losses


def made_tasks() -> TaskSet:
    generator = np.random.default_rng(0)
    inputs = {name: generator.normal(size=(12, 4)).astype(np.float32) for name in "abc"}
    return TaskSet.from_arrays(
        {name: (rows, rows.sum(1)) for name, rows in inputs.items()}, kinds="regression"
    )


def test_losses_and_penalties_of_steps_on_single_tasks_add_up_to_the_whole() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks, sharing=TraceNorm(gamma=0.1))
    objective = Objective(tasks)
    with torch.no_grad():
        whole = objective(network, next(iter(Batches(tasks, batch_size=12))))
        parts = [
            objective(network, step)
            for step in islice(Batches(tasks, batch_size=12, tasks_per_step=1), 3)
        ]
    assert float(whole.penalty) > 0
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    by_task = {int(part.tasks): float(part.by_task) for part in parts}
    assert [by_task[number] for number in range(3)] == pytest.approx(whole.by_task.tolist())


@pytest.mark.parametrize("policy", ["cycle", "proportional"])
def test_a_step_leaves_absent_tasks_as_they_are(policy: Policy) -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    before = network.stacks()
    fit(network, tasks, steps=1, tasks_per_step=1, policy=policy, seed=3)
    drawn = next(iter(Batches(tasks, batch_size=64, tasks_per_step=1, policy=policy, seed=3)))[
        0
    ].tasks.tolist()
    changed = {
        task
        for path, stack in network.stacks().items()
        for task in range(3)
        if not torch.equal(stack[task], before[path][task])
    }
    assert changed == set(drawn)


def test_a_task_that_diverges_is_named_though_others_are_absent() -> None:
    tasks = made_tasks()
    tasks.sources[0][tasks.rows[tasks.entries(2)]] = torch.inf
    objective, network = Objective(tasks), MultiTaskNetwork(mlp, tasks)
    step = next(
        step
        for step in Batches(tasks, batch_size=2, tasks_per_step=1)
        if step[0].tasks.tolist() == [2]
    )
    with pytest.raises(FloatingPointError, match="loss of task 'c' became"):
        objective(network, step).require_finite(tasks.tasks, 1)


def test_augmented_inputs_reach_training_and_not_validation() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks)
    loss = float(mean_losses(network, tasks, Objective(tasks).losses).mean())
    settings = {
        "validation": tasks,
        "steps": 1,
        "evaluate_every": 1,
        "learning_rate": 0.0,
        "batch_size": 12,
    }
    plain = fit(network, tasks, **settings)
    noisy = fit(network, tasks, augment=lambda inputs, generator: 100 * inputs, **settings)
    assert (
        plain.column("validation_loss")
        == noisy.column("validation_loss")
        == [pytest.approx(loss, rel=1e-5)]
    )
    assert plain.column("train_loss") == [pytest.approx(loss, rel=1e-5)]
    assert noisy.column("train_loss")[0] > 2 * loss


@pytest.mark.parametrize(
    "sharing",
    [TraceNorm(gamma=0.1, per_example=True), TensorNormal(scale=0.1)],
    ids=["trace norm", "tensor normal"],
)
@pytest.mark.parametrize("trained", [[0, 1, 2], [2], [2, 0]])
def test_a_penalty_per_example_is_that_of_the_trained_tasks_examples(
    sharing: Sharing, trained: list[int]
) -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks, sharing={"layers.1": sharing})
    some = tasks.keep_tasks(trained)
    step = next(iter(Batches(some, batch_size=4)))
    penalty = Objective(some)(network, step).penalty
    # Every task has 12 examples, so the mean over those that are trained is 12 for any of them.
    expected = network.shared_weight("layers.1.weight").penalty(torch.full((3,), 12.0))
    torch.testing.assert_close(penalty, expected)


@pytest.mark.parametrize("moved", [True, False])
def test_the_total_has_the_penalty_whether_it_needs_a_gradient_or_not(moved: bool) -> None:
    by_task = torch.tensor([1.0, 2.0], requires_grad=True)
    penalty = torch.tensor(0.5, requires_grad=moved)
    assert float(Loss(torch.arange(2), by_task, penalty).total.detach()) == 3.5


def test_a_penalty_that_is_not_finite_stops_training_though_it_is_detached() -> None:
    loss = Loss(torch.arange(2), torch.ones(2), torch.tensor(torch.nan))
    with pytest.raises(FloatingPointError, match="a penalty became nan at step 7"):
        loss.require_finite(made_tasks().tasks[:2], 7)


@pytest.mark.parametrize("binary", ["logistic", "hinge"])
def test_the_loss_of_two_classes_is_the_one_that_was_asked_for(binary: BinaryLoss) -> None:
    random = np.random.default_rng(0)
    data = {}
    for name in "ab":
        data[name] = (random.normal(size=(6, 3)).astype(np.float32), np.arange(6) % 2)
    tasks = TaskSet.from_arrays(data, kinds="binary")
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    (batch,) = next(iter(Batches(tasks, batch_size=6)))
    batch = batch.to(torch.device("cpu"), torch.float32)
    found = Objective(tasks, binary=binary)(network, [batch]).by_task
    for place, number in enumerate(batch.tasks.tolist()):
        outputs = network.task(tasks.tasks[number].name)(batch.inputs[place])[:, 0]
        margins = (2 * batch.targets[place] - 1) * outputs
        losses = (1 - margins).clamp(min=0) if binary == "hinge" else (1 + (-margins).exp()).log()
        torch.testing.assert_close(found[place], losses.mean())


@pytest.mark.parametrize(
    ("bad", "remedy"),
    [
        (("inputs",), "its inputs hold nan or infinite values"),
        (("targets",), "its targets hold nan or infinite values"),
        ((), "try a smaller learning rate"),
    ],
)
def test_bad_data_are_told_from_training_that_diverges(bad: tuple[str, ...], remedy: str) -> None:
    values = {"inputs": torch.zeros(2, 3, 4), "targets": torch.zeros(2, 3)}
    for name in bad:
        values[name][1, 2] = torch.inf
    batch = Batch(torch.tensor([2, 0]), values["inputs"], values["targets"])
    tasks = [Task(name, "regression") for name in "abc"]
    loss = Loss(batch.tasks, torch.tensor([torch.nan, torch.inf]), torch.zeros(()))
    told = f"the loss of task 'c' became nan at step 7 (2 tasks in all); {remedy}"
    with pytest.raises(FloatingPointError) as caught:
        loss.require_finite(tasks, 7, [batch])
    assert str(caught.value).startswith(told)


def test_a_step_without_tasks_has_a_loss_of_nothing() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks, sharing=TraceNorm(gamma=0.1))
    loss = Objective(tasks)(network, [])
    assert (loss.tasks.dtype, loss.tasks.shape) == (torch.long, (0,))
    assert loss.total.item() == 0
    loss.total.backward()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_dropout_draws_anew_in_every_step_and_alike_again() -> None:
    """All rows are alike and nothing moves: a step's loss tells its draw."""
    data = {name: (np.ones((8, 4), dtype=np.float32), np.ones(8)) for name in "ab"}
    tasks = TaskSet.from_arrays(data, kinds="regression")

    def losses(seed: int) -> list[float | None]:
        network = MultiTaskNetwork(partial(mlp, dropout=0.5), tasks, sharing=Tied())
        history = fit(
            network,
            tasks,
            steps=5,
            batch_size=8,
            optimizer=SGD,
            learning_rate=1e-30,
            evaluate_every=1,
            seed=seed,
        )
        return [row["train_loss"] for row in history]

    first = losses(seed=0)
    assert len(set(first)) == 5
    assert losses(seed=0) == first
    assert not set(losses(seed=1)) & set(first)
