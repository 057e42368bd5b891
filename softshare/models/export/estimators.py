"""Estimators as modules: features and tasks in, outputs out, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from softshare.methods.estimators import Fitted
from softshare.models.export.kernel_models import GaussianProcessOfRows, KernelsApartOfRows
from softshare.models.export.linear_models import (
    of_mixed_model,
    of_pooled_ridge,
    of_ridge,
    of_tuned_linear,
)
from softshare.models.export.refusal import NotExportableError
from softshare.models.export.tree_models import (
    ApartOfRows,
    BoostedOfRows,
    ForestOfRows,
    ForestsApartOfRows,
)
from softshare.shallow.boosted import Boosted
from softshare.shallow.boosted_apart import BoostedApart
from softshare.shallow.forest import Forest
from softshare.shallow.forest_apart import ForestApart
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.kernel_apart import KernelApart
from softshare.shallow.mixed_model import MixedModel
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.ridge_apart import RidgeApart
from softshare.shallow.tuned_linear import TunedLinear

MODULES: Mapping[type, Callable[[Any, np.ndarray], nn.Module]] = {
    Boosted: BoostedOfRows,
    BoostedApart: ApartOfRows,
    Forest: ForestOfRows,
    ForestApart: ForestsApartOfRows,
    GaussianProcess: GaussianProcessOfRows,
    KernelApart: KernelsApartOfRows,
    MixedModel: of_mixed_model,
    PooledRidge: of_pooled_ridge,
    RidgeApart: of_ridge,
    TunedLinear: of_tuned_linear,
}
"""What makes a module of each kind of estimator, and of the numbers of tasks."""


def estimator_module(fitted: Fitted, names: Sequence[Any]) -> nn.Module:
    """A fitted estimator as a module.

    Args:
        fitted: the estimator, and the tasks that it knows.
        names: of the tasks that the module is to know, in the order of their places.

    Raises:
        NotExportableError: it is of another kind.
    """
    number_of = {task.name: number for number, task in enumerate(fitted.tasks)}
    numbers = np.array([number_of[name] for name in names])
    make = MODULES.get(type(fitted.estimator))
    if make is None:
        kind = type(fitted.estimator).__name__
        raise NotExportableError(f"{kind} has no form as a graph")
    return make(fitted.estimator, numbers)
