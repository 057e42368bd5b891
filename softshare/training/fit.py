"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from typing import Any

from torch import nn
from torch.optim import SGD, Adam, Optimizer, SparseAdam
from torch.optim.lr_scheduler import LRScheduler

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batches import Augment, Batches, Policy
from softshare.tasks.losses import BinaryLoss
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback, KeepBest, Recorder
from softshare.training.history import History
from softshare.training.lazy_adam import LazyAdam
from softshare.training.objective import Objective
from softshare.training.plain_step import require_plain_step
from softshare.training.spreads import SpreadUpdates
from softshare.training.task_processes import processes_for

MakeOptimizer = Callable[[Iterable[dict[str, Any]]], Optimizer]
MakeSchedule = Callable[[Optimizer], LRScheduler]

fused_adam: MakeOptimizer = partial(Adam, fused=True)
"""Adam in one kernel: with many tasks the default's loop over parameters can be half a step."""


def fit(
    network: MultiTaskNetwork,
    train: TaskSet,
    *,
    validation: TaskSet | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int = 64,
    policy: Policy = "cycle",
    tasks_per_step: int | None = None,
    temperature: float = 5.0,
    augment: Augment | None = None,
    optimizer: MakeOptimizer = fused_adam,
    learning_rate: float = 1e-3,
    learning_rates: Mapping[str, float] | None = None,
    schedule: MakeSchedule | None = None,
    binary_loss: BinaryLoss = "logistic",
    evaluate_every: int | None = None,
    patience: int | None = None,
    keep_best: KeepBest = False,
    callbacks: Sequence[Callback] = (),
    seed: int = 0,
) -> History:
    """Train all tasks' networks together, in place.

    Where ``torch.distributed`` is initialised (``torchrun``), the processes share every step, their
    examples or their tasks: see :mod:`softshare.training.distributed` and
    :mod:`softshare.training.sharded`.

    Each step takes one batch of every task (or of some, see ``tasks_per_step``), adds up the tasks'
    mean losses and the sharings' penalties, and makes one update.

    A task of the network that is not in ``train`` keeps what is its own bit for bit under the
    default optimizer. Two things are meant for all tasks and move it too: a penalty, which draws
    each task's weights towards what the others know, and
    an optimizer's weight decay.

    Args:
        network: the network; it is trained on its device, in the precision of its parameters.
        train: the training examples.
        validation: examples to watch, never trained on.
        steps: updates to make; give this or ``epochs``.
        epochs: passes through the data; the policy says what one is.
        batch_size: examples of every task in a step.
        policy: how often each of several tasks of unequal size comes, see
            :class:`softshare.tasks.batches.Batches`.
        tasks_per_step: how many of the tasks make a step; all when None.
        temperature: of the policy ``"temperature"``.
        augment: changes training inputs at random, see :class:`softshare.tasks.batches.Batches`.
        optimizer: makes the optimizer from parameter groups, e.g.
            ``functools.partial(torch.optim.SGD, momentum=0.9)``.
        learning_rate: of all parameters without one of their own.
        learning_rates: pattern → learning rate, see :func:`parameter_groups`; the first match wins.
        schedule: makes a learning-rate scheduler from the optimizer; it is stepped after every
            update.
        binary_loss: ``"logistic"`` or ``"hinge"``.
        evaluate_every: steps between rows of history; a fiftieth of the steps when None.
        patience: evaluations without a better mean validation loss after which training stops.
        keep_best: end with the weights of the best mean validation loss, a copy of which is kept
            meanwhile; of a network that shares nothing, each task's of its own best loss, or,
            ``"jointly"``, of one step for all, which suits few validation examples a task.
        callbacks: called after every step; one that returns True ends the training.
        seed: of the examples' order and of dropout. A task's dropout goes by the seed, the step and
            the task's name alone. Modules that draw from PyTorch's own generator themselves (a
            forward of one's own, dropout inside of recurrent layers and attention) have a stream
            for each step, in which the tasks' order matters; threads wait for each other there.

    Returns:
        The history, one row an evaluation.

    Raises:
        TypeError: ``optimizer`` is no function that makes one, or what it or ``schedule`` makes
            cannot be stepped without arguments.
        ValueError: not exactly one of ``steps`` and ``epochs``, a pattern that matches no layer, or
            an optimizer that needs every task's gradient for a network made with ``sparse_rows``.
        FloatingPointError: the loss is not finite; names the task and the step.
    """
    _require_task_sets(train, validation)
    _require_maker(optimizer)
    _require_schedule(schedule)
    _require_network(network)
    _require_callbacks(callbacks)
    batches = Batches(
        train,
        batch_size=batch_size,
        seed=seed,
        policy=policy,
        tasks_per_step=tasks_per_step,
        temperature=temperature,
        augment=augment,
    )
    total = _total_steps(steps, epochs, batches)
    parameter = next(network.parameters())
    processes = processes_for(network, train)
    objective = Objective(processes.own(train), binary=binary_loss)
    groups = parameter_groups(network, learning_rate, learning_rates or {})
    update = optimizer(groups)
    require_plain_step(update, "optimizer", "pass one such as torch.optim.Adam or SGD")
    _require_lazy(update, groups)
    trained = [parameter for group in groups for parameter in group["params"]]
    scheduler = schedule(update) if schedule else None
    if scheduler:
        remedy = "pass one such as CosineAnnealingLR, or stop early by patience="
        require_plain_step(scheduler, "schedule", remedy)
    history = History()
    every = evaluate_every or max(1, total // 50)
    watched = None if validation is None else processes.own(validation)
    losses, mean = objective.losses, processes.mean
    recorder = Recorder(
        history,
        every=every,
        validation=watched,
        losses=losses,
        mean=mean,
        patience=patience,
        keep_best=keep_best,
    )
    every_callback = (recorder, *callbacks)
    processes.begin(network)
    network.train()
    noise = network.bodies.noise
    spreads = SpreadUpdates(network, processes.own(train), losses, processes)
    with noise.training():
        for step, batch in enumerate(islice(batches, total), start=1):
            noise.begin_step(seed, step, process=processes.rank)
            parts = []
            for part in processes.share(batch):
                parts.append(part.to(parameter.device, parameter.dtype))
            loss = objective(network, parts)
            # What the optimizer's zero_grad does, without its bookkeeping.
            for parameter in trained:
                parameter.grad = None
            loss.total.backward()
            loss = processes.combine(network, loss, batch)
            loss.require_finite(train.tasks, step, batch)
            update.step()
            network.after_step()
            spreads.after_step(network, step, parts)
            if scheduler:
                scheduler.step()
            # A list, so that each is called, also after one that ends the training.
            ends = [callback.after_step(network, step, loss) for callback in every_callback]
            if any(ends):
                break
    recorder.finish(network)
    return history


def parameter_groups(
    network: MultiTaskNetwork, learning_rate: float, learning_rates: Mapping[str, float]
) -> list[dict[str, Any]]:
    """The network's parameters grouped by learning rate, for any torch optimizer.

    Args:
        network: the network.
        learning_rate: where no pattern matches.
        learning_rates: pattern → learning rate; the first match wins. A pattern names a layer
            (``layers.0``), a parameter of the template (``layers.0.bias``) or a factor of one
            (``*.mode_*``).

    Raises:
        ValueError: a pattern matches nothing.
    """
    chosen: dict[tuple[float, bool], list[nn.Parameter]] = {}
    unused = set(learning_rates)
    for path, weight in network.shared_weights.items():
        lazy = set(weight.sparse_parameters())
        for name, parameter in weight.named_parameters():
            names = (path.removesuffix(".weight"), path, f"{path}.{name.removeprefix('factors.')}")
            matching = [
                pattern
                for pattern in learning_rates
                if any(fnmatchcase(candidate, pattern) for candidate in names)
            ]
            unused -= set(matching)
            if parameter.requires_grad:
                rate = learning_rates[matching[0]] if matching else learning_rate
                chosen.setdefault((rate, name in lazy), []).append(parameter)
    if unused:
        raise ValueError(
            f"learning_rates: no layer matches {sorted(unused)}; the layers are "
            f"{list(network.layers)}"
        )
    return [
        {"params": parameters, "lr": rate, "sparse_rows": sparse}
        for (rate, sparse), parameters in chosen.items()
    ]


def _require_task_sets(train: object, validation: object) -> None:
    for name, value in (("train", train), ("validation", validation)):
        if not isinstance(value, TaskSet) and not (name == "validation" and value is None):
            raise TypeError(
                f"{name}: pass a task set, such as a part that tasks.split(seed=0) gives; "
                f"ss.read_table makes one of a table or a data frame; got {type(value).__name__}"
            )


def _require_schedule(schedule: object) -> None:
    if schedule is not None and not callable(schedule):
        raise TypeError(
            "schedule: pass a function that makes a scheduler from the optimizer, such as "
            "functools.partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=steps); got "
            f"{schedule!r}"
        )


def _require_network(network: object) -> None:
    # By what it has, for networks divided among processes are of another class.
    if not hasattr(network, "shared_weights"):
        raise TypeError(
            "network: fit trains a MultiTaskNetwork, such as MultiTaskNetwork(module, tasks); "
            f"got {type(network).__name__}"
        )


def _require_callbacks(callbacks: Sequence[object]) -> None:
    if not isinstance(callbacks, Sequence):
        raise TypeError(
            f"callbacks: a list of them, got {callbacks!r} alone; write [{callbacks!r}]"
        )
    for callback in callbacks:
        if not hasattr(callback, "after_step") or isinstance(callback, type):
            raise TypeError(
                "callbacks: each is an object with a method after_step(network, step, loss) that "
                f"says whether to stop, such as ss.DiagnosticHistory(every=100); got {callback!r}"
            )


def _require_maker(optimizer: object) -> None:
    if not callable(optimizer):
        raise TypeError(
            "optimizer: pass a function that makes one from parameter groups, such as "
            "functools.partial(torch.optim.SGD, momentum=0.9), "
            f"got {optimizer if isinstance(optimizer, str) else type(optimizer).__name__ + '(…)'!r}"
        )


def _require_lazy(optimizer: Optimizer, groups: list[dict[str, Any]]) -> None:
    plain = isinstance(optimizer, SGD) and not any(
        group["momentum"] or group["weight_decay"] for group in optimizer.param_groups
    )
    if (
        plain
        or isinstance(optimizer, LazyAdam | SparseAdam)
        or not any(group["sparse_rows"] for group in groups)
    ):
        return
    given = type(optimizer).__name__
    if isinstance(optimizer, SGD):
        given = f"{given} with momentum or weight decay"
    raise ValueError(
        f"optimizer: {given} moves all tasks' "
        "rows in every step, and a network made with sparse_rows=True has gradients of a "
        "step's tasks only; pass optimizer=LazyAdam "
        "(or torch.optim.SGD without momentum and weight decay), or make the network "
        "without sparse_rows"
    )


def _total_steps(steps: int | None, epochs: int | None, batches: Batches) -> int:
    if (steps is None) == (epochs is None):
        raise ValueError(f"give either steps or epochs, got steps={steps}, epochs={epochs}")
    total = batches.steps_per_epoch * (epochs or 0) if steps is None else steps
    if total < 1:
        raise ValueError(f"steps and epochs must be at least 1, got steps={steps}, epochs={epochs}")
    return total
