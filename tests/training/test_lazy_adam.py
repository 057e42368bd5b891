"""Lazy Adam: as Adam where all tasks are in every batch, and no touch of the absent ones."""

from __future__ import annotations

import copy
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adagrad, Adam, RMSprop, SparseAdam

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import MakeOptimizer, fit, parameter_groups
from softshare.training.lazy_adam import LazyAdam

TASKS = tuple(Task(f"task {number}", "regression") for number in range(6))


def network(*, sparse_rows: bool) -> MultiTaskNetwork:
    torch.manual_seed(0)
    return MultiTaskNetwork(
        mlp((3,), 1, hidden=(4,)),
        TASKS,
        sharing=LastAxisFlattening(rank=2),
        sparse_rows=sparse_rows,
        initial="independent",
    )


def train(
    learner: MultiTaskNetwork,
    optimizer: torch.optim.Optimizer,
    batches: list[tuple[torch.Tensor, torch.Tensor]],
) -> None:
    for tasks, inputs in batches:
        optimizer.zero_grad()
        learner.run(inputs, tasks=tasks).square().sum().backward()
        optimizer.step()


def batches(tasks: list[list[int]]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.tensor(members), torch.randn(len(members), 5, 3, generator=generator))
        for members in tasks
    ]


def test_with_all_tasks_in_every_batch_it_is_adam() -> None:
    lazy, plain = network(sparse_rows=True), network(sparse_rows=False)
    steps = batches([list(range(6))] * 5)
    train(lazy, LazyAdam(parameter_groups(lazy, 0.01, {})), steps)
    train(plain, Adam(plain.parameters(), lr=0.01), steps)
    for name, value in lazy.state_dict().items():
        # The two differ in where they add ε, which is all that is left of a difference.
        torch.testing.assert_close(value, plain.state_dict()[name], rtol=1e-3, atol=1e-4)


def test_absent_tasks_are_not_touched_and_present_ones_move() -> None:
    learner = network(sparse_rows=True)
    optimizer = LazyAdam(parameter_groups(learner, 0.01, {}))
    train(learner, optimizer, batches([[0, 1, 2, 3, 4, 5]]))  # momentum for all
    before = {task: [value.clone() for value in learner.own_values(task)] for task in range(6)}
    train(learner, optimizer, batches([[1, 4], [4, 2]]))
    moved = {
        task
        for task in range(6)
        if not all(map(torch.equal, before[task], learner.own_values(task)))
    }
    assert moved == {1, 2, 4}


def test_gradients_hold_only_the_rows_of_the_batch() -> None:
    learner = network(sparse_rows=True)
    learner.run(torch.randn(2, 5, 3), tasks=torch.tensor([3, 0])).sum().backward()
    for weight in learner.shared_weights.values():
        for name in weight.task_parameters():
            gradient = weight.get_parameter(name).grad
            assert gradient.is_sparse
            assert sorted(gradient.coalesce().indices().flatten().tolist()) == [0, 3]


def test_a_task_that_comes_late_is_moved_by_more_than_the_rate_at_first() -> None:
    learner = network(sparse_rows=True)
    optimizer = LazyAdam(parameter_groups(learner, 1e-4, {}), betas=(0.5, 0.95))
    train(learner, optimizer, batches([[0]] * 150))
    before = [value.clone() for value in learner.own_values(1)]
    train(learner, optimizer, batches([[1]]))
    moves = torch.cat(
        [
            (value - old).abs().flatten()
            for value, old in zip(learner.own_values(1), before, strict=True)
        ]
    )
    assert float(moves.max()) == pytest.approx(0.5 / 0.05**0.5 * 1e-4, rel=0.01)


def test_its_state_can_be_saved_and_its_groups_follow_a_schedule() -> None:
    steps = batches([[0, 1], [2, 3], [0, 4]])
    whole, resumed = network(sparse_rows=True), network(sparse_rows=True)
    optimizer = LazyAdam(parameter_groups(whole, 0.01, {}))
    train(whole, optimizer, steps[:2])
    resumed.load_state_dict(whole.state_dict())
    continued = LazyAdam(parameter_groups(resumed, 0.01, {}))
    continued.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for learner, update in ((whole, optimizer), (resumed, continued)):
        torch.optim.lr_scheduler.LambdaLR(update, lambda step: 0.5)
        train(learner, update, steps[2:])
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(value, resumed.state_dict()[name])
    frozen = {name: value.clone() for name, value in whole.state_dict().items()}
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    train(whole, optimizer, steps[:1])
    assert all(torch.equal(frozen[name], value) for name, value in whole.state_dict().items())


