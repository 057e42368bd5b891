"""What all linear multi-task estimators have in common: their data's two forms, and fits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.validation import check_consistent_length, validate_data

from softshare.shallow.checks import check_settings, checked_targets, two_classes
from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.predictions import TaskPredictions
from softshare.shallow.solvers import Solution
from softshare.shallow.task_rows import TaskRows, plain_names, rows_in_columns, rows_in_long_form


class LinearTasks(TaskPredictions):
    """One linear model a task, learned together: the abstract base of the methods.

    Minimises ``Σ_t Σ_i loss(x_iᵀ w_t + b_t, y_i)`` plus the method's penalty of the weights. The
    squared loss is ``½ (x_iᵀ w_t + b_t − y_i)²``, the logistic one the negative log-likelihood of
    two classes; both are sums over rows, so that a task with more rows counts for more. Intercepts
    are each task's own and not penalised. Features should have one scale: what a penalty shrinks
    depends on their units.

    A method has its strengths, and ``loss``, ``fit_intercept``, ``tol``, ``max_iter`` and
    ``warm_start``, as constructor's arguments.

    Attributes:
        tasks_: the tasks' names, in the order of the rows of ``coef_``.
        coef_: ``(T, D)``.
        intercept_: ``(T,)``.
        classes_: the two classes, with the logistic loss.
        optimality_: how far from the optimum the weights are, relative to the problem's scale.
        n_iter_: steps taken.
        n_features_in_: D.
    """

    fit_intercept: bool
    tol: float
    max_iter: int
    warm_start: bool

    @abstractmethod
    def _strengths(self) -> Mapping[str, float]:
        """The method's strengths by their arguments' names."""

    @abstractmethod
    def _minimise(self, loss: TaskLoss, start: Any) -> Solution:
        """The weights that minimise the loss and the method's penalty."""

    @abstractmethod
    def _set_structure(self, parts: np.ndarray) -> None:
        """Set the attributes that tell what is shared.

        Shape:
            ``(parts, T, D)``, which add to ``coef_``.
        """

    def fit(self, X: ArrayLike, y: ArrayLike, tasks: Iterable[Hashable] | None = None) -> Self:
        """Learn all tasks' models.

        Args:
            X: inputs, ``(N, D)``.
            y: with ``tasks`` one target a row, ``(N,)``. Without, every task's targets of the same
                rows, ``(N, T)`` with NaN where a task has no label; the tasks are called as the
                columns of a data frame, or 0 to T − 1.
            tasks: each row's task.

        Raises:
            ValueError: a setting is out of range, the data are not finite or do not fit together,
                a task has no row, or the logistic loss has more or fewer than two classes.
        """
        self._check_settings()
        rows, mean = self._read(X, y, tasks)
        loss = self._loss_of(rows)
        start = self._start(loss.shape) if self.warm_start else None
        self._learn(loss, mean, start)
        return self

    def path(
        self,
        X: ArrayLike,
        y: ArrayLike,
        settings: Sequence[Mapping[str, Any]],
        *,
        tasks: Iterable[Hashable] | None = None,
    ) -> list[Self]:
        """Learn with several settings; each starts where the one before ended.

        The rows are read once. The strongest penalty first is fastest.

        Args:
            X: as for ``fit``.
            y: as for ``fit``.
            settings: names and values of arguments, for instance
                ``[{"gamma": 10.0}, {"gamma": 1.0}]``.
            tasks: as for ``fit``.

        Returns:
            An estimator for each of the settings, fitted.
        """
        self._check_settings()
        # Reading sets attributes such as tasks_, which belong to the models returned, not to self.
        reader = clone(self)
        rows, mean = reader._read(X, y, tasks)
        loss = reader._loss_of(rows)
        return reader._learn_each(loss, mean, settings)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        if self.loss == "logistic":
            tags.estimator_type = "classifier"
            tags.classifier_tags = ClassifierTags(multi_class=False)
            tags.target_tags.two_d_labels = True
        else:
            tags.estimator_type = "regressor"
            tags.regressor_tags = RegressorTags()
        return tags

    def _read(
        self, X: ArrayLike, y: ArrayLike, tasks: Iterable[Hashable] | None
    ) -> tuple[TaskRows, np.ndarray]:
        """The tasks' rows about the inputs' mean, and that mean; about zero without intercepts."""
        if y is None:
            raise ValueError(
                f"y: {type(self).__name__} requires y to be passed, but the target y is None"
            )
        inputs = validate_data(self, X, dtype=np.float64)
        check_consistent_length(inputs, y)
        # About their mean inputs leave sums of squares without a large constant in them. Without
        # an intercept that could take it up again, they stay as they are.
        mean = np.zeros(inputs.shape[1])
        if self.fit_intercept:
            mean = inputs.mean(axis=0)
        centred = inputs - mean
        names = getattr(y, "columns", None)
        targets = self._numbers(checked_targets(y, columns=tasks is None))
        if tasks is not None:
            self._form = "long"
            rows = rows_in_long_form(centred, targets, plain_names(tasks, len(inputs)))
        else:
            self._form = "columns" if targets.ndim == 2 else "single"
            columns = targets.reshape(len(inputs), -1)  # one target a row is one task: (N, 1)
            names = range(columns.shape[1]) if names is None else names
            rows = rows_in_columns(centred, columns, list(names))
        self.tasks_ = rows.names
        return rows, mean

    def _numbers(self, targets: np.ndarray) -> np.ndarray:
        """Targets as floats; with the logistic loss 0 and 1 for the two classes."""
        if self.loss == "squared":
            return targets.astype(np.float64)
        self.classes_, numbers = two_classes(targets)
        return numbers

    def _loss_of(self, rows: TaskRows) -> TaskLoss:
        if self.loss == "squared":
            return SquaredLoss.of(rows, intercept=self.fit_intercept)
        return LogisticLoss(rows, intercept=self.fit_intercept)

    def _learn(self, loss: TaskLoss, mean: np.ndarray, start: Any) -> None:
        solution = self._minimise(loss, start)
        self.coef_ = solution.coef
        # The solution's intercepts are beside inputs about their mean: (x − x̄)ᵀ w + b.
        self.intercept_ = solution.intercepts - self.coef_ @ mean
        self.optimality_ = solution.optimality
        self.n_iter_ = solution.n_iter
        self._parts = solution.parts
        self._set_structure(solution.parts)

    def _learn_each(
        self, loss: TaskLoss, mean: np.ndarray, settings: Sequence[Mapping[str, Any]]
    ) -> list[Self]:
        """A model for each of the settings, which starts where the one before ended."""
        fitted: list[Self] = []
        for setting in settings:
            # A copy, not a clone: it keeps what reading the data has set.
            model = deepcopy(self).set_params(**setting)
            model._check_settings()
            start = fitted[-1]._start(loss.shape) if fitted else None
            model._learn(loss, mean, start)
            fitted.append(model)
        return fitted

    def _start(self, shape: tuple[int, int]) -> Any:
        """Where an earlier fit of as many tasks and features ended."""
        parts: np.ndarray | None = getattr(self, "_parts", None)
        if parts is None or parts.shape[1:] != shape:
            return None
        return parts

    def _check_settings(self) -> None:
        """Raise where a setting is out of range."""
        check_settings(
            type(self).__name__,
            self._strengths(),
            loss=self.loss,
            tol=self.tol,
            max_iter=self.max_iter,
        )
