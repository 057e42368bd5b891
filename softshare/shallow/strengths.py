"""Which strengths of the linear multi-task methods are worth trying, in units of the data.

A strength in its own unit means nothing: a sum over rows grows with the rows. What every weight is
pulled by at zero, the loss's gradient there, says from which strength on a penalty leaves nothing:

    gradient at W = 0  ──►  its spectral norm, its columns' or rows' largest norm  =  1 on a grid
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.go_mtl import GOMTL
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.rows import Array
from softshare.shallow.trace_norm import TraceNormLinear

Grid = tuple[float, ...]


def _powers(highest: float, lowest: float, step: float) -> Grid:
    """Powers of ten from the strongest to the weakest."""
    end = lowest - step / 2
    exponents = np.arange(highest, end, -step)
    return tuple(float(10.0**exponent) for exponent in exponents)


SHARES = _powers(0, -3, 0.25)
"""Of the strength from which on nothing is left."""

SQUARES = _powers(0, -4, 0.5)
"""Of a squared norm, which has no such strength."""

PRECISIONS = _powers(4, -1, 0.5)
"""Of a normal prior, where inputs have one scale."""


@dataclass(frozen=True)
class Pull:
    """How strongly a loss pulls all tasks' weights away from zero.

    Attributes:
        gradient: at zero, ``(T, D)``.
        n_rows: that the loss is a sum of.
    """

    gradient: Array
    n_rows: int

    @property
    def n_tasks(self) -> int:
        return len(self.gradient)

    @property
    def spectral(self) -> float:
        """A trace norm at least so strong leaves nothing."""
        return max(float(np.linalg.norm(self.gradient, 2)), 1e-12)

    @property
    def of_features(self) -> float:
        """Likewise the norms of features."""
        return max(float(np.linalg.norm(self.gradient, axis=0).max()), 1e-12)

    @property
    def of_tasks(self) -> float:
        """Likewise the norms of tasks."""
        return max(float(np.linalg.norm(self.gradient, axis=1).max()), 1e-12)

    @property
    def squared(self) -> float:
        """Beside weights of size 1 in a direction in common, ``‖W‖_* = √T``, about as strong."""
        return float(self.spectral / np.sqrt(self.n_tasks))


Setting = Mapping[str, float]


@dataclass(frozen=True)
class Tunable:
    """A method and the strengths that it is tried with.

    Attributes:
        make: the method.
        grids: of every strength the values to try, without units.
        start: where a search begins.
        setting: arguments of the method for a point of the grids.
        on_pooled: whether it learns deviations from a common model, which it has not itself.
    """

    make: type[LinearTasks]
    grids: Sequence[Grid]
    start: Grid
    setting: Callable[[Pull, Grid], Setting]
    on_pooled: bool = True


def _of_trace_norm(pull: Pull, point: Grid) -> Setting:
    return {"gamma": point[0] * pull.spectral}


def _of_l21(pull: Pull, point: Grid) -> Setting:
    return {"gamma": point[0] * pull.of_features}


def _of_mtfl(pull: Pull, point: Grid) -> Setting:
    return {"gamma": point[0] * pull.squared}


def _of_mtrl(pull: Pull, point: Grid) -> Setting:
    return {"lambda_1": point[0], "lambda_2": point[1] * pull.squared}


def _of_rmtl(pull: Pull, point: Grid) -> Setting:
    return {"alpha": point[0] * pull.spectral, "beta": point[1] * pull.of_tasks}


def _of_evgeniou_pontil(pull: Pull, point: Grid) -> Setting:
    # A precision τ is the penalty τ/2 ‖·‖².
    own, common = point
    return {"lambda_1": own / 2 * pull.n_tasks, "lambda_2": common / 2}


def _of_go_mtl(pull: Pull, point: Grid) -> Setting:
    # A task's codes are pulled by its own rows, a latent model by all that use it.
    rank, share = point
    strength = share * pull.n_rows
    return {
        "n_components": int(rank),
        "mu": strength / pull.n_tasks,
        "lam": strength,
    }


_COMMON = _powers(3, -2, 1)
_RANKS = (1.0, 2.0, 4.0, 8.0, 16.0)
_STRENGTHS = _powers(-1, -4, 0.5)
_RIDGES = _powers(3, 0, 0.5)
_COARSE = SHARES[::2]

TUNABLE: Mapping[str, Tunable] = {
    "evgeniou-pontil": Tunable(
        EvgeniouPontil,
        (PRECISIONS, _COMMON),
        (PRECISIONS[4], _COMMON[2]),
        _of_evgeniou_pontil,
        on_pooled=False,
    ),
    "mtfl": Tunable(MTFL, (SQUARES,), (SQUARES[1],), _of_mtfl),
    "go-mtl": Tunable(GOMTL, (_RANKS, _STRENGTHS), (2.0, _STRENGTHS[2]), _of_go_mtl),
    "mtrl": Tunable(MTRL, (_RIDGES, SQUARES), (_RIDGES[2], SQUARES[2]), _of_mtrl),
    "rmtl": Tunable(RMTL, (_COARSE, _COARSE), (_COARSE[1], _COARSE[1]), _of_rmtl),
    "trace-norm": Tunable(TraceNormLinear, (SHARES,), (SHARES[2],), _of_trace_norm),
    "l21": Tunable(L21, (SHARES,), (SHARES[2],), _of_l21),
}
"""Name → a published method."""
