"""What a person would use instead: linear, mixed and tree models on the same rows.

Their settings are chosen by cross-validation inside the training part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softshare import methods
from softshare.methods.method import Learned, Method, Options, Range, State
from softshare.shallow.optional_package import optional_package

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.tasks.task_set import TaskSet


@dataclass(frozen=True)
class Contestant(Method):
    """A model of rows, which knows each row's task.

    Args:
        name: of the method, and of its model in :data:`softshare.methods.estimators.ESTIMATORS`.
        shares: what the tasks share, in a few words.
        paper: where it comes from.
        apart: whether it is a model of each task's rows alone.
        default: whether a comparison runs it unless told which methods to run.
        needs: a package that it cannot do without, and the extra that brings it, where it has one.
    """

    name: str
    shares: str
    paper: str
    apart: bool = False
    default: bool = True
    needs: tuple[str, str] | None = None
    options: Options = field(default_factory=dict)
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`; validation examples are not needed and not used."""
        return methods.estimators.learned_estimator(self.name, train, seed=settings.seed)

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """See :meth:`Method.restore`."""
        fitted = methods.estimators.fitted_from(self.name, state, tasks)
        return methods.estimators.LearnedEstimator(self.name, fitted)

    @property
    def takes_weights(self) -> bool:
        """See :attr:`Method.takes_weights`."""
        return methods.estimators.takes_weights(self.name)

    def unsuitable(self, tasks: TaskSet) -> str | None:
        """See :meth:`Method.unsuitable`."""
        if self.needs is not None and optional_package(self.needs[0]) is None:
            package, extra = self.needs
            return f"it needs {package}: pip install 'softshare[{extra}]'"
        entries = methods.plain_entries
        return entries.not_alike(tasks) if self.apart else entries.not_one_model(tasks)


RIDGE = Contestant(
    "ridge",
    "nothing: a linear model for every task (the strength is chosen together)",
    "ridge",
    apart=True,
)

BOOSTED_APART = Contestant(
    "boosted-apart",
    "nothing: boosted trees for every task (their number is chosen together)",
    "Ke et al. 2017 (LightGBM)",
    apart=True,
)

POOLED_RIDGE = Contestant(
    "pooled-ridge", "one linear model, with shrunk offsets of the tasks", "random intercepts"
)

MIXED_MODEL = Contestant(
    "mixed-model",
    "a linear model whose intercepts and slopes vary from task to task",
    "Laird & Ware 1982 (mixed models)",
)

BOOSTED = Contestant(
    "boosted", "boosted trees, with the task as a category", "Ke et al. 2017 (LightGBM)"
)

BOOSTED_ON_POOLED = Contestant(
    "boosted-on-pooled",
    "pooled-ridge, and boosted trees of what it misses",
    "Ke et al. 2017 (LightGBM)",
    needs=("lightgbm", "boosted"),
)

FOREST = Contestant(
    "forest", "randomised trees, with the task's mean as an input", "Geurts et al. 2006"
)
