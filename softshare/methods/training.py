"""Start and train the networks of a :class:`NetworkMethod`: by its value, never by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from torch.optim import AdamW

from softshare.methods.cross_fitting import cross_fit
from softshare.methods.cross_validation import Candidate, Learn, by_metric, cross_validate
from softshare.methods.describe import describe_sharing
from softshare.methods.describe_diagnostics import DIAGNOSTICS_OF_A_RUN, describe_diagnostics
from softshare.methods.estimators import by_task
from softshare.methods.method import Learned, State
from softshare.methods.network_method import NetworkMethod
from softshare.methods.network_outputs import network_state, outputs_of_others
from softshare.methods.settings import PATIENCE, RunSettings
from softshare.network.layers import parameters_of
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.network.templates.on_base import on_base
from softshare.network.templates.standard import TemplateFactory, template_for
from softshare.sharing.independent import Independent
from softshare.tasks.random_keys import torch_seeded
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback
from softshare.training.diagnostic_history import DiagnosticHistory
from softshare.training.fit import MakeOptimizer, fit

Row = dict[str, Any]
"""A point of a learning curve: ``step``, ``train_loss``, ``validation_loss``."""


@dataclass(frozen=True, eq=False)
class LearnedNetwork(Learned):
    """A trained network.

    Args:
        network: with the weights that it ended with.
        settings: of the run, with what the training part has decided.
        rows: its learning curve.
        settled: the settings that the training part has decided.
        seen: the diagnostics over training, where they were watched.
    """

    network: MultiTaskNetwork
    settings: RunSettings
    rows: Sequence[Row] = ()
    settled: Mapping[str, Any] = field(default_factory=dict)
    seen: DiagnosticHistory | None = None

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        return [rows.numpy() for rows in predict(self.network, tasks)]

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict_new`."""
        return by_task(outputs_of_others(self.network, tasks), tasks)

    def state(self) -> State:
        """See :meth:`Learned.state`."""
        return {
            "settings": self.settings.as_json(),
            "networks": [network_state(self.network)],
            "base": None,
            "weight": 1.0,
        }

    @property
    def n_parameters(self) -> int:
        """Numbers that were trained."""
        trained = [value for value in self.network.parameters() if value.requires_grad]
        return sum(value.numel() for value in trained)

    @property
    def curve(self) -> Sequence[Row]:
        """See :attr:`Learned.curve`."""
        return self.rows

    @property
    def decided(self) -> Mapping[str, Any]:
        """See :attr:`Learned.decided`."""
        return self.settled

    def describe(self) -> dict[str, Any]:
        """See :meth:`Learned.describe`."""
        described = describe_sharing(self.network)
        return (
            described
            if self.seen is None
            else described | describe_diagnostics(self.network, self.seen)
        )


