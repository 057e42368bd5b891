"""Training: what a network learns from which examples, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batches import Augment, Batches, Policy
from softshare.tasks.losses import BinaryLoss
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback, Callbacks
from softshare.training.checkpoint import kept_training
from softshare.training.checkpoint_clock import Every
from softshare.training.fit_arguments import (
    require_callbacks,
    require_checkpoints,
    require_clip_norm,
    require_lazy,
    require_maker,
    require_network,
    require_schedule,
    require_task_sets,
    total_steps,
)
from softshare.training.history import History
from softshare.training.kept import Checkpoints
from softshare.training.loop import Loop
from softshare.training.objective import Objective
from softshare.training.plain_step import require_plain_step
from softshare.training.recorder import KeepBest, Recorder
from softshare.training.spreads import SpreadUpdates
from softshare.training.task_processes import processes_for
from softshare.training.training_identity import described_optimizer

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
    clip_norm: float | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: str | Path | Checkpoints | None = None,
    checkpoint_every: Every | None = None,
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
        clip_norm: the length that the gradient of all parameters together may have; a longer one
            is shortened to it.
        callbacks: objects with a method ``before_step(network, step, loss)``, called when the
            gradients are there and before they are clipped and used; ``after_step(network, step,
            loss)``, where True ends the training; or ``after_evaluation(network, row)``.
        checkpoint: a folder for the training to go on from when it was stopped: the same call
            again, on a network made in the same way, ends with the same weights and history, bit
            for bit. A finished training is not trained again. See ``docs/resume.md``.
        checkpoint_every: steps between checkpoints, or a ``datetime.timedelta``; a minute when
            None.
        seed: of the examples' order and of dropout. A task's dropout goes by the seed, the step and
            the task's name alone. Modules that draw from PyTorch's own generator themselves (a
            forward of one's own, dropout inside of recurrent layers and attention) have a stream
            for each step, in which the tasks' order matters; threads wait for each other there.

    Returns:
        The history, one row an evaluation.

    Raises:
        TypeError: ``optimizer`` is no function that makes one, or what it or ``schedule`` makes
            cannot be stepped without arguments.
        ValueError: not exactly one of ``steps`` and ``epochs``, a pattern that matches no layer, an
            optimizer that needs every task's gradient for a network made with ``sparse_rows``, or a
            checkpoint of another training.
        OSError: a checkpoint cannot be written or read; those before it are intact.
        FloatingPointError: the loss is not finite; names the task and the step.
    """
    require_task_sets(train, validation)
    require_maker(optimizer)
    require_schedule(schedule)
    require_network(network)
    require_callbacks(callbacks)
    require_clip_norm(clip_norm)
    processes = processes_for(network, train)
    require_checkpoints(checkpoint, checkpoint_every, processes)
    batches = Batches(
        train,
        batch_size=batch_size,
        seed=seed,
        policy=policy,
        tasks_per_step=tasks_per_step,
        temperature=temperature,
        augment=augment,
    )
    total = total_steps(steps, epochs, batches)
    every = evaluate_every or max(1, total // 50)
    objective = Objective(processes.own(train), binary=binary_loss)
    groups = parameter_groups(network, learning_rate, learning_rates or {})
    update, scheduler = _made(optimizer, schedule, groups)
    called = Callbacks(callbacks)
    recorder = Recorder(
        History(),
        every=every,
        validation=None if validation is None else processes.own(validation),
        losses=objective.losses,
        mean=processes.mean,
        patience=patience,
        keep_best=keep_best,
        told=called,
    )
    processes.begin(network)
    loop = Loop(
        network,
        train.tasks,
        processes=processes,
        objective=objective,
        optimizer=update,
        schedule=scheduler,
        clip_norm=clip_norm,
        spreads=SpreadUpdates(network, processes.own(train), objective.losses, processes),
        recorder=recorder,
        callbacks=called,
        seed=seed,
    )
    kept = kept_training(
        checkpoint,
        checkpoint_every,
        parts=loop.parts(),
        settings={
            "steps": total,
            "batch_size": batch_size,
            "policy": policy,
            "tasks_per_step": tasks_per_step,
            "temperature": temperature,
            "augment": augment,
            "optimizer": described_optimizer(update),
            "learning_rate": learning_rate,
            "learning_rates": learning_rates,
            "schedule": schedule,
            "binary_loss": binary_loss,
            "evaluate_every": every,
            "patience": patience,
            "keep_best": keep_best,
            "clip_norm": clip_norm,
            "callbacks": called.names,
            "seed": seed,
        },
        data=(train, validation),
        network=network,
    )
    loop.run(batches, total, kept)
    return recorder.history


def _made(
    optimizer: MakeOptimizer, schedule: MakeSchedule | None, groups: list[dict[str, Any]]
) -> tuple[Optimizer, LRScheduler | None]:
    update = optimizer(groups)
    require_plain_step(update, "optimizer", "pass one such as torch.optim.Adam or SGD")
    require_lazy(update, groups)
    if schedule is None:
        return update, None
    scheduler = schedule(update)
    remedy = "pass one such as CosineAnnealingLR, or stop early by patience="
    require_plain_step(scheduler, "schedule", remedy)
    return update, scheduler


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
