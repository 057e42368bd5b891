"""Methods on features in place of raw inputs: principal components, or a trained network's last
hidden layer.

Linear methods on such features are what deep ones are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softshare.methods.method import Learned, Method, Options, Range
from softshare.methods.settings import RunSettings
from softshare.methods.training import LearnedNetwork
from softshare.network.features import penultimate_features
from softshare.tasks.principal_components import principal_components
from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class OnFeatures(Method):
    """A method that learns from features of the inputs; the abstract base.

    Args:
        name: what a list of methods calls it.
        method: what learns from the features.
        shares: what the tasks share, in a few words.
        paper: where it comes from.
    """

    name: str
    method: Method
    shares: str = "what the method on the features shares"
    paper: str = ""
    options: Options = field(default_factory=dict)
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()
    default: bool = False

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`: whoever chooses the features knows the tasks."""
        return None


@dataclass(frozen=True)
class OnComponents(OnFeatures):
    """A method on the inputs' principal components, those of the training rows.

    Args:
        n_components: how many; no more than there are training rows and numbers in a row.
    """

    n_components: int = field(default=64, kw_only=True)

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`."""
        learned_from, judged = self._components(train, train, validation)
        learned = self.method.learn(learned_from, judged, settings, watch=watch)
        return LearnedOnComponents(learned, self, train)

    def of(
        self,
        train: TaskSet,
        part: TaskSet,
    ) -> TaskSet:
        """Another part of the split, its inputs as components of the training rows."""
        (found,) = self._components(train, part)
        return found

    def _components(self, train: TaskSet, *parts: TaskSet) -> tuple[TaskSet, ...]:
        most = min(self.n_components, _most_components(train))
        return principal_components(train, *parts, n_components=most)[1:]


@dataclass(frozen=True, eq=False)
class LearnedOnComponents(Learned):
    """What was learned from principal components.

    Args:
        learned: from them.
        method: says how many there are.
        train: the rows that say which directions they are.
    """

    learned: Learned
    method: OnComponents
    train: TaskSet

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`; for a part of the split that was learned from."""
        return self.learned.predict(self.method.of(self.train, tasks))

    @property
    def n_parameters(self) -> int | None:
        """Those of what was learned from the components."""
        return self.learned.n_parameters

    def describe(self) -> dict[str, Any]:
        """See :meth:`Learned.describe`."""
        return self.learned.describe()


@dataclass(frozen=True)
class OnLastLayer(OnFeatures):
    """A method on what trained networks hand to their output layers.

    Args:
        network: trains the networks, in all steps of the run.
    """

    network: Method = field(kw_only=True)

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`.

        Raises:
            TypeError: what trains the networks leaves none behind.
        """
        trained = self.network.learn(train, validation, settings)
        if not isinstance(trained, LearnedNetwork):
            raise TypeError(f"{self.name}: network must train a network, got {self.network.name}")
        of_train = penultimate_features(trained.network, train)
        of_validation = penultimate_features(trained.network, validation)
        learned = self.method.learn(of_train, of_validation, settings, watch=watch)
        return LearnedOnLastLayer(learned, trained)


@dataclass(frozen=True, eq=False)
class LearnedOnLastLayer(Learned):
    """What was learned from networks' last hidden layers.

    Args:
        learned: from them.
        trained: the networks.
    """

    learned: Learned
    trained: LearnedNetwork

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """See :meth:`Learned.predict`."""
        return self.learned.predict(penultimate_features(self.trained.network, tasks))

    @property
    def n_parameters(self) -> int | None:
        """Those of the networks and of what was learned from them; None where nothing counts."""
        own = self.learned.n_parameters
        return None if own is None else own + self.trained.n_parameters

    @property
    def curve(self) -> Sequence[Mapping[str, Any]]:
        """That of the networks."""
        return self.trained.curve

    def describe(self) -> dict[str, Any]:
        """See :meth:`Learned.describe`."""
        return self.learned.describe()


def _most_components(train: TaskSet) -> int:
    """No source has more directions than rows that train, or numbers in a row."""
    of_entry = train.source_of[train.task_of]
    most = []
    for number in range(len(train)):
        source = int(train.source_of[number])
        n_rows = len(np.unique(train.rows[of_entry == source]))
        n_numbers = int(np.prod(train.input_shape(number)))
        most.append(min(n_rows, n_numbers))
    return min(most)
