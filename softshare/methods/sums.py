"""Sharing as a sum: one network for all tasks, and each task's own small part beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

import softshare as ss
from softshare.methods.method import CROSS_VALIDATED, Options, Range
from softshare.methods.network_method import NetworkMethod, Sharings

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.sharing.base import Sharing
    from softshare.tasks.task_set import TaskSet

EVGENIOU = "Evgeniou & Pontil 2004, in every layer"

CANDIDATES = ("learned", 0.01, 0.1, 1.0)
"""Shrinkage that cross-validation chooses from, and a search."""

SHRINK_SPACE: Mapping[str, Range] = {"shrink": CANDIDATES}

BY_QUANTITY, COMMON, APART = "by-quantity", "common", "apart"
"""Whether output layers have a common part: where the tasks predict one quantity, always, never."""

OWN_OPTIONS: Options = {"shrink": "learned", "output": BY_QUANTITY}
TRAIN_OPTIONS: Options = {"ranks": 0.5, "task_rank": 0.3, **OWN_OPTIONS}
PRIOR_OPTIONS: Options = {"scale": 1.0, "epsilon": 0.1, "every": 10, "output": BY_QUANTITY}


def _plus_own(layers: Sequence[str], options: Options) -> Sharings:
    """Every layer, the output too: one weight, and deviations from it."""
    own = ss.Sum(ss.Tied(), ss.Independent(), options["shrink"])
    return {layers[-1]: _output(own, options), "*": own}


def _plus_tensor_train(layers: Sequence[str], options: Options) -> Sharings:
    """The same with deviations of low rank across the tasks; the output's are small and free."""
    train = ss.TensorTrain(options["ranks"], task_rank=options["task_rank"])
    output = ss.Sum(ss.Tied(), ss.Independent(), options["shrink"])
    hidden = ss.Sum(ss.Tied(), train, options["shrink"])
    return {layers[-1]: _output(output, options), "*": hidden}


def _plus_prior(layers: Sequence[str], options: Options) -> Sharings:
    """A tensor normal prior around a common mean in the last two layers, on tied lower ones."""
    prior = ss.TensorNormal(
        scale=options["scale"], epsilon=options["epsilon"], every=options["every"]
    )
    around_mean = dict.fromkeys(layers[-2:], ss.Tied() + prior)
    output = _output(ss.Tied() + prior, options, apart=prior)
    return {**around_mean, layers[-1]: output, "*": ss.Tied()}


def _output(common: ss.Sum, options: Options, *, apart: Sharing | None = None) -> Sharing:
    """The output layer's sharing: a sum, or without its common part."""
    known = (BY_QUANTITY, COMMON, APART)
    if options["output"] not in known:
        raise ValueError(
            f"output must be one of {', '.join(map(repr, known))}, got {options['output']!r}"
        )
    return (apart or ss.Independent()) if options["output"] == APART else common


def _alike(tasks: TaskSet) -> str | None:
    """A common network needs inputs and outputs of one form."""
    if len({(task.kind, task.n_outputs) for task in tasks.tasks}) > 1:
        return "the tasks' outputs differ in form, and have no output layer in common"
    if len({tasks.input_shape(number) for number in range(len(tasks))}) > 1:
        return "the tasks' inputs differ in shape"
    return None


def _choose(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Whether outputs have a common part, and where it is asked for the shrinkage."""
    settings = _choose_output(trainer, settings, train)
    return _choose_shrinkage(trainer, settings, train)


def _choose_output(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """No common part where tasks predict different quantities: what is water's output layer says
    nothing of what is fat's, and a task whose output is near another's negative is far from both's
    mean.
    """
    given = trainer.method.option(settings, "output")
    if given != BY_QUANTITY or not _differ_in_quantity(train):
        return settings
    return settings.with_options(output=APART)


def _differ_in_quantity(tasks: TaskSet) -> bool:
    """Whether prepared tasks are columns of the same rows, or numbers that have several scales."""
    scaling = tasks.target_scaling
    several_scales = scaling is not None and len(np.unique(scaling, axis=0)) > 1
    return tasks.one_input or several_scales


def _choose_shrinkage(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Learned, or the given strength that does best in cross-validation, where that is asked
    for.
    """
    if trainer.method.option(settings, "shrink") != CROSS_VALIDATED:
        return settings
    candidates = {value: settings.with_options(shrink=value) for value in CANDIDATES}
    losses = trainer.cross_validate(candidates, train, seed=settings.seed)
    return candidates[min(losses, key=losses.__getitem__)]


SHARED_PLUS_OWN = NetworkMethod(
    "shared-plus-own",
    "one network for all tasks, and each task's deviation from it, shrunk as far as they are alike",
    EVGENIOU,
    _plus_own,
    options=OWN_OPTIONS,
    decide=_choose,
    cross_validated=("shrink",),
    search_space=SHRINK_SPACE,
    applies_to=_alike,
)

SHARED_PLUS_TENSOR_TRAIN = replace(
    SHARED_PLUS_OWN,
    name="shared-plus-tensor-train",
    shares="one network for all tasks, and deviations of low rank across them",
    paper="Evgeniou & Pontil 2004 with Yang & Hospedales 2017",
    sharing=_plus_tensor_train,
    options=TRAIN_OPTIONS,
    search_space={"task_rank": (0.1, 1.0, "linear"), **SHRINK_SPACE},
    default=False,
)

SHARED_PLUS_PRIOR = NetworkMethod(
    "shared-plus-prior",
    "lower layers; in the last two a common mean and a learned covariance of deviations from it",
    "Long, Wang & Yu 2017 (DRN) around a mean",
    _plus_prior,
    options=PRIOR_OPTIONS,
    decide=_choose_output,
    search_space={"scale": (1e-2, 10.0, "log"), "epsilon": (1e-3, 0.3, "log")},
    applies_to=_alike,
    default=False,
)
