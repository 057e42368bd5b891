"""Methods weighed together: out-of-fold outputs in, one answer out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from softshare.methods.estimators import UNSEEN, by_task
from softshare.methods.method import Learned, Method, State
from softshare.methods.plain_entries import groups_of, mean_one_weights
from softshare.methods.plain_state import state_of, value_of
from softshare.methods.portfolio import Rehearsal
from softshare.methods.settings import RunSettings
from softshare.shallow.common_weights import Goal
from softshare.shallow.scores import Metric
from softshare.shallow.stacking import Stack, stack
from softshare.tasks.metrics import primary_metric
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

if TYPE_CHECKING:
    from softshare.methods.auto import Auto

CHOSEN_BY: Mapping[str, Metric] = {
    "rmse": "mean-rmse",
    "r2": "r2",
    "mae": "mean-mae",
    "roc_auc": "roc-auc",
    "average_precision": "roc-auc",
    "accuracy": "accuracy",
    "log_loss": "log-loss",
    "brier": "brier",
}
"""The metric that is reported → that by which weights are chosen: itself, or the nearest that is
as steady on few rows. By the log loss where another is reported.
"""


@dataclass(frozen=True, eq=False)
class StackedMethods(Learned):
    """Several methods' answers, weighed.

    Args:
        members: name of a method → what it has learned.
        weights: how much of each is each task's answer.
        tasks: the tasks that were learned.
        held_out: outputs on the training entries, of members that were not trained on them; None
            of a stack that was kept.
        left_out: name of a method that was not learned → why.
    """

    members: Mapping[str, Learned]
    weights: Stack
    tasks: tuple[Task, ...]
    held_out: Sequence[np.ndarray] | None
    left_out: Mapping[str, str]

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        outputs = [np.concatenate(member.predict(tasks)) for member in self.members.values()]
        numbers = {task.name: number for number, task in enumerate(self.tasks)}
        known = np.array([numbers[task.name] for task in tasks.tasks])
        joint = np.stack(outputs, axis=1)  # (N, M, n_outputs)
        return by_task(self.weights.combine(joint, known[tasks.task_of]), tasks)

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict_new`; by the weights that tasks have in common."""
        outputs = [np.concatenate(member.predict_new(tasks)) for member in self.members.values()]
        joint = np.stack(outputs, axis=1)  # (N, M, n_outputs)
        unseen = np.full(len(joint), UNSEEN)
        return by_task(self.weights.combine(joint, unseen), tasks)

    def state(self) -> State:
        """See :meth:`Learned.state`."""
        return {
            "members": {name: member.state() for name, member in self.members.items()},
            "weights": state_of(self.weights),
            "left_out": dict(self.left_out),
        }

    @property
    def n_parameters(self) -> int | None:
        """Those of all members that have some."""
        counts = [member.n_parameters for member in self.members.values()]
        return sum(count for count in counts if count is not None)

    @property
    def out_of_fold(self) -> Sequence[np.ndarray] | None:
        """See :attr:`Learned.out_of_fold`."""
        return self.held_out

    @property
    def decided(self) -> Mapping[str, Any]:
        """The common weights, the tasks with weights of their own, and those that stay apart."""
        labels = [task.label for task in self.tasks]
        own = {
            label: _rounded(self.members, weights)
            for label, weights, apart in zip(
                labels, self.weights.weights, self.weights.apart, strict=True
            )
            if not apart and not np.allclose(weights, self.weights.common, atol=0.005)
        }
        kept = [label for label, apart in zip(labels, self.weights.apart, strict=True) if apart]
        return {
            "weights": _rounded(self.members, self.weights.common),
            "own_weights": own,
            "apart": kept,
            "left_out": dict(self.left_out),
        }


def stack_methods(
    auto: Auto, portfolio: Sequence[Method], train: TaskSet, settings: RunSettings
) -> StackedMethods:
    """Learn with every method of a portfolio, and weigh them by what they say of rows held out.

    Args:
        auto: says which of them is pooled, and which learns apart.
        portfolio: the methods that suit the tasks.
        train: the training examples, prepared.
        settings: of the run.
    """
    task = train.tasks[0]
    minutes = float(auto.option(settings, "time_limit"))
    rehearsal = Rehearsal(
        train,
        settings,
        Goal(task.kind, _metric(train, settings), 0, settings.seed),
        pooled=auto.pooled,
        apart=auto.apart,
        minutes=minutes if minutes > 0 else None,
    )
    members = rehearsal.learned(portfolio)
    return weighed(auto, members, train, settings, left_out=rehearsal.left_out)


def restored_stack(methods: Mapping[str, Method], state: State, tasks: TaskSet) -> StackedMethods:
    """A stack from its state.

    Args:
        methods: name → those that may be in it.
        state: of a stack.
        tasks: the tasks that were learned.

    Raises:
        ValueError: the state is of something else, or of a method that is not known.
    """
    members = {}
    for name, of_member in state["members"].items():
        if name not in methods:
            raise ValueError(f"it weighs a method {name!r}, which this version does not have")
        members[name] = methods[name].restore(of_member, tasks)
    weights = value_of(state["weights"], {Stack.__name__: Stack})
    return StackedMethods(members, weights, tasks.tasks, None, state["left_out"])


def weighed(
    auto: Auto,
    members: Mapping[str, Learned],
    train: TaskSet,
    settings: RunSettings,
    *,
    left_out: Mapping[str, str] | None = None,
) -> StackedMethods:
    """Weigh what methods have learned.

    Args:
        auto: says which of them is pooled, and which learns apart.
        members: name of a method → what it has learned.
        train: the training examples, prepared.
        settings: of the run.
        left_out: name of a method that was not learned → why.
    """
    names = list(members)
    outputs = [_joint(member.out_of_fold) for member in members.values()]
    joint = np.stack(outputs, axis=1)
    task = train.tasks[0]
    several = task.kind == "multiclass"
    weights = stack(
        joint if several else joint[..., 0],
        train.targets.astype(np.float64),
        train.task_of,
        kind=task.kind,
        metric=_metric(train, settings),
        pooled=names.index(auto.pooled.name),
        apart=names.index(auto.apart.name) if auto.apart.name in names else None,
        groups=groups_of(train),
        counts=mean_one_weights(train),
        random_state=settings.seed,
    )
    held_out = by_task(weights.combine(joint, train.task_of), train)
    return StackedMethods(members, weights, train.tasks, held_out, left_out or {})


def _metric(train: TaskSet, settings: RunSettings) -> Metric:
    return CHOSEN_BY.get(primary_metric(train.tasks[0], settings.metric), "log-loss")


def _joint(outputs: Sequence[np.ndarray] | None) -> np.ndarray:
    if outputs is None:
        raise ValueError("auto: a method of the portfolio gives no outputs on rows held out")
    return np.concatenate(outputs)


def _rounded(members: Mapping[str, Learned], weights: np.ndarray) -> dict[str, float]:
    return {
        name: round(float(weight), 3)
        for name, weight in zip(members, weights, strict=True)
        if weight > 0.0005
    }
