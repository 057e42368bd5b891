"""What learns from plain arrays: contestants that a person would use instead of a network, and the
linear models that networks stand on.

Few rows a task say little about a network and much about a line: a network that starts from the
linear model's outputs, and is left out where it does not better them on rows held out, is hardly
ever worse than that model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, Self

import numpy as np
from sklearn.utils.validation import has_fit_parameter

from softshare.methods.method import Learned, State
from softshare.methods.plain_entries import PlainEntries, on_inputs, plain_entries
from softshare.methods.plain_state import state_of, value_of
from softshare.shallow.boosted import Boosted
from softshare.shallow.boosted_apart import BoostedApart
from softshare.shallow.boosted_trees import KeptTrees, Settings
from softshare.shallow.forest import Forest
from softshare.shallow.forest_apart import ForestApart
from softshare.shallow.gaussian_process import MOST_ROWS as MOST_ROWS_OF_GP
from softshare.shallow.gaussian_process import GaussianProcess
from softshare.shallow.kernel_apart import KernelApart
from softshare.shallow.mixed_model import MixedModel
from softshare.shallow.pooled_ridge import PooledRidge
from softshare.shallow.ridge_apart import RidgeApart
from softshare.shallow.rows import Rows, Scaling
from softshare.shallow.strengths import TUNABLE
from softshare.shallow.task_kernel import Kernel
from softshare.shallow.tree_arrays import CategorySets, TreeArrays
from softshare.shallow.tuned_linear import TunedLinear
from softshare.tasks.task import Task, no_such_task
from softshare.tasks.task_set import TaskSet


class Estimator(Protocol):
    """Learns inputs ``(N, D)``, targets ``(N,)`` and tasks' numbers ``(N,)``.

    Attributes:
        held_out_: what fits that have not seen a row say of it, as ``predict`` says it.
    """

    held_out_: np.ndarray

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        tasks: np.ndarray,
        groups: np.ndarray | None = None,
        **weights: Any,
    ) -> Self:
        """Learn; rows of one group are held out together. Where rows may count differently there
        is a ``weights``, above 0.
        """
        ...

    def predict(self, X: np.ndarray, tasks: np.ndarray) -> np.ndarray:
        """Outputs ``(N,)``, or ``(N, C)`` of several classes."""
        ...


MakeEstimator = Callable[..., Any]

ESTIMATORS: Mapping[str, MakeEstimator] = {
    "ridge": RidgeApart,
    "pooled-ridge": PooledRidge,
    "mixed-model": MixedModel,
    "boosted": Boosted,
    "boosted-on-pooled": partial(Boosted, start="pooled-ridge"),
    "boosted-apart": BoostedApart,
    "forest": Forest,
    "forest-apart": ForestApart,
    "kernel-apart": KernelApart,
    "gp": GaussianProcess,
    **{f"linear-{method}": partial(TunedLinear, method=method) for method in TUNABLE},
}
"""Name → what makes an estimator of a kind, a number of classes and a random state."""

KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        Boosted,
        BoostedApart,
        CategorySets,
        Forest,
        ForestApart,
        GaussianProcess,
        KeptTrees,
        Kernel,
        KernelApart,
        MixedModel,
        PooledRidge,
        RidgeApart,
        Rows,
        Scaling,
        Settings,
        TreeArrays,
        TunedLinear,
    )
}
"""What the states of fitted estimators may hold: loading one makes nothing else."""

UNSEEN = -1
"""The number of a task that an estimator does not know."""

MOST_ROWS: Mapping[str, int] = {"gp": MOST_ROWS_OF_GP}
"""Name → the training rows that an estimator takes at most, where it has a limit."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """An estimator and the tasks that it has learned: their numbers go by these tasks' order.

    Args:
        name: of the estimator, one of :data:`ESTIMATORS`.
        estimator: what was fitted.
        tasks: in the order of the numbers that it knows them by.
    """

    name: str
    estimator: Estimator
    tasks: tuple[Task, ...]

    def outputs(self, tasks: TaskSet) -> np.ndarray:
        """Outputs on every entry of some or all of the tasks, in any order, ``(N, n_outputs)``.

        Raises:
            KeyError: a task was not learned.
        """
        entries = plain_entries(tasks).as_vectors()
        known = {task.name: number for number, task in enumerate(self.tasks)}
        for task in tasks.tasks:
            if task.name not in known:
                raise no_such_task(task.name, self.tasks)
        numbers = np.array([known[task.name] for task in tasks.tasks])
        return _columns(self.estimator.predict(entries.inputs, numbers[entries.tasks]))

    def outputs_new(self, tasks: TaskSet) -> np.ndarray:
        """Outputs on every entry of tasks that were not learned, ``(N, n_outputs)``."""
        entries = plain_entries(tasks).as_vectors()
        unseen = np.full(len(entries.tasks), UNSEEN)
        return _columns(self.estimator.predict(entries.inputs, unseen))

    def state(self) -> State:
        """What :func:`fitted_from` makes the same of again."""
        of_estimator: State = state_of(self.estimator)
        return of_estimator

    @property
    def held_out(self) -> np.ndarray:
        """Outputs on every training entry by fits that have not seen it, ``(N, n_outputs)``."""
        return _columns(self.estimator.held_out_)


@dataclass(frozen=True, eq=False)
class LearnedEstimator(Learned):
    """An estimator that has learned a task set.

    Args:
        name: of the estimator, one of :data:`ESTIMATORS`.
        fitted: what was fitted on all training entries.
        held_out: outputs on these by fits that have not seen them; None of one that was kept.
    """

    name: str
    fitted: Fitted
    held_out: Sequence[np.ndarray] | None = None

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        return by_task(self.fitted.outputs(tasks), tasks)

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict_new`."""
        return by_task(self.fitted.outputs_new(tasks), tasks)

    def state(self) -> State:
        """See :meth:`Learned.state`."""
        return self.fitted.state()

    @property
    def n_parameters(self) -> int | None:
        """The coefficients of a linear model; None of trees, which have none."""
        names = ("coef_", "intercept_", "offsets_", "fixed_effects_", "task_effects_")
        values = [getattr(self.fitted.estimator, name, None) for name in names]
        counts = [np.size(value) for value in values if value is not None]
        return sum(counts) if counts else None

    @property
    def out_of_fold(self) -> Sequence[np.ndarray] | None:
        """See :attr:`Learned.out_of_fold`."""
        return self.held_out


