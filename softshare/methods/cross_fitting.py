"""Networks that choose their steps without a row being spent on choosing alone.

The training part is divided into folds. A network is trained on all of them but one and stops where
it does best on that one; the networks predict together, by the mean of their outputs. What each
says of its own fold is an output on examples that it has not been trained on: by these is judged
how much of the networks is added to the linear model that they stand on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from softshare.methods.describe import describe_sharing
from softshare.methods.estimators import (
    Fitted,
    beside,
    by_task,
    fitted,
)
from softshare.methods.fold_weight import useful_folds, weight_of
from softshare.methods.method import Learned, State
from softshare.methods.network_outputs import (
    Outputs,
    joint_outputs,
    network_state,
    outputs_of_others,
)
from softshare.methods.plain_entries import not_alike
from softshare.methods.settings import RunSettings
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.folds import folds
from softshare.tasks.task_set import TaskSet

if TYPE_CHECKING:
    from softshare.methods.training import Trainer

APART = "ridge"
"""The linear model of each task alone."""

MOST_ENTRIES_APART = 20_000
"""Targets of tasks on the same rows that stand on it: a logistic regression of each of a hundred
columns, in every fold, would take longer than the networks, which need no line where rows are many.
"""


@dataclass(frozen=True, eq=False)
class CrossFittedNetworks(Learned):
    """Networks of several folds, and the linear model that they stand on.

    Args:
        networks: one a fold, but for those that are of no use.
        base: the model that was fitted on the whole training part, or None.
        weight: how much of what the networks add to the base in the mean is added, from 0 to 1; 1
            without a base.
        held_out: outputs on the training entries by networks that were not trained on them, those
            that are of no use among them.
        settings: of the run, with what the training part has decided.
        rows: the learning curve of the first network that is kept.
        settled: the settings that the training part has decided.
    """

    networks: Sequence[MultiTaskNetwork]
    base: Fitted | None
    weight: float
    held_out: Sequence[np.ndarray] | None
    settings: RunSettings
    rows: Sequence[Mapping[str, Any]] = ()
    settled: Mapping[str, Any] = field(default_factory=dict)

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        base = None if self.base is None else self.base.outputs(tasks)
        return self._on(base, tasks, joint_outputs)

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict_new`."""
        base = None if self.base is None else self.base.outputs_new(tasks)
        return self._on(base, tasks, outputs_of_others)

    def _on(
        self,
        base: Outputs | None,
        tasks: TaskSet,
        outputs: Callable[[MultiTaskNetwork, TaskSet], Outputs],
    ) -> list[np.ndarray]:
        """The mean of what the networks say, added to what the base says."""
        seen = tasks if base is None else beside(tasks, base)
        mean = np.mean([outputs(network, seen) for network in self.networks], axis=0)
        return by_task(mean if base is None else base + self.weight * (mean - base), tasks)

    def state(self) -> State:
        """See :meth:`Learned.state`."""
        return {
            "settings": self.settings.as_json(),
            "networks": [network_state(network) for network in self.networks],
            "base": None if self.base is None else self.base.state(),
            "base_name": None if self.base is None else self.base.name,
            "weight": self.weight,
        }

    @property
    def n_parameters(self) -> int:
        """Numbers that were trained in one of the networks, which are as many in each."""
        trained = [value for value in self.networks[0].parameters() if value.requires_grad]
        return sum(value.numel() for value in trained)

    @property
    def out_of_fold(self) -> Sequence[np.ndarray] | None:
        """See :attr:`Learned.out_of_fold`."""
        return self.held_out

    @property
    def curve(self) -> Sequence[Mapping[str, Any]]:
        """See :attr:`Learned.curve`."""
        return self.rows

    @property
    def decided(self) -> Mapping[str, Any]:
        """See :attr:`Learned.decided`."""
        return self.settled

    def describe(self) -> dict[str, Any]:
        """See :meth:`Learned.describe`; of the first network."""
        return describe_sharing(self.networks[0])


def cross_fit(trainer: Trainer, settings: RunSettings, train: TaskSet) -> CrossFittedNetworks:
    """Train a network for every fold of the training part.

    Args:
        trainer: makes and trains the networks.
        settings: of the run.
        train: the training examples, prepared.

    Raises:
        FloatingPointError: training diverged.
    """
    decided = trainer.decide(settings, train)
    base = _base(trainer, settings, train)
    fold = folds(train, settings.n_folds, seed=settings.seed)
    width = max(task.n_outputs for task in train.tasks)
    held_out = np.zeros((len(train.rows), width))
    base_held_out = np.zeros_like(held_out)
    on_base = replace(trainer, stands_on_base=base is not None)
    networks, curves = [], []
    for number in range(settings.n_folds):
        part, held = train.select(fold != number), train.select(fold == number)
        if base is not None:
            # The network must not see outputs of a model that was fitted on the same targets, which
            # are nearer to them than any on new rows: within its part too they are held out.
            model = fitted(base, part, seed=settings.seed)
            base_held_out[fold == number] = model.outputs(held)
            part = beside(part, model.held_out)
            held = beside(held, base_held_out[fold == number])
        network, curve = on_base.train_part(decided, part, held)
        held_out[fold == number] = joint_outputs(network, held)
        networks.append(network)
        curves.append(curve)
    weight = 1.0
    if base is not None:
        useful = useful_folds(train, base_held_out, held_out, fold)
        # By all networks, those that are of no use too: what chance has left of the others on the
        # very rows that chose them is no evidence.
        weight = weight_of(train, base_held_out, held_out)
        held_out = base_held_out + weight * (held_out - base_held_out)
        # In the mean, those of no use add nothing. One is kept to be looked at where all are.
        weight *= float(useful.mean())
        kept = np.flatnonzero(useful) if useful.any() else [0]
        networks, curves = [networks[k] for k in kept], [curves[k] for k in kept]
    return CrossFittedNetworks(
        networks,
        None if base is None else fitted(base, train, seed=settings.seed),
        weight,
        by_task(held_out, train),
        decided,
        curves[0],
        settings.changes_to(decided),
    )


def _base(trainer: Trainer, settings: RunSettings, train: TaskSet) -> str | None:
    """The name of the model that the networks stand on, or None: they stand alone.

    Where all tasks see the same rows, one model of all has nothing to say, and what each task's own
    line says is not shared by any.
    """
    if settings.base != "linear" or not_alike(train) is not None:
        return None
    if not train.one_input:
        return trainer.method.base
    return APART if len(train.rows) <= MOST_ENTRIES_APART else None
