"""The loop against a loop written by hand, and what stops it."""

from __future__ import annotations

from functools import partial
from itertools import islice

import numpy as np
import pytest
import torch
from torch.nn import functional
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import ExponentialLR

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.tasks.batches import Batches
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import MakeOptimizer, fit
from softshare.training.lazy_adam import LazyAdam
from softshare.training.objective import Loss, Objective
from softshare.training.recorder import mean_losses


def made_tasks(seed: int = 0, rows: int = 20) -> TaskSet:
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=4)
    data = {}
    for name in ("a", "b", "c"):
        inputs = generator.normal(size=(rows, 4)).astype(np.float32)
        data[name] = (
            inputs,
            (inputs @ weights + 0.3 * generator.normal(size=rows) > 0).astype(int),
        )
    return TaskSet.from_arrays(data, kinds="binary")


@pytest.mark.parametrize("sharing", [Independent(), Tied(), TensorTrain(ranks=0.5)], ids=repr)
def test_fit_equals_a_loop_written_by_hand(sharing: Sharing) -> None:
    tasks = made_tasks()
    fitted = MultiTaskNetwork(mlp, tasks, sharing=sharing, seed=1)
    by_hand = MultiTaskNetwork(mlp, tasks, sharing=sharing, seed=1)
    fit(fitted, tasks, steps=7, batch_size=8, learning_rate=0.01, optimizer=Adam, seed=4)
    optimizer = Adam(by_hand.parameters(), lr=0.01)
    for (batch,) in islice(Batches(tasks, batch_size=8, seed=4), 7):
        optimizer.zero_grad()
        total = torch.zeros(())
        for number, task in enumerate(tasks.tasks):
            outputs = by_hand({task.name: batch.inputs[number]})[task.name]
            total = total + functional.binary_cross_entropy_with_logits(
                outputs[:, 0], batch.targets[number]
            )
        total.backward()
        optimizer.step()
    for name, value in fitted.state_dict().items():
        torch.testing.assert_close(
            value, by_hand.state_dict()[name], rtol=1e-4, atol=1e-4
        )  # Adam enlarges rounding where a gradient is near 0


def test_a_network_in_double_precision_is_trained_in_it() -> None:
    tasks = made_tasks()
    fitted, by_hand = (
        MultiTaskNetwork(mlp, tasks, sharing=TensorTrain(ranks=0.5), seed=1).double()
        for _ in range(2)
    )
    history = fit(
        fitted, tasks, validation=tasks, steps=5, batch_size=8, learning_rate=0.01, seed=4
    )
    optimizer = Adam(by_hand.parameters(), lr=0.01)
    for (batch,) in islice(Batches(tasks, batch_size=8, seed=4), 5):
        optimizer.zero_grad()
        outputs = by_hand(batch.inputs.double())[..., 0]
        losses = functional.binary_cross_entropy_with_logits(
            outputs, batch.targets.double(), reduction="none"
        )
        losses.mean(1).sum().backward()
        optimizer.step()
    for name, value in fitted.named_parameters():
        assert value.dtype == torch.float64
        torch.testing.assert_close(value, by_hand.get_parameter(name), rtol=1e-8, atol=1e-8)
    losses_now = mean_losses(by_hand, tasks, Objective(tasks).losses)
    assert history.column("validation_loss")[-1] == pytest.approx(
        float(losses_now.mean()), rel=1e-8
    )


@pytest.mark.parametrize("one_input", [True, False])
def test_a_network_in_bfloat16_learns(one_input: bool) -> None:
    tasks = made_tasks()
    if one_input:
        inputs, targets = tasks.examples(0)
        tasks = TaskSet.from_shared_inputs(
            inputs, {"class": targets.long(), "number": inputs[:, 1]}
        )
    network = MultiTaskNetwork(mlp, tasks, sharing=Tied()).bfloat16()
    history = fit(network, tasks, validation=tasks, steps=60, learning_rate=0.01, evaluate_every=20)
    assert all(parameter.dtype == torch.bfloat16 for parameter in network.parameters())
    losses = history.column("validation_loss")
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("sparse_rows", "optimizer"), [(False, Adam), (True, LazyAdam)])
def test_training_under_autocast_is_near_that_in_single_precision(
    sparse_rows: bool, optimizer: MakeOptimizer
) -> None:
    inputs, targets = made_tasks().examples(0)
    tasks = TaskSet.from_shared_inputs(
        inputs, {"class": targets.long(), "number": inputs[:, 1], "three": np.arange(20) % 3}
    )
    losses = []
    for precise in (True, False):
        network = MultiTaskNetwork(
            mlp, tasks, sharing=TensorTrain(ranks=0.5), sparse_rows=sparse_rows, seed=1
        )
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not precise):
            history = fit(
                network, tasks, validation=tasks, steps=20, learning_rate=0.01, optimizer=optimizer
            )
        assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
        losses.append(history.column("validation_loss"))
    assert losses[0] != losses[1]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)


