"""Start and train the network of a method."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch.optim import AdamW

from softshare.methods.method import Method, Options
from softshare.methods.settings import RunSettings
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import TemplateFactory, template_for
from softshare.sharing.independent import Independent
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback
from softshare.training.fit import fit


def train_network(
    method: Method,
    settings: RunSettings,
    train: TaskSet,
    validation: TaskSet,
    *,
    callbacks: Sequence[Callback] = (),
) -> tuple[MultiTaskNetwork, list[dict[str, Any]]]:
    """A method's network, trained with exactly the settings' number of steps, those of its start
    counted.

    All methods start from the same initial weights, one draw for all tasks, so that runs of one
    seed are pairs; but for those that need each task's own (:attr:`Method.initial`).

    Args:
        method: what to train.
        settings: of the run.
        train: the training examples.
        validation: the examples that choose the weights to keep.
        callbacks: called after every step of the method's own, those of a start apart left out.

    Returns:
        The network with the weights of its best mean validation loss, and the learning curve.

    Raises:
        FloatingPointError: training diverged.
    """
    options = {**method.options, **settings.method_options}
    apart = _steps_apart(settings, options)
    learn = partial(
        fit,
        train=train,
        validation=validation,
        batch_size=settings.batch_size,
        learning_rate=settings.rate,
        optimizer=partial(AdamW, fused=True, weight_decay=settings.decay),
        evaluate_every=_evaluate_every(settings.steps),
        keep_best=True,
        seed=settings.seed,
    )
    curve: list[dict[str, Any]] = []
    network = start_network(method, settings, train)
    if apart:
        curve += learn(network, steps=apart)
        network = network.with_sharing(method.sharing(list(network.layers), options))
    rates = {pattern: settings.rate * multiple for pattern, multiple in method.rates.items()}
    rows = learn(network, steps=settings.steps - apart, learning_rates=rates, callbacks=callbacks)
    curve += [row | {"step": (row["step"] or 0) + apart} for row in rows]
    return network, [
        {name: row[name] for name in ("step", "train_loss", "validation_loss")} for row in curve
    ]


def _evaluate_every(steps: int) -> int:
    """Every 20 steps, but ten times at the least and fifty at the most."""
    return max(1, steps // 50, min(20, steps // 10))


def start_network(method: Method, settings: RunSettings, train: TaskSet) -> MultiTaskNetwork:
    """A method's network before its first step: with its sharing, or with none where the tasks are
    first trained apart.
    """
    options = {**method.options, **settings.method_options}
    template = _template(method, options, train, settings.hidden)
    sharing = (
        {"*": Independent()}
        if _steps_apart(settings, options)
        else method.sharing(_layer_names(template, train), options)
    )
    return MultiTaskNetwork(
        template, train, sharing=sharing, initial=method.initial, seed=settings.seed
    )


def _steps_apart(settings: RunSettings, options: Options) -> int:
    return round(settings.steps * options.get("apart", 0))


def _template(
    method: Method, options: Options, train: TaskSet, hidden: Sequence[int]
) -> TemplateFactory:
    shape = train.input_shape(0)
    return (
        template_for(shape, hidden=hidden)
        if method.template is None
        else method.template(shape, hidden, options)
    )


def _layer_names(template: TemplateFactory, train: TaskSet) -> list[str]:
    with torch.random.fork_rng(devices=[]):
        module = template(train.input_shape(0), train.tasks[0].n_outputs)
    return [parameter.layer for parameter in parameters_of(module).values() if parameter.is_weight]
