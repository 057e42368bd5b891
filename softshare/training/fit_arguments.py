"""The arguments of :func:`softshare.training.fit.fit`, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from torch.optim import SGD, Optimizer, SparseAdam

from softshare.tasks.batches import Batches
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import AfterEvaluation, AfterStep, BeforeStep
from softshare.training.distributed import Processes
from softshare.training.lazy_adam import LazyAdam


def require_task_sets(train: object, validation: object) -> None:
    """Make sure that the examples are task sets.

    Raises:
        TypeError: they are something else.
    """
    for name, value in (("train", train), ("validation", validation)):
        if not isinstance(value, TaskSet) and not (name == "validation" and value is None):
            raise TypeError(
                f"{name}: pass a task set, such as a part that tasks.split(seed=0) gives; "
                f"ss.read_table makes one of a table or a data frame; got {type(value).__name__}"
            )


def require_schedule(schedule: object) -> None:
    """Make sure that a schedule can be made.

    Raises:
        TypeError: it is no function.
    """
    if schedule is not None and not callable(schedule):
        raise TypeError(
            "schedule: pass a function that makes a scheduler from the optimizer, such as "
            "functools.partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=steps); got "
            f"{schedule!r}"
        )


def require_network(network: object) -> None:
    """Make sure that it is a network of tasks.

    Raises:
        TypeError: it is something else.
    """
    # By what it has, for networks divided among processes are of another class.
    if not hasattr(network, "shared_weights"):
        raise TypeError(
            "network: fit trains a MultiTaskNetwork, such as MultiTaskNetwork(module, tasks); "
            f"got {type(network).__name__}"
        )


def require_callbacks(callbacks: Sequence[object]) -> None:
    """Make sure that each can be called.

    Raises:
        TypeError: they are no list, or one of them has none of a callback's methods.
    """
    if not isinstance(callbacks, Sequence):
        raise TypeError(
            f"callbacks: a list of them, got {callbacks!r} alone; write [{callbacks!r}]"
        )
    for callback in callbacks:
        has_one = isinstance(callback, BeforeStep | AfterStep | AfterEvaluation)
        if not has_one or isinstance(callback, type):
            raise TypeError(
                "callbacks: each is an object with a method before_step(network, step, loss), "
                "after_step(network, step, loss), which says whether to stop, or "
                "after_evaluation(network, row), such as ss.DiagnosticHistory(every=100); "
                f"got {callback!r}"
            )


def require_maker(optimizer: object) -> None:
    """Make sure that an optimizer can be made.

    Raises:
        TypeError: it is no function.
    """
    if not callable(optimizer):
        raise TypeError(
            "optimizer: pass a function that makes one from parameter groups, such as "
            "functools.partial(torch.optim.SGD, momentum=0.9), "
            f"got {optimizer if isinstance(optimizer, str) else type(optimizer).__name__ + '(…)'!r}"
        )


def require_lazy(optimizer: Optimizer, groups: list[dict[str, Any]]) -> None:
    """Make sure that an optimizer can do with the gradients of a step's tasks alone, where a
    network's are such.

    Raises:
        ValueError: it moves all tasks' rows in every step.
    """
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


def total_steps(steps: int | None, epochs: int | None, batches: Batches) -> int:
    """The updates to make.

    Raises:
        ValueError: they are given twice or not at all, or are none.
    """
    if (steps is None) == (epochs is None):
        raise ValueError(f"give either steps or epochs, got steps={steps}, epochs={epochs}")
    total = batches.steps_per_epoch * (epochs or 0) if steps is None else steps
    if total < 1:
        raise ValueError(f"steps and epochs must be at least 1, got steps={steps}, epochs={epochs}")
    return total


def require_clip_norm(clip_norm: object) -> None:
    """Make sure that it is a length.

    Raises:
        ValueError: it is none.
    """
    if clip_norm is None:
        return
    is_number = isinstance(clip_norm, int | float) and not isinstance(clip_norm, bool)
    if not is_number or not clip_norm > 0:  # type: ignore[operator]
        raise ValueError(f"clip_norm must be above 0, or None, got {clip_norm!r}")


def require_checkpoints(checkpoint: object, every: object, processes: Processes) -> None:
    """Make sure that a training can be kept as it is asked for.

    Raises:
        ValueError: it cannot.
    """
    if every is not None and checkpoint is None:
        raise ValueError("checkpoint_every needs a folder: pass checkpoint= too")
    is_time = isinstance(every, timedelta) and every > timedelta(0)
    is_steps = isinstance(every, int) and not isinstance(every, bool) and every > 0
    if every is not None and not is_time and not is_steps:
        raise ValueError(
            "checkpoint_every must be steps, at least 1, or a time such as "
            f"datetime.timedelta(minutes=5), got {every!r}"
        )
    if checkpoint is not None and processes.count > 1:
        raise ValueError(
            "checkpoint: a training of several processes cannot be kept; leave it out, or train in "
            "one process"
        )
