"""Regularised weights: tensor trace norms, and tensor normal priors with learned covariances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import softshare as ss
from softshare.methods.factorisations import whole_grid
from softshare.methods.method import Options, Range
from softshare.methods.network_method import NetworkMethod, Sharings

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.sharing.trace_norm import Norm
    from softshare.tasks.task_set import TaskSet

TNRDMTL = "Yang & Hospedales 2017 (trace norm)"
TRACE_NORM_OPTIONS: Options = {"gamma": 0.01, "every": 1}
TRACE_NORM_SPACE: Mapping[str, Range] = {"gamma": (1e-4, 1.0, "log")}

DRN = "Long, Wang & Yu 2017 (DRN, MRN)"
PRIOR_OPTIONS: Options = {
    "layers": "last",
    "scale": 1.0,
    "epsilon": 0.1,
    "every": 10,
    "warm_up": 0,
}
PRIOR_SPACE: Mapping[str, Range] = {"scale": (1e-2, 10.0, "log"), "epsilon": (1e-3, 0.3, "log")}

WIDE = 512
"""Features from which on an unfolding's or a covariance's eigenvalues take longer than a step."""


def _trace_norm(norm: Norm, layers: Sequence[str], options: Options) -> Sharings:
    """Independent weights under a tensor trace norm."""
    return {"*": ss.TraceNorm(norm, gamma=options["gamma"], every=options["every"])}


def _tensor_normal(modes: tuple[str, ...], layers: Sequence[str], options: Options) -> Sharings:
    """A tensor normal prior over some layers, on other ones that are tied."""
    prior = ss.TensorNormal(
        modes,
        scale=options["scale"],
        epsilon=options["epsilon"],
        every=options["every"],
        warm_up=options["warm_up"],
    )
    under_prior = _layers_under_prior(layers, options["layers"])
    return {**dict.fromkeys(under_prior, prior), "*": ss.Tied()}


def _layers_under_prior(layers: Sequence[str], wanted: str) -> Sequence[str]:
    """The layers that are meant: the last one, all, or those named, with commas between.

    Raises:
        ValueError: there is no such layer.
    """
    if wanted == "last":
        return layers[-1:]
    if wanted == "all":
        return layers
    named = [name.strip() for name in wanted.split(",")]
    for name in named:
        if name not in layers:
            raise ValueError(
                f"layers must be 'last', 'all' or names of layers with commas between, got "
                f"{wanted!r}: there is no layer {name!r}; the layers are {', '.join(layers)}"
            )
    return named


def _outputs_alike(tasks: TaskSet) -> str | None:
    """The prior joins output layers of one width."""
    if len({task.n_outputs for task in tasks.tasks}) > 1:
        return "the tasks' output layers differ in width, and one prior cannot join them"
    return None


def _choose_interval(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Ten times the default interval ``every`` where layers are wide, unless it is given."""
    if "every" in settings.method_options:
        return settings
    weights = trainer.start(settings, train).layers.values()
    sizes = [size for weight in weights if weight.regularises for size in weight.of(0).shape]
    if max(sizes, default=0) <= WIDE:
        return settings
    return settings.with_options(every=10 * trainer.method.options["every"])


TRACE_NORM_LAF = NetworkMethod(
    "trace-norm-laf",
    "directions of the tasks' weights, by a penalty on their rank",
    TNRDMTL,
    partial(_trace_norm, "laf"),
    options=TRACE_NORM_OPTIONS,
    search_space=TRACE_NORM_SPACE,
    default=False,
)

TRACE_NORM_TUCKER = NetworkMethod(
    "trace-norm-tucker",
    "directions of tasks, inputs and outputs, by a penalty on their ranks",
    TNRDMTL,
    partial(_trace_norm, "tucker"),
    options=TRACE_NORM_OPTIONS,
    decide=_choose_interval,
    applies_to=whole_grid,
    search_space=TRACE_NORM_SPACE,
    default=False,
)

TRACE_NORM_TT = NetworkMethod(
    "trace-norm-tt",
    "directions of the stack's sequential unfoldings, by a penalty on their ranks",
    TNRDMTL,
    partial(_trace_norm, "tt"),
    options=TRACE_NORM_OPTIONS,
    decide=_choose_interval,
    applies_to=whole_grid,
    search_space=TRACE_NORM_SPACE,
    default=False,
)

TENSOR_NORMAL_DRN = NetworkMethod(
    "tensor-normal-drn",
    "lower layers; in the output layer a learned covariance of the tasks",
    DRN,
    partial(_tensor_normal, ("task",)),
    options=PRIOR_OPTIONS,
    initial="independent",
    search_space=PRIOR_SPACE,
    applies_to=_outputs_alike,
    default=False,
)

TENSOR_NORMAL_MRN = NetworkMethod(
    "tensor-normal-mrn",
    "lower layers; in the output layer learned covariances of features, classes and tasks",
    DRN,
    partial(_tensor_normal, ("in", "out", "task")),
    options=PRIOR_OPTIONS,
    decide=_choose_interval,
    initial="independent",
    search_space=PRIOR_SPACE,
    applies_to=_outputs_alike,
    default=False,
)
