"""Learning a model by a method's name, from all the rows there are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from softshare.evaluation.arguments import check_tasks, wrong_arguments
from softshare.evaluation.jobs.run import versions
from softshare.evaluation.plan import default_budget, why_unsuitable, wrong_class_weight
from softshare.evaluation.records.unfinished import UnfinishedRuns
from softshare.methods.method import Learned, Method
from softshare.methods.named import METHODS
from softshare.methods.options import GivenOptions, options_of_auto, unknown
from softshare.methods.settings import RunSettings, checked_settings
from softshare.models.calibration import calibrate
from softshare.models.form import form_of
from softshare.models.measured import Row, measured
from softshare.models.model import Model
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.metrics import primary_metric
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import TEST, VALIDATION, Split, given_parts_of
from softshare.tasks.task_set import TaskSet
from softshare.tasks.training_weights import weighed_for_training
from softshare.tasks.weights import ClassWeight, TaskWeight


def learn(
    tasks: TaskSet,
    *,
    method: str | Method = "auto",
    source: str = "tasks",
    seed: int = 0,
    preset: str | None = None,
    time_limit: float | None = None,
    options: Mapping[str, Any] | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    hidden: Sequence[int] | None = None,
    learning_rate: float | None = None,
    weight_decay: float | None = None,
    dropout: float | None = None,
    base: str | None = None,
    metric: str | None = None,
    class_weight: ClassWeight | None = None,
    task_weight: TaskWeight | None = None,
    checkpoint: str | Path | None = None,
) -> Model:
    """Learn the tasks from all their rows, and keep what predicts new ones.

    What is to be chosen is chosen by cross-fitting, so that no row is spent on choosing alone. Rows
    that are given as validation choose instead, and rows that are given as test judge only.

    Args:
        tasks: the data, as they were read.
        method: the name of one of the methods, or a :class:`~softshare.methods.method.Method`.
        source: what they were read from, for the model's card.
        seed: of folds, starts and the order of examples.
        preset: ``quick``, ``default`` or ``thorough``: the methods that ``auto`` weighs.
        time_limit: minutes that ``auto`` may take.
        options: of the method, name → value.
        steps: optimiser steps of a network.
        batch_size: examples of every task in a step.
        hidden: widths of the hidden layers.
        learning_rate: of Adam.
        weight_decay: by how many thousandths a step shrinks every weight.
        dropout: probability after each hidden layer.
        base: whether networks for vectors stand on a linear model, ``"linear"`` or ``"none"``.
        metric: that ``auto`` chooses by, instead of each kind's own.
        class_weight: ``"balanced"`` lets every class of a task weigh the same.
        task_weight: ``"equal"`` lets every task weigh the same, ``"examples"`` as much as it has
            examples; None: as each method does.
        checkpoint: a folder in which trainings of a minute and more are kept while they last: the
            same call again goes on where one was stopped. None: nothing is kept.

    Raises:
        ValueError: arguments are wrong or do not suit the data; the message names them all.
        FloatingPointError: training diverged.
    """
    given = {
        "source": source,
        "steps": steps,
        "batch_size": batch_size,
        "hidden": hidden,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "dropout": dropout,
        "base": base,
        "metric": metric,
        "class_weight": class_weight,
        "task_weight": task_weight,
    }
    chosen = _method(method)
    of_method: GivenOptions = {chosen.name: options} if options else {}
    of_method = options_of_auto(of_method, preset=preset, time_limit=time_limit)
    settings = _settings(tasks, chosen, seed, given, of_method)
    if checkpoint is not None:
        Path(checkpoint).mkdir(parents=True, exist_ok=True)
    unfinished = UnfinishedRuns(None if checkpoint is None else Path(checkpoint))
    kept = unfinished.keeping(settings.key, settings)
    model, _ = learn_run(tasks, chosen, kept, _parts(tasks))
    unfinished.end(settings.key)
    unfinished.close()
    return model


def learn_run(
    tasks: TaskSet, method: Method, settings: RunSettings, split: Split
) -> tuple[Model, TaskSet]:
    """The model of one run, and its test part, prepared."""
    train, validation, test = prepare(tasks, split)
    begin = time.perf_counter()
    trained = weighed_for_training(train, **settings.weighing)
    watched = weighed_for_training(validation, **settings.weighing)
    learned = method.learn(trained, watched, settings)
    seconds = time.perf_counter() - begin
    facts = {**facts_of(learned, train, validation, test, settings), "seconds": seconds}
    # by the weights that training goes by: classes that are to weigh the same do so in answers too
    calibration = calibrate(learned, trained, watched)
    return Model(learned, method, settings, form_of(train), facts, calibration), test


def _method(method: str | Method) -> Method:
    if isinstance(method, Method):
        return method
    known = {each.name: each for each in METHODS}
    if method not in known:
        raise ArgumentError(("method", unknown("method", method, list(known))))
    return known[method]


def _settings(
    tasks: TaskSet,
    method: Method,
    seed: int,
    given: Mapping[str, Any],
    options: GivenOptions,
) -> RunSettings:
    """Checked settings of the one run that a model is.

    Raises:
        ArgumentError: some are wrong, or the method does not suit the tasks; all are named.
    """
    check_tasks(tasks)
    wrong = wrong_arguments(
        methods=[method],
        fractions=(1.0,),
        seeds=(seed,),
        workers=None,
        settings=given,
        options=options,
        cluster=None,
    )
    if reason := why_unsuitable(method, tasks, given):
        refusal = f"{method.name} cannot apply to these tasks ({reason}), choose another"
        wrong.append(("method", refusal))
    if not wrong and given["metric"] is not None:
        for task in tasks.tasks:
            primary_metric(task, given["metric"])
    wrong += wrong_class_weight(tasks, given["class_weight"])
    if wrong:
        raise ArgumentError(*wrong)
    values = {name: value for name, value in given.items() if value is not None}
    of_run = {"method": method.name, "fraction": 1.0, "seed": seed}
    settings = checked_settings({**default_budget(tasks), **values, **of_run})
    return replace(settings, method_options=dict(options.get(method.name, {})))


def _parts(tasks: TaskSet) -> Split:
    """All entries train but those that are given another part."""
    given = given_parts_of(tasks)
    others = (given == VALIDATION) | (given == TEST)
    parts = {part: np.flatnonzero(given == part) for part in (VALIDATION, TEST)}
    return Split(np.flatnonzero(~others), parts[VALIDATION], parts[TEST])


def facts_of(
    learned: Learned,
    train: TaskSet,
    validation: TaskSet,
    test: TaskSet,
    settings: RunSettings,
) -> dict[str, Any]:
    """What is known of a model beside how it predicts: on what it was learned, how well it does.

    Args:
        learned: what was learned.
        train: the training examples.
        validation: those that chose.
        test: those that judge, which may be none: then rows of the training part do, by what was
            not trained on them.
        settings: of the run.
    """
    judged, measures = _judged(learned, train, validation, test, settings.metric)
    counts = zip(train.tasks, train.n_examples.tolist(), strict=True)
    return {
        "tasks": [{"task": task.label, "rows": count} for task, count in counts],
        "judged_on": judged,
        "measures": measures,
        "parameters": learned.n_parameters,
        "decided": dict(learned.decided),
        "sharing": learned.describe(),
        "versions": versions(),
    }


def _judged(
    learned: Learned, train: TaskSet, validation: TaskSet, test: TaskSet, metric: str | None
) -> tuple[str, list[Row]]:
    """On what the model is judged, and how well it does there."""
    if len(test.rows):
        return "the test rows", measured(test, learned.predict(test), metric=metric)
    if learned.out_of_fold is not None:
        of_others = measured(train, learned.out_of_fold, metric=metric)
        return "the training rows, each by fits that had not seen it", of_others
    if len(validation.rows):
        outputs = learned.predict(validation)
        return "the given validation rows", measured(validation, outputs, metric=metric)
    return "nothing", []