@dataclass(frozen=True)
class Trainer:
    """Makes and trains the networks of a method.

    Args:
        method: what its networks share, how they start, and what they decide beforehand.
        stands_on_base: whether the last inputs are another model's outputs, to which the networks
            add theirs.
    """

    method: NetworkMethod
    stands_on_base: bool = False

    def of(self, other: NetworkMethod) -> Trainer:
        """What makes and trains another method's networks."""
        return Trainer(other)

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """Decide what is to be decided, then train; see :meth:`Method.learn`.

        Without validation examples no row is spent on choosing alone: networks are cross-fitted
        (:mod:`softshare.methods.cross_fitting`).
        """
        if not len(validation.rows):
            return cross_fit(self, settings, train)
        every = max(1, settings.steps // DIAGNOSTICS_OF_A_RUN)
        seen = DiagnosticHistory(every=every) if watch else None
        decided = self.decide(settings, train)
        callbacks = [] if seen is None else [seen]
        network, curve = self.train(decided, train, validation, callbacks=callbacks)
        return LearnedNetwork(network, decided, curve, settings.changes_to(decided), seen)

    def decide(self, settings: RunSettings, train: TaskSet) -> RunSettings:
        """The settings with what the training part decides of them."""
        return self.method.decide(self, settings, train) if self.method.decide else settings

    def start(self, settings: RunSettings, train: TaskSet) -> MultiTaskNetwork:
        """The network before its first step.

        It has the method's sharing, or none where the tasks are first trained apart.

        Raises:
            ValueError: the method's options do not suit the network.
        """
        method, options = self.method, self.method.values(settings)
        template = self._template(settings, train)
        sharing = method.sharing(_layer_names(template, train), options)
        if _steps_apart(settings, options):
            sharing = {"*": Independent()}
        return MultiTaskNetwork(
            template, train, sharing=sharing, initial=method.initial, seed=settings.seed
        )

    def finished(self, settings: RunSettings, tasks: TaskSet) -> MultiTaskNetwork:
        """The network in the form that it has after its last step, its values aside.

        Args:
            settings: of the run, with what is to be decided decided.
            tasks: these need no examples.
        """
        options = self.method.values(settings)
        network = self.start(settings, tasks)
        if _steps_apart(settings, options):
            return network.with_sharing(self.method.sharing(list(network.layers), options))
        return network

    def train(
        self,
        settings: RunSettings,
        train: TaskSet,
        validation: TaskSet,
        *,
        tasks: TaskSet | None = None,
        callbacks: Sequence[Callback] = (),
        jointly: bool = False,
    ) -> tuple[MultiTaskNetwork, list[Row]]:
        """Train with exactly the settings' number of steps, those of a start apart counted.

        All methods start from the same initial weights, one draw for all tasks, so that runs of one
        seed are pairs; but for those that need each task's own (:attr:`NetworkMethod.initial`).

        Args:
            settings: of the run, with what is to be decided decided.
            train: the training examples.
            validation: the examples that choose the weights to keep.
            tasks: the network's tasks, where some of them have no training examples.
            callbacks: called after every step of the method's own, those of a start apart left out.
            jointly: keep the weights of one step for all tasks, also where nothing is shared: of
                folds, which have a few examples a task.

        Returns:
            The network with the weights of its best mean validation loss, and the learning curve.

        Raises:
            FloatingPointError: training diverged.
        """
        options = self.method.values(settings)
        apart = _steps_apart(settings, options)
        every, patience = _watching(settings)
        learn = partial(
            fit,
            train=train,
            validation=validation,
            batch_size=settings.batch_size,
            policy="proportional" if settings.task_weight == "examples" else "cycle",
            learning_rate=settings.rate,
            optimizer=_optimizer(settings),
            evaluate_every=every,
            patience=patience,
            keep_best="jointly" if jointly else True,
            checkpoint=settings.checkpoints,
            seed=settings.seed,
        )
        curve: list[Row] = []
        network = self.start(settings, train if tasks is None else tasks)
        if apart:
            curve += learn(network, steps=apart)
            rows_of = {task.name: train.n_examples[place] for place, task in enumerate(train.tasks)}
            network = network.with_sharing(
                self.method.sharing(list(network.layers), options),
                examples=[rows_of.get(task.name, 0) for task in network.tasks],
            )
        rates = {
            pattern: settings.rate * multiple for pattern, multiple in self.method.rates.items()
        }
        rows = learn(
            network, steps=settings.steps - apart, learning_rates=rates, callbacks=callbacks
        )
        curve += [row | {"step": (row["step"] or 0) + apart} for row in rows]
        names = ("step", "train_loss", "validation_loss")
        return network, [{name: row[name] for name in names} for row in curve]

    def train_part(
        self, settings: RunSettings, part: TaskSet, held_out: TaskSet
    ) -> tuple[MultiTaskNetwork, Sequence[Row]]:
        """A network of all tasks, trained on those that have examples in a part: the rows of a
        task may all be held out, where they are of one group.
        """
        present = part.keep_tasks(np.flatnonzero(part.n_examples > 0))
        judging = held_out.keep_tasks(np.flatnonzero(held_out.n_examples > 0))
        return self.train(settings, present, judging, tasks=part, jointly=True)

    def learner(self, settings: RunSettings) -> Learn:
        """Trains a network with these settings on some examples, watching others."""
        return lambda part, held_out: self.train_part(settings, part, held_out)[0]

    def cross_validate(
        self, candidates: Mapping[Candidate, RunSettings], train: TaskSet, *, seed: int
    ) -> dict[Candidate, float]:
        """Every candidate's mean loss on held-out examples of the training part, or what the run
        asks to be compared by.
        """
        learners = {name: self.learner(settings) for name, settings in candidates.items()}
        (metric,) = {settings.metric for settings in candidates.values()}
        return cross_validate(learners, train, seed=seed, judge=by_metric(metric))

    def _template(self, settings: RunSettings, train: TaskSet) -> TemplateFactory:
        shape = train.input_shape(0)
        if self.method.template is not None:
            options = self.method.values(settings)
            template = self.method.template(shape, settings.hidden, options)
        else:
            dropout = settings.dropped
            template = template_for(shape, hidden=settings.hidden, dropout=dropout)
        return on_base(template) if self.stands_on_base else template


def _optimizer(settings: RunSettings) -> MakeOptimizer:
    """Adam with a decay that shrinks weights by as much whatever the learning rate is.

    AdamW multiplies its decay by the learning rate, of the order of 1e-3: divided by it, a decay of
    1 shrinks every weight by a thousandth a step.
    """
    return partial(AdamW, fused=True, weight_decay=settings.decay * 1e-3 / settings.rate)


def _layer_names(template: TemplateFactory, train: TaskSet) -> list[str]:
    with torch_seeded(0):
        module = template(train.input_shape(0), train.tasks[0].n_outputs)
    return [parameter.layer for parameter in parameters_of(module).values() if parameter.is_weight]


def _steps_apart(settings: RunSettings, options: Mapping[str, Any]) -> int:
    return round(settings.steps * options.get("apart", 0))


def _watching(settings: RunSettings) -> tuple[int, int]:
    """How often training is judged, and after how many evaluations without progress it ends.

    Steps on vectors are cheap to judge, and with few rows the best one comes early. On images every
    20 steps, but ten times at the least and fifty at the most.
    """
    steps = settings.steps
    if settings.inputs == "vector":
        return max(1, min(5, steps // 10)), PATIENCE
    return max(1, steps // 50, min(20, steps // 10)), PATIENCE