def test_one_linear_layer_with_one_output_under_laf_is_the_matrix_factorisation() -> None:
    """``W = L S`` trained by gradients written out: ``∂L = G Sᵀ`` and ``∂S = Lᵀ G``, ``G`` the
    gradient by ``W``.
    """
    tasks, rate = made_tasks(), 0.5
    network = MultiTaskNetwork(
        partial(mlp, hidden=()), tasks, sharing={"output": LastAxisFlattening(2)}
    )
    basis, mixtures, bias = (value.detach().clone().double() for value in network.parameters())
    basis, mixtures = basis[:, 0], mixtures.T  # (4, 2) and (2, 3)
    for _ in range(25):
        gradient, gradient_of_bias = torch.zeros(4, 3, dtype=torch.float64), torch.zeros_like(bias)
        for task in range(3):
            inputs, targets = (part.double() for part in tasks.examples(task))
            errors = torch.sigmoid(inputs @ basis @ mixtures[:, task] + bias[task]) - targets
            gradient[:, task], gradient_of_bias[task] = (
                inputs.T @ errors / len(errors),
                errors.mean(),
            )
        basis, mixtures = basis - rate * gradient @ mixtures.T, mixtures - rate * basis.T @ gradient
        bias = bias - rate * gradient_of_bias
    fit(network, tasks, steps=25, batch_size=20, learning_rate=rate, optimizer=SGD)
    torch.testing.assert_close(
        network.layers["output"].stacked()[..., 0].double(),
        (basis @ mixtures).T,
        rtol=1e-4,
        atol=1e-5,
    )
    torch.testing.assert_close(
        network.shared_weight("output.bias").stacked().double(), bias, rtol=1e-4, atol=1e-5
    )


def test_training_apart_together_equals_training_each_task_alone() -> None:
    tasks = made_tasks()
    together = MultiTaskNetwork(mlp, tasks, sharing=Independent(), seed=1)
    fit(together, tasks, steps=5, batch_size=8, seed=4)
    for number, task in enumerate(tasks.tasks):
        alone_tasks = tasks.keep_tasks([number])
        alone = MultiTaskNetwork(mlp, alone_tasks, sharing=Independent(), seed=1)
        fit(alone, alone_tasks, steps=5, batch_size=8, seed=4)
        rows = torch.randn(6, 4)
        torch.testing.assert_close(
            alone.task(task.name)(rows), together.task(task.name)(rows), rtol=1e-5, atol=1e-6
        )


def test_same_seed_same_bits_with_dropout() -> None:
    tasks = made_tasks()
    template = partial(mlp, dropout=0.5)
    states = []
    for seed in (4, 4, 5):
        network = MultiTaskNetwork(template, tasks, sharing=Tied(), seed=1, initial="independent")
        torch.manual_seed(
            np.random.default_rng().integers(1000)
        )  # what the caller drew before must not matter
        fit(network, tasks, steps=4, seed=seed)
        states.append(torch.cat([value.flatten() for value in network.state_dict().values()]))
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


@pytest.mark.parametrize(
    ("sharing", "optimizer", "stays"),
    [
        (Independent(), Adam, True),
        (TraceNorm(gamma=0.1), Adam, False),
        (TensorNormal(), Adam, False),
        (Independent(), partial(AdamW, weight_decay=0.1), False),
    ],
)
def test_only_penalties_and_weight_decay_move_a_task_without_data(
    sharing: Sharing, optimizer: MakeOptimizer, stays: bool
) -> None:
    network = MultiTaskNetwork(mlp, made_tasks(), sharing=sharing)
    before = [value.clone() for value in network.own_values(2)]
    fit(network, made_tasks().keep_tasks([0, 1]), steps=5, optimizer=optimizer)
    assert all(map(torch.equal, before, network.own_values(2))) == stays


def test_the_callers_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    tasks = made_tasks()
    fit(MultiTaskNetwork(partial(mlp, dropout=0.5), tasks), tasks, steps=2)
    assert torch.equal(before, torch.get_rng_state())


