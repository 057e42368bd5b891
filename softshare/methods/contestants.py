"""What a person would use instead: linear, mixed and tree models on the same rows.

Their settings are chosen by cross-validation inside the training part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
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
        apart: whether it is a model of each task's rows alone: tasks may then differ in form.
        tells_apart: whether each task has coefficients or a function of its own in it, so that it
            serves tasks that see the same rows.
        default: whether a comparison runs it unless told which methods to run.
        needs: a package that it cannot do without, and the extra that brings it, where it has one.
    """

    name: str
    shares: str
    paper: str
    apart: bool = False
    tells_apart: bool = False
    default: bool = True
    needs: tuple[str, str] | None = None
    options: Options = field(default_factory=dict)
    search_space: Mapping[str, Range] = field(default_factory=dict)
    cross_validated: tuple[str, ...] = ()

    def learn(
        self, train: TaskSet, validation: TaskSet, settings: RunSettings, *, watch: bool = False
    ) -> Learned:
        """See :meth:`Method.learn`; validation examples are not needed and not used."""
        learn = partial(
            methods.estimators.learned_estimator,
            self.name,
            seed=settings.seed,
        )
        if not self.apart:
            return learn(train)
        return methods.pieces.learned_in_pieces(methods.pieces.small_pieces(train), train, learn)

    def restore(self, state: State, tasks: TaskSet) -> Learned:
        """See :meth:`Method.restore`."""
        return methods.pieces.restored_pieces(state, tasks, self._restored)

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
        if self.apart:
            return entries.not_apart(tasks)
        if self.tells_apart:
            return entries.not_alike(tasks, small_images=True)
        return entries.not_one_model(tasks, small_images=True)

    def too_many(self, n_rows: int) -> str | None:
        """See :meth:`Method.too_many`."""
        most = methods.estimators.MOST_ROWS.get(self.name)
        if most is None or n_rows <= most:
            return None
        return f"it takes up to {most:,} training examples, not {n_rows:,}"

    def _restored(self, state: State, tasks: TaskSet) -> Learned:
        fitted = methods.estimators.fitted_from(self.name, state, tasks)
        return methods.estimators.LearnedEstimator(self.name, fitted)


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

FOREST_APART = Contestant(
    "forest-apart",
    "nothing: randomised trees for every task",
    "Geurts et al. 2006",
    apart=True,
    default=False,
)

KERNEL_APART = Contestant(
    "kernel-apart",
    "nothing: a smooth function of every task (its kernel is chosen together)",
    "kernel ridge, least-squares support vector machines",
    apart=True,
    default=False,
)

POOLED_RIDGE = Contestant(
    "pooled-ridge", "one linear model, with shrunk offsets of the tasks", "random intercepts"
)

MIXED_MODEL = Contestant(
    "mixed-model",
    "a linear model whose intercepts and slopes vary from task to task",
    "Laird & Ware 1982 (mixed models)",
    tells_apart=True,
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

GP = Contestant(
    "gp",
    "a smooth and a linear function in common, beside each task's own",
    "Bonilla et al. 2008 (Gaussian processes over inputs and tasks)",
    tells_apart=True,
    default=False,
)

LINEAR_EVGENIOU_PONTIL = Contestant(
    "linear-evgeniou-pontil",
    "a linear model, from which each task deviates a little",
    "Evgeniou & Pontil 2004",
    tells_apart=True,
)

LINEAR_TRACE_NORM = Contestant(
    "linear-trace-norm",
    "pooled-ridge, and a few directions in which the tasks deviate from it",
    "Ji & Ye 2009",
    tells_apart=True,
)

LINEAR_L21 = Contestant(
    "linear-l21",
    "pooled-ridge, and a few inputs whose weights deviate from it",
    "Argyriou, Evgeniou & Pontil 2008 (l2,1)",
    tells_apart=True,
    default=False,
)

LINEAR_MTFL = Contestant(
    "linear-mtfl",
    "pooled-ridge, and learned features by which the tasks deviate from it",
    "Argyriou, Evgeniou & Pontil 2008",
    tells_apart=True,
    default=False,
)

LINEAR_MTRL = Contestant(
    "linear-mtrl",
    "pooled-ridge, and a learned covariance of the tasks' deviations from it",
    "Zhang & Yeung 2010",
    tells_apart=True,
    default=False,
)

LINEAR_GO_MTL = Contestant(
    "linear-go-mtl",
    "pooled-ridge, and deviations that groups of tasks have in common",
    "Kumar & Daume 2012",
    tells_apart=True,
    default=False,
)

LINEAR_RMTL = Contestant(
    "linear-rmtl",
    "pooled-ridge, and a few directions of deviation but for outlying tasks",
    "Chen, Zhou & Ye 2011",
    tells_apart=True,
    default=False,
)
