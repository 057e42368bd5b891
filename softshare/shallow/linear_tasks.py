"""What all linear multi-task estimators have in common: their data's two forms, and predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from softshare.shallow.checks import check_settings, checked_targets, two_classes
from softshare.shallow.losses import LogisticLoss, SquaredLoss, TaskLoss
from softshare.shallow.solvers import Solution
from softshare.shallow.task_rows import TaskRows, plain_names, rows_in_columns, rows_in_long_form


def _is_classifier(estimator: LinearTasks) -> bool:
    return bool(estimator.loss == "logistic")


class LinearTasks(BaseEstimator):
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

    loss: str
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
        self._learn(loss, mean, self._start(loss.shape) if self.warm_start else None)
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
        reader = clone(self)
        rows, mean = reader._read(X, y, tasks)
        loss = reader._loss_of(rows)
        fitted: list[Self] = []
        for setting in settings:
            model = deepcopy(reader).set_params(**setting)
            model._check_settings()
            model._learn(loss, mean, fitted[-1]._start(loss.shape) if fitted else None)
            fitted.append(model)
        return fitted

    def _outputs(self, X: ArrayLike, tasks: Iterable[Hashable] | None) -> np.ndarray:
        """``x_iᵀ w_t + b_t``."""
        check_is_fitted(self)
        inputs = validate_data(self, X, dtype=np.float64, reset=False)
        if tasks is not None:
            coef, intercept = self._models_of(plain_names(tasks, len(inputs)))
            return np.asarray(np.einsum("nd,nd->n", inputs, coef) + intercept)
        if self._form == "long" and len(self.tasks_) > 1:
            raise ValueError(
                f"tasks: this {type(self).__name__} was fitted on rows of {len(self.tasks_)} "
                "tasks; name each row's task"
            )
        outputs = inputs @ self.coef_.T + self.intercept_
        return np.asarray(outputs if self._form == "columns" else outputs[:, 0])

    def predict(self, X: ArrayLike, tasks: Iterable[Hashable] | None = None) -> np.ndarray:
        """Targets, or classes with the logistic loss.

        Args:
            X: inputs, ``(N, D)``.
            tasks: each row's task; None where the targets came in columns: all tasks of each row.

        Raises:
            ValueError: a task was not seen in ``fit``, or the estimator knows several tasks from
                rows of one each and is not told which.

        Shape:
            ``(N,)`` with ``tasks`` or where ``y`` had one dimension; otherwise ``(N, T)``.
        """
        outputs = self._outputs(X, tasks)
        if self.loss == "squared":
            return outputs
        return np.asarray(self.classes_[(outputs > 0).astype(int)])

    @available_if(_is_classifier)
    def decision_function(
        self, X: ArrayLike, tasks: Iterable[Hashable] | None = None
    ) -> np.ndarray:
        """The log-odds of the second class, ``x_iᵀ w_t + b_t``; arguments as for ``predict``."""
        return self._outputs(X, tasks)

    @available_if(_is_classifier)
    def predict_proba(self, X: ArrayLike, tasks: Iterable[Hashable] | None = None) -> np.ndarray:
        """Probabilities; arguments as for ``predict``.

        Shape:
            ``(N, 2)``, of both classes; ``(N, T)`` of the second class for all tasks of each row.
        """
        second = expit(self._outputs(X, tasks))
        return second if second.ndim == 2 else np.stack([1 - second, second], axis=1)

    def score(self, X: ArrayLike, y: ArrayLike, tasks: Iterable[Hashable] | None = None) -> float:
        """R², the columns' mean where there are several; with the logistic loss the fraction of
        targets that are right.
        """
        truth, predicted = np.asarray(y), self.predict(X, tasks)
        if self.loss == "squared":
            truth = truth.astype(float)
        columns = truth.reshape(len(truth), -1).T
        scores, sizes = [], []
        for target, prediction in zip(columns, predicted.reshape(columns.T.shape).T, strict=True):
            known = target == target  # NaN alone differs from itself
            measure = r2_score if self.loss == "squared" else accuracy_score
            scores.append(measure(target[known], prediction[known]))
            sizes.append(known.sum())
        weights = None if self.loss == "squared" else sizes
        return float(np.average(scores, weights=weights))

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
        mean = inputs.mean(axis=0) if self.fit_intercept else np.zeros(inputs.shape[1])
        names = getattr(y, "columns", None)
        targets = self._numbers(checked_targets(y, columns=tasks is None))
        if tasks is not None:
            self._form = "long"
            rows = rows_in_long_form(inputs - mean, targets, plain_names(tasks, len(inputs)))
        else:
            self._form = "columns" if targets.ndim == 2 else "single"
            columns = targets.reshape(len(inputs), -1)
            names = range(columns.shape[1]) if names is None else names
            rows = rows_in_columns(inputs - mean, columns, list(names))
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
        self.intercept_ = solution.intercepts - self.coef_ @ mean
        self.optimality_ = solution.optimality
        self.n_iter_ = solution.n_iter
        self._parts = solution.parts
        self._set_structure(solution.parts)

    def _start(self, shape: tuple[int, int]) -> Any:
        """Where an earlier fit of as many tasks and features ended."""
        parts: np.ndarray | None = getattr(self, "_parts", None)
        return None if parts is None or parts.shape[1:] != shape else parts

    def _check_settings(self) -> None:
        """Raise where a setting is out of range."""
        check_settings(
            type(self).__name__,
            self._strengths(),
            loss=self.loss,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def _models_of(self, names: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
        """Every row's weights, ``(N, D)``, and intercept, ``(N,)``."""
        position = {name: index for index, name in enumerate(self.tasks_)}
        unseen = [name for name in dict.fromkeys(names) if name not in position]
        coef, intercept = self.coef_, self.intercept_
        if unseen:
            common_coef, common_intercept = self._common_model(unseen)
            coef = np.vstack([coef, common_coef])
            intercept = np.append(intercept, common_intercept)
        index = np.array([position.get(name, len(position)) for name in names], dtype=int)
        return coef[index], intercept[index]

    def _common_model(self, unseen: Sequence[Hashable]) -> tuple[np.ndarray, float]:
        """The weights and the intercept of tasks that ``fit`` has not seen."""
        raise ValueError(
            f"tasks: {', '.join(map(repr, unseen[:5]))} had no rows in fit, and "
            f"{type(self).__name__} has no model for other tasks than its {len(self.tasks_)}"
        )
