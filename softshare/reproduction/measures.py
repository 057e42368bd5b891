"""What an experiment measures: a value, or several by name, of what was learned and its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np
from torch import nn

from softshare.methods.method import Learned
from softshare.methods.recipe import LearnedByRecipe
from softshare.methods.training import LearnedNetwork
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.trace_norm import Norm, trace_norm_strength
from softshare.tasks.class_metrics import multiclass_error
from softshare.tasks.metrics import metric_named
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Judged:
    """What a measure looks at.

    Args:
        learned: what was learned.
        train: from these examples.
        judged: the examples on which it is judged, the test part (a search: the validation part).
        outputs: every task's outputs on them, ``(N_t, n_outputs_t)``.
    """

    learned: Learned
    train: TaskSet
    judged: TaskSet
    outputs: Sequence[np.ndarray]

    @cached_property
    def described(self) -> dict[str, Any]:
        """What is shared where, see :meth:`~softshare.methods.method.Learned.describe`."""
        return self.learned.describe()

    @cached_property
    def strengths(self) -> dict[str, dict[Norm, float]]:
        """Layer whose shape all tasks have → trace norm → its fall in training, see
        :func:`~softshare.sharing.trace_norm.trace_norm_strength`.

        Raises:
            TypeError: nothing has kept the weights before the first step.
        """
        learned = self.learned
        if not isinstance(learned, LearnedByRecipe):
            raise TypeError("strengths: only a recipe keeps the weights before the first step")
        after = learned.network.stacks()
        found = {}
        for layer in learned.network.layers:
            path = learned.network.path_of(layer)
            before, now = learned.start[path], after[path]
            if not (isinstance(before, list) or isinstance(now, list)):
                found[layer] = trace_norm_strength(before, now)
        return found

    @property
    def targets(self) -> list[np.ndarray]:
        """Every task's targets, ``(N_t,)``."""
        return [self.judged.targets[self.judged.entries(t)] for t in range(len(self.judged))]


Measured = float | int | Mapping[str, float] | Sequence[Any] | None
"""A number; numbers by name (of a task, a layer); or nested lists of numbers for a figure."""


@dataclass(frozen=True)
class Measure:
    """Something that is measured in every run.

    Args:
        name: in records and claims.
        of: measures it; a function of a module.
        shown: in tables and figures, with its unit.
        better: which of two values is the better one; None: neither.
        in_table: whether it has columns in the table, which nested lists never have.
        digits: after the point.
    """

    name: str
    of: Callable[[Judged], Measured]
    shown: str
    better: Literal["lower", "higher"] | None = None
    in_table: bool = True
    digits: int = 2


def ten_way_error(judged: Judged) -> float:
    """Error in per cent of the joint decision of one-vs-rest tasks on the same rows: the task with
    the highest output.

    Raises:
        ValueError: the tasks are not one-vs-rest.
    """
    error = multiclass_error(judged.outputs, judged.targets)
    if error is None:
        raise ValueError("ten_way_error: each row must belong to exactly one of the tasks")
    return 100 * error


def accuracies(judged: Judged) -> dict[str, float]:
    """Every task's accuracy in per cent."""
    return _of_tasks(judged, "accuracy", scale=100)


def errors(judged: Judged) -> dict[str, float]:
    """Every task's share of wrong answers in per cent."""
    return {task: 100 - value for task, value in accuracies(judged).items()}


def mean_accuracy(judged: Judged) -> float:
    """Mean of the tasks' accuracies in per cent."""
    return float(np.mean(list(accuracies(judged).values())))


def mean_error(judged: Judged) -> float:
    """Mean of the tasks' errors in per cent."""
    return 100 - mean_accuracy(judged)


def fewest_accuracy(judged: Judged) -> float:
    """Accuracy in per cent of the task that has the fewest training examples."""
    fewest = int(np.argmin(judged.train.n_examples))
    return accuracies(judged)[judged.judged.tasks[fewest].label]


def summed_loss(judged: Judged) -> float:
    """Sum over the tasks of the mean ``−log`` of the probability of the right class."""
    return sum(_of_tasks(judged, "log_loss", scale=1).values())


def train_accuracy(judged: Judged) -> float:
    """Mean of the tasks' accuracies on what was trained on, in per cent."""
    outputs = judged.learned.predict(judged.train)
    return mean_accuracy(Judged(judged.learned, judged.train, judged.train, outputs))


def train_loss(judged: Judged) -> float | None:
    """The training loss at the end of the learning curve."""
    return judged.learned.curve[-1]["train_loss"] if judged.learned.curve else None


def weights(judged: Judged) -> int:
    """How many weights the tasks' networks have in all, biases not counted."""
    layers = judged.described["layers"]
    return sum(layer["parameters"] for layer in layers.values())


def ratio_of_weights(
    judged: Judged,
    *,
    template: TemplateFactory,
) -> float:
    """Weights relative to those of networks of a template that share nothing.

    Args:
        judged: what was learned.
        template: of the networks apart.
    """
    apart = 0
    for number, task in enumerate(judged.train.tasks):
        network = template(judged.train.input_shape(number), task.n_outputs)
        apart += _weights_of(network)
    return weights(judged) / apart


def parameters(judged: Judged) -> int | None:
    """How many numbers were learned, biases among them."""
    return judged.learned.n_parameters


def rho(judged: Judged) -> dict[str, float]:
    """Sharing strength ρ of every layer, see :mod:`softshare.sharing.strength`."""
    return _of_layers(judged, "rho")


def cosines(judged: Judged) -> dict[str, float]:
    """Mean cosine of two tasks' weights in every layer."""
    return _of_layers(judged, "cosine")


def effective_ranks(judged: Judged) -> dict[str, float]:
    """About how many directions the tasks use in every layer."""
    return _of_layers(judged, "effective_rank")


def task_correlation(judged: Judged) -> list[list[float]] | None:
    """The tasks' correlation that a method has learned."""
    matrix: list[list[float]] | None = judged.described["task_correlation"]
    return matrix


def strengths(
    judged: Judged,
    *,
    norm: Norm,
) -> dict[str, float]:
    """``1 − ‖W after‖_* / ‖W before‖_*`` of every layer whose shape all tasks have.

    Args:
        judged: a network that a recipe has trained.
        norm: which trace norm of the stack.
    """
    return {layer: float(values[norm]) for layer, values in judged.strengths.items()}


def _of_tasks(
    judged: Judged,
    metric: str,
    *,
    scale: float,
) -> dict[str, float]:
    measure = metric_named(metric).measure
    assert measure is not None
    found = {}
    for task, outputs, targets in zip(
        judged.judged.tasks, judged.outputs, judged.targets, strict=True
    ):
        (value,) = measure(outputs.astype(np.float64), targets, np.ones((1, len(targets))))
        found[task.label] = scale * float(value)
    return found


def _of_layers(
    judged: Judged,
    name: str,
) -> dict[str, float]:
    layers = judged.described["layers"]
    return {layer: row[name] for layer, row in layers.items() if row.get(name) is not None}


def _weights_of(network: nn.Module) -> int:
    """Numbers in a network's weights; biases and norms have one axis."""
    shapes = [value.shape for value in network.parameters() if value.ndim > 1]
    return sum(prod(shape) for shape in shapes)


def network_of(judged: Judged) -> LearnedNetwork:
    """The learned network, for a measure that looks into it.

    Raises:
        TypeError: what was learned is no network.
    """
    if not isinstance(judged.learned, LearnedNetwork):
        raise TypeError(f"{type(judged.learned).__name__} is no network")
    return judged.learned