def tasks_on_one_input() -> TaskSet:
    inputs = torch.randn(4, 3)
    return TaskSet.from_shared_inputs(
        inputs, {task.name: inputs[:, 0] for task in TASKS}, kinds="regression"
    )


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (Adam, "Adam"),
        (partial(SGD, momentum=0.9), "SGD with momentum or weight decay"),
        (partial(SGD, weight_decay=0.1), "SGD with momentum or weight decay"),
        (RMSprop, "RMSprop"),
        (Adagrad, "Adagrad"),
    ],
)
def test_what_is_not_lazy_is_refused_on_sparse_rows_before_the_first_step(
    optimizer: MakeOptimizer, name: str
) -> None:
    learner = network(sparse_rows=True)
    before = copy.deepcopy(learner.state_dict())
    with pytest.raises(ValueError, match=rf"{name} moves all tasks' rows.*pass optimizer=LazyAdam"):
        fit(learner, tasks_on_one_input(), steps=1, optimizer=optimizer)
    assert all(torch.equal(before[key], value) for key, value in learner.state_dict().items())
    fit(network(sparse_rows=False), tasks_on_one_input(), steps=1, optimizer=optimizer)


def test_plain_gradient_descent_on_sparse_rows_is_that_on_all() -> None:
    tasks, learners = tasks_on_one_input(), (network(sparse_rows=True), network(sparse_rows=False))
    for learner in learners:
        fit(learner, tasks, steps=5, tasks_per_step=2, optimizer=SGD, learning_rate=0.1)
    for name, value in learners[0].state_dict().items():
        torch.testing.assert_close(value, learners[1].state_dict()[name])


def test_sparse_adam_is_taken_where_all_is_the_tasks_own() -> None:
    learner = MultiTaskNetwork(
        mlp((3,), 1, hidden=(4,)), TASKS, sparse_rows=True, initial="independent"
    )
    before = copy.deepcopy(dict(learner.named_parameters()))
    fit(learner, tasks_on_one_input(), steps=1, tasks_per_step=2, optimizer=SparseAdam)
    for name, value in learner.named_parameters():
        assert int((before[name] != value).flatten(1).any(1).sum()) == 2


def test_plain_parameters_are_refused_with_what_is_wanted() -> None:
    learner = network(sparse_rows=True)
    for parameters in (learner.parameters(), learner.named_parameters()):
        with pytest.raises(TypeError, match=r"takes parameter groups.*parameter_groups\(network"):
            LazyAdam(parameters)


def test_what_a_penalty_moves_in_all_its_rows_is_updated_by_adam() -> None:
    """The layer under the trace norm, whose gradient has every row; head and biases are updated
    lazily.
    """
    tasks = tasks_on_one_input()
    learner = MultiTaskNetwork(
        mlp((3,), 1, hidden=(4,)),
        tasks,
        sharing=TraceNorm(gamma=0.1),
        sparse_rows=True,
        initial="independent",
    )
    before = {
        path: weight.stacked().detach().clone() for path, weight in learner.shared_weights.items()
    }
    fit(learner, tasks, steps=1, tasks_per_step=2, optimizer=LazyAdam)
    moved = {
        path: int((stack != before[path]).flatten(1).any(1).sum())
        for path, stack in learner.stacks().items()
    }
    assert moved == {"layers.0.weight": 6, "layers.0.bias": 2, "output.weight": 2, "output.bias": 2}


@pytest.mark.parametrize("optimizer", [LazyAdam, SGD])
def test_tasks_on_a_grid_train_on_sparse_rows(optimizer: MakeOptimizer) -> None:
    names = list(product("ab", "xyz"))
    numbers = np.random.default_rng(0)
    data = {
        name: (numbers.normal(size=(8, 3)).astype(np.float32), numbers.normal(size=8))
        for name in names
    }
    tasks = TaskSet.from_arrays(data, kinds="regression")
    states = []
    for sparse_rows in (True, False):
        torch.manual_seed(0)
        learner = MultiTaskNetwork(
            mlp((3,), 1, hidden=(4,)), tasks, sharing=Tucker(0.6), sparse_rows=sparse_rows
        )
        fit(learner, tasks, steps=4, tasks_per_step=6, optimizer=optimizer)
        states.append(learner.state_dict())
    for name, value in states[0].items():
        torch.testing.assert_close(value, states[1][name], rtol=1e-4, atol=1e-5)
