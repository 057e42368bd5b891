"""scikit-learn's own checks of estimators, for the form with a column of targets for each task."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.go_mtl import GOMTL
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear

KINDS = (EvgeniouPontil, GOMTL, MTFL, MTRL, RMTL, TraceNormLinear, L21)
ESTIMATORS = [kind(loss=loss) for kind in KINDS for loss in ("squared", "logistic")]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learns_checks(estimator: LinearTasks, check: Any) -> None:
    check(estimator)
