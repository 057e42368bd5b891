"""What a method is: a value that learns the tasks of a training part, and what it leaves behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from softshare.methods.settings import RunSettings
    from softshare.tasks.task_set import TaskSet

Options = Mapping[str, Any]
"""A method's own settings: name → value."""

Range = tuple[float, float, str] | tuple[Any, ...]
"""What a search may choose from: ``(low, high, "log" | "linear" | "int")``, or choices."""

State = Mapping[str, Any]
"""What is kept of something learned: texts, numbers, NumPy arrays, and lists and mappings of these,
by which its method makes it again.
"""

CROSS_VALIDATED = "cv"
"""The value of an option that is to be chosen by cross-validation on the training part."""


class Learned(ABC):
    """What a method leaves behind: it predicts, and says how it came to be."""

    @abstractmethod
    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        """Every task's outputs on its examples, in the order of its entries.

        Args:
            tasks: examples of the tasks that were learned, prepared as the training part was.

        Returns:
            For every task ``(N_t, n_outputs_t)``: numbers in the prepared targets' unit, log-odds
            for two classes, and one logit a class for several.
        """

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        """Outputs on examples of tasks that were not learned, by what those that were have in
        common.

        Args:
            tasks: of the kind of those that were learned, prepared as the training part was.

        Raises:
            ValueError: nothing is common to the tasks, which differ in form.

        Shape:
            as :meth:`predict`.
        """
        raise ValueError(f"{type(self).__name__} says nothing of tasks that were not learned")

    def state(self) -> State:
        """All that :meth:`Method.restore` needs to make the same again.

        Raises:
            ValueError: this cannot be kept.
        """
        raise ValueError(f"{type(self).__name__} cannot be kept: it has no state()")

    @property
    @abstractmethod
    def n_parameters(self) -> int | None:
        """How many numbers were learned, of all tasks together; None where nothing counts them."""

    @property
    def out_of_fold(self) -> Sequence[np.ndarray] | None:
        """Every task's outputs on its training examples by what was not trained on them.

        ``(N_t, n_outputs_t)`` each; None where examples were given to choose by.
        """
        return None

    @property
    def curve(self) -> Sequence[Mapping[str, Any]]:
        """Rows of ``step``, ``train_loss`` and ``validation_loss``; none where nothing steps."""
        return ()

    @property
    def decided(self) -> Mapping[str, Any]:
        """Settings that the training part has decided: name → value."""
        return {}

    def describe(self) -> dict[str, Any]:
        """What is shared where, as a record holds it."""
        return {"layers": {}, "similarity": None, "task_correlation": None, "warnings": []}


class Method(ABC):
    """A way to learn several tasks: a value that a comparison runs by its name.

    Attributes:
        name: what a list of methods calls it.
        shares: what the tasks share, in a few words.
        paper: where it comes from.
        options: the method's own settings and their defaults.
        search_space: what a search may choose for the options.
        cross_validated: options that can be :data:`CROSS_VALIDATED`.
        default: whether a comparison runs it unless told which methods to run.
    """

    name: str
    shares: str
    paper: str
    options: Options
    search_space: Mapping[str, Range]
    cross_validated: tuple[str, ...]
    default: bool

    @abstractmethod
    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """Learn the tasks.

        Args:
            train: the training examples, prepared.
            validation: examples that choose and never train.
            settings: of the run; those that mean nothing to this method are left unread.
            watch: whether what is to be seen over training is kept for :meth:`Learned.describe`.

        Raises:
            FloatingPointError: training diverged.
        """

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """What was learned, from its state; it predicts the same, and knows no held-out outputs.

        Args:
            state: of what this method has learned (:meth:`Learned.state`).
            tasks: the tasks that were learned, prepared, without examples.

        Raises:
            ValueError: the state is of something else, or damaged.
        """
        raise ValueError(f"{self.name} cannot be kept: the method has no restore()")

    @abstractmethod
    def unsuitable(self, tasks: TaskSet) -> str | None:
        """Why the method cannot apply to these tasks, or None where it can."""

    @property
    def takes_weights(self) -> bool:
        """Whether the method learns from examples that count differently; a method of one's own
        that heeds ``train.weights`` says so.
        """
        return False

    def too_many(self, n_rows: int) -> str | None:
        """Why so many training entries are too many for the method, or None where they are not."""
        return None

    def misfit(self, option: str, value: Any) -> str | None:
        """What an option of the right type must be besides, or None where the value fits."""
        return None

    def option(self, settings: RunSettings, name: str) -> Any:
        """The value of an option in a run: the given one, or the default."""
        return {**self.options, **settings.method_options}[name]
