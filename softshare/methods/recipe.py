"""A network and a way to train it, told in full: what a study hands to the engine as one value.

A named method (:mod:`softshare.methods.named`) suits any tasks and says little of the network. A
recipe says everything but the budget, which is the run's and so the same for all that are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from torch import Tensor
from torch.optim.lr_scheduler import LRScheduler

from softshare.methods.method import Learned, Method, Options, Range
from softshare.methods.settings import RunSettings
from softshare.methods.training import LearnedNetwork
from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.tasks.batches import Policy
from softshare.tasks.losses import BinaryLoss
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import Callback
from softshare.training.fit import MakeOptimizer, fit, fused_adam
from softshare.training.recorder import KeepBest

ROWS_OF_HISTORY = 20
"""Points of a recipe's learning curve, unless it asks for others."""

MakeScheduleFor = Callable[..., LRScheduler]
"""``(optimizer, steps=…)`` → a scheduler for so many steps, such as
:func:`softshare.training.schedules.cosine`."""


@dataclass(frozen=True, eq=False)
class LearnedByRecipe(LearnedNetwork):
    """A network that a recipe has trained.

    Args:
        start: the tasks' weights before the first step, by full name.
    """

    start: Mapping[str, Tensor | list[Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Recipe(Method):
    """Networks of one template: what they share, how they start, how they are trained.

    Steps, batch size and learning rate are the run's (:class:`~softshare.methods.settings
    .RunSettings`); steps are counted in all, those of a start apart among them. The network ends
    with its last weights unless ``keep_best`` says otherwise.

    Args:
        name: what a list of methods calls it.
        template: makes a task's network from the shape of an input and the number of outputs.
        sharing: of all shareable layers, or layer-name pattern → sharing.
        apart: the fraction of the steps in which all tasks are first trained apart; what they have
            learned then starts the sharing (the STL start of a factorisation by ε).
        initial: see :class:`~softshare.MultiTaskNetwork`.
        frozen: patterns of layers that stay as they start.
        learning_rate: in place of the run's.
        rates: layer- or parameter-name pattern → the multiple of the learning rate that these have,
            once the sharing is there.
        optimizer: makes the optimizer from parameter groups.
        schedule: ``(optimizer, steps=…)`` → a learning-rate scheduler, for each part of the
            training; None: the rate stays.
        binary_loss: ``"logistic"`` or ``"hinge"``.
        policy: which tasks' examples come how often, see :class:`softshare.tasks.batches.Batches`.
        keep_best: end with the weights of the best validation loss, see
            :func:`softshare.training.fit.fit`.
        rows: points of the learning curve.
        callbacks: see :func:`~softshare.training.fit.fit`; one with ``after_evaluation`` may add
            numbers to the curve's rows.
        shares: what the tasks share, in a few words.
        paper: where it comes from.
    """

    name: str
    template: TemplateFactory
    sharing: Sharing | Mapping[str, Sharing] = field(default_factory=Independent)
    apart: float = 0.0
    initial: Literal["common", "independent"] | None = "common"
    frozen: tuple[str, ...] = ()
    learning_rate: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)
    optimizer: MakeOptimizer = fused_adam
    schedule: MakeScheduleFor | None = None
    binary_loss: BinaryLoss = "logistic"
    policy: Policy = "cycle"
    keep_best: KeepBest = False
    rows: int = ROWS_OF_HISTORY
    callbacks: Sequence[Callback] = ()
    shares: str = "what its recipe says"
    paper: str = ""
    options: Options = field(default_factory=dict)
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()
    default: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.apart < 1:
            raise ValueError(
                f"{self.name}: apart must be from 0 to below 1, of the steps; got {self.apart}"
            )

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`."""
        apart = round(settings.steps * self.apart)
        network = self.started(train, settings)
        start = network.stacks()
        curve: list[dict[str, Any]] = []
        if apart:
            learn_apart = self._fit(network, train, validation, settings, steps=apart)
            curve += map(dict, learn_apart())
            network = network.with_sharing(self.sharing, examples=train.n_examples.tolist())
        if self.frozen:
            freeze(network, self.frozen)
        learn = self._fit(network, train, validation, settings, steps=settings.steps - apart)
        rate = self._rate(settings)
        rates = {pattern: rate * multiple for pattern, multiple in self.rates.items()}
        rows = learn(learning_rates=rates)
        curve += [{**row, "step": int(row["step"] or 0) + apart} for row in rows]
        told = [{name: row[name] for name in row if name != "seconds"} for row in curve]
        return LearnedByRecipe(network, settings, told, start=start)

    def started(self, train: TaskSet, settings: RunSettings) -> MultiTaskNetwork:
        """The network before its first step: without the sharing where tasks first train apart.

        Args:
            train: the tasks; these need no examples.
            settings: of the run.
        """
        network = MultiTaskNetwork(
            self.template,
            train,
            sharing=Independent() if self.apart else self.sharing,
            initial=self.initial,
            seed=settings.seed,
        )
        if self.frozen:
            freeze(network, self.frozen)
        return network

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`: whoever writes a recipe knows the tasks."""
        return None

    @property
    def takes_weights(self) -> bool:
        """See :attr:`Method.takes_weights`: losses are weighted means."""
        return True

    def _rate(self, settings: RunSettings) -> float:
        return settings.rate if self.learning_rate is None else self.learning_rate

    def _fit(
        self,
        network: MultiTaskNetwork,
        train: TaskSet,
        validation: TaskSet,
        settings: RunSettings,
        *,
        steps: int,
    ) -> Callable[..., Sequence[Mapping[str, Any]]]:
        """Training for so many steps; the curve's rows are spread over all steps of the run."""
        watched = validation if len(validation.rows) else None
        schedule = None if self.schedule is None else partial(self.schedule, steps=steps)
        return partial(
            fit,
            network,
            train,
            validation=watched,
            steps=steps,
            batch_size=settings.batch_size,
            policy=self.policy,
            optimizer=self.optimizer,
            learning_rate=self._rate(settings),
            schedule=schedule,
            binary_loss=self.binary_loss,
            evaluate_every=max(1, settings.steps // self.rows),
            keep_best=self.keep_best if watched is not None else False,
            callbacks=self.callbacks,
            checkpoint=settings.checkpoints,
            seed=settings.seed,
        )