def learned_estimator(name: str, train: TaskSet, *, seed: int) -> LearnedEstimator:
    """An estimator that has learned a task set; arguments as for :func:`fitted`."""
    of_train = fitted(name, train, seed=seed)
    return LearnedEstimator(name, of_train, by_task(of_train.held_out, train))


def fitted_from(name: str, state: State, tasks: TaskSet) -> Fitted:
    """An estimator from its state.

    Args:
        name: one of :data:`ESTIMATORS`.
        state: of one of these (:meth:`Fitted.state`).
        tasks: those that it has learned.

    Raises:
        ValueError: the state is of something else.
    """
    estimator = value_of(state, KINDS)
    made = type(ESTIMATORS[name]())
    if not isinstance(estimator, made):
        raise ValueError(f"{name}: a state of {made.__name__} is needed")
    return Fitted(name, estimator, tasks.tasks)


def fitted(name: str, tasks: TaskSet, *, seed: int) -> Fitted:
    """An estimator that has learned a task set whose entries are alike.

    Args:
        name: one of :data:`ESTIMATORS`.
        tasks: prepared; see :func:`~softshare.methods.plain_entries.not_alike`.
        seed: of its folds and draws.
    """
    entries = plain_entries(tasks).as_vectors()
    return Fitted(name, _fit(name, tasks.tasks[0], entries, seed), tasks.tasks)


def beside(tasks: TaskSet, outputs: np.ndarray) -> TaskSet:
    """The same entries with another model's outputs ``(N, n_outputs)`` as their last inputs."""
    return on_inputs(tasks, np.hstack([plain_entries(tasks).inputs, outputs]))


def by_task(outputs: np.ndarray, tasks: TaskSet) -> list[np.ndarray]:
    """Outputs of all entries ``(N, width)``, divided among their tasks: ``(N_t, n_outputs_t)``."""
    return [
        outputs[tasks.entries(number), : task.n_outputs] for number, task in enumerate(tasks.tasks)
    ]


def _fit(name: str, task: Task, entries: PlainEntries, seed: int) -> Estimator:
    n_classes = task.n_outputs if task.kind == "multiclass" else None
    estimator: Estimator = ESTIMATORS[name](task.kind, n_classes=n_classes, random_state=seed)
    given = (entries.inputs, entries.targets, entries.tasks, entries.groups)
    if entries.weights is None:
        return estimator.fit(*given)
    return estimator.fit(*given, weights=entries.weights)


def takes_weights(name: str) -> bool:
    """Whether rows of an estimator may count differently."""
    return bool(has_fit_parameter(ESTIMATORS[name](), "weights"))


def _columns(outputs: np.ndarray) -> np.ndarray:
    return outputs[:, None] if outputs.ndim == 1 else outputs