def test_learning_rates_by_pattern_and_schedule() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent(), initial="common")
    before = network.stacks()
    rates = []

    class Watch:
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            rates.append(step)
            return step == 3

    fit(
        network,
        tasks,
        epochs=10,
        optimizer=partial(SGD, momentum=0.0),
        learning_rate=0.1,
        learning_rates={"layers.*": 0.0},
        schedule=partial(ExponentialLR, gamma=0.5),
        callbacks=[Watch()],
    )
    after = network.stacks()
    assert torch.equal(before["layers.0.weight"], after["layers.0.weight"])
    assert not torch.equal(before["output.weight"], after["output.weight"])
    assert rates == [1, 2, 3]
    with pytest.raises(ValueError, match="no layer matches"):
        fit(network, tasks, steps=1, learning_rates={"layer0": 0.1})


def test_early_stopping_and_the_best_weights() -> None:
    train, validation = made_tasks(0, rows=6), made_tasks(1, rows=50)
    network = MultiTaskNetwork(mlp, train, sharing=Tied())
    history = fit(
        network,
        train,
        validation=validation,
        steps=3000,
        learning_rate=0.02,
        evaluate_every=10,
        patience=4,
        keep_best=True,
    )
    losses = history.column("validation_loss")
    best = losses.index(min(losses))
    assert len(losses) - 1 - best == 4
    assert len(losses) < 300
    losses_now = mean_losses(network, validation, Objective(validation).losses)
    assert float(losses_now.mean()) == pytest.approx(min(losses), rel=1e-5)


def test_tasks_that_share_nothing_each_keep_their_own_best() -> None:
    train, validation = made_tasks(0, rows=6), made_tasks(1, rows=50)
    for part in (train, validation):
        part.sources[0][part.rows[part.entries(1)]] *= 0.05  # a task that takes longer
    curves: dict[int, list[float]] = {0: [], 1: [], 2: []}

    class Watch:
        def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
            if step % 10 == 0:
                for number, value in enumerate(
                    mean_losses(network, validation, Objective(validation).losses).tolist()
                ):
                    curves[number].append(value)
            return False

    network = MultiTaskNetwork(mlp, train, sharing=Independent())
    fit(
        network,
        train,
        validation=validation,
        steps=300,
        learning_rate=0.003,
        evaluate_every=10,
        keep_best=True,
        callbacks=[Watch()],
    )
    final = mean_losses(network, validation, Objective(validation).losses).tolist()
    assert final == pytest.approx([min(curves[number]) for number in range(3)], rel=1e-5)
    assert (
        len({curve.index(min(curve)) for curve in curves.values()}) > 1
    )  # their best steps do differ


def test_tasks_that_share_nothing_can_be_kept_at_one_step() -> None:
    train, validation = made_tasks(0, rows=6), made_tasks(1, rows=50)
    for part in (train, validation):
        part.sources[0][part.rows[part.entries(1)]] *= 0.05  # a task that takes longer
    losses = Objective(validation).losses
    network = MultiTaskNetwork(mlp, train, sharing=Independent())
    history = fit(
        network,
        train,
        validation=validation,
        steps=300,
        learning_rate=0.003,
        evaluate_every=10,
        keep_best="jointly",
    )
    best = min(history, key=lambda row: row["validation_loss"])
    again = MultiTaskNetwork(mlp, train, sharing=Independent())
    fit(again, train, steps=best["step"], learning_rate=0.003)
    found, wanted = (mean_losses(each, validation, losses) for each in (network, again))
    torch.testing.assert_close(found, wanted)


def test_divergence_names_task_and_step() -> None:
    tasks = made_tasks()
    tasks.sources[0][tasks.rows[tasks.entries(1)]] *= 1e30
    network = MultiTaskNetwork(mlp, tasks, sharing=Independent())
    with pytest.raises(FloatingPointError, match=r"task 'b' became (nan|inf) at step [1-9]"):
        fit(network, tasks, steps=50, learning_rate=1e10)


def test_wrong_arguments_are_refused() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(mlp, tasks)
    with pytest.raises(ValueError, match="either steps or epochs"):
        fit(network, tasks)
    with pytest.raises(ValueError, match="either steps or epochs"):
        fit(network, tasks, steps=1, epochs=1)
    with pytest.raises(ValueError, match="at least 1"):
        fit(network, tasks, steps=0)
    with pytest.raises(ValueError, match="need validation data"):
        fit(network, tasks, steps=1, patience=3)


@pytest.mark.parametrize(
    "optimizer",
    ["adam", SGD([torch.zeros(1, requires_grad=True)], lr=0.1)],
    ids=["text", "instance"],
)
def test_an_optimizer_that_cannot_be_made_is_refused(optimizer: object) -> None:
    tasks = made_tasks()
    with pytest.raises(
        TypeError,
        match=r"function that makes one.*partial\(torch.optim.SGD, momentum=0.9\), got "
        r"'(adam|SGD\(…\))'",
    ):
        fit(MultiTaskNetwork(mlp, tasks), tasks, steps=1, optimizer=optimizer)
