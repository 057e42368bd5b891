"""Predictions of a linear model a task, of rows that name their task or all tasks of each row."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from softshare.shallow.task_rows import plain_names


def _is_classifier(estimator: TaskPredictions) -> bool:
    return bool(estimator.loss == "logistic")


class TaskPredictions(BaseEstimator):
    """What a fitted ``coef_`` and ``intercept_`` of every one of ``tasks_`` say: abstract."""

    loss: str
    tasks_: list[Hashable]
    coef_: np.ndarray
    intercept_: np.ndarray
    classes_: np.ndarray
    _form: str
    """In which form ``fit`` had its data: "long", "columns", or "single" for one task alone."""

    def predict(
        self,
        X: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
    ) -> np.ndarray:
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
        is_second = outputs > 0
        return np.asarray(self.classes_[is_second.astype(int)])

    @available_if(_is_classifier)
    def decision_function(
        self, X: ArrayLike, tasks: Iterable[Hashable] | None = None
    ) -> np.ndarray:
        """The log-odds of the second class, ``x_iᵀ w_t + b_t``; arguments as for ``predict``."""
        return self._outputs(X, tasks)

    @available_if(_is_classifier)
    def predict_proba(
        self,
        X: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
    ) -> np.ndarray:
        """Probabilities; arguments as for ``predict``.

        Shape:
            ``(N, 2)``, of both classes; ``(N, T)`` of the second class for all tasks of each row.
        """
        second = expit(self._outputs(X, tasks))
        if second.ndim == 2:
            return second
        return np.stack([1 - second, second], axis=1)

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
    ) -> float:
        """R², the columns' mean where there are several; with the logistic loss the fraction of
        targets that are right.
        """
        is_regression = self.loss == "squared"
        truth = np.asarray(y)
        if is_regression:
            truth = truth.astype(float)
        predicted = self.predict(X, tasks)
        # One target a row is one column: (N,) → (N, 1).
        columns = truth.reshape(len(truth), -1)
        predicted = predicted.reshape(columns.shape)
        measure = r2_score if is_regression else accuracy_score
        scores = []
        sizes = []
        for target, prediction in zip(columns.T, predicted.T, strict=True):
            known = target == target  # NaN alone differs from itself
            scores.append(measure(target[known], prediction[known]))
            sizes.append(known.sum())
        weights = None if is_regression else sizes
        return float(np.average(scores, weights=weights))

    def _outputs(
        self,
        X: ArrayLike,
        tasks: Iterable[Hashable] | None,
    ) -> np.ndarray:
        """``x_iᵀ w_t + b_t``."""
        check_is_fitted(self)
        inputs = validate_data(self, X, dtype=np.float64, reset=False)
        if tasks is not None:
            names = plain_names(tasks, len(inputs))
            coef, intercept = self._models_of(names)  # (N, D), (N,): each row's own model
            products = np.einsum("nd,nd->n", inputs, coef)
            return np.asarray(products + intercept)
        if self._form == "long" and len(self.tasks_) > 1:
            raise ValueError(
                f"tasks: this {type(self).__name__} was fitted on rows of {len(self.tasks_)} "
                "tasks; name each row's task"
            )
        outputs = inputs @ self.coef_.T + self.intercept_  # (N, T)
        if self._form != "columns":
            outputs = outputs[:, 0]
        return np.asarray(outputs)

    def _models_of(self, names: Sequence[Hashable]) -> tuple[np.ndarray, np.ndarray]:
        """Every row's weights, ``(N, D)``, and intercept, ``(N,)``."""
        position = {name: index for index, name in enumerate(self.tasks_)}
        unseen = [name for name in dict.fromkeys(names) if name not in position]
        coef = self.coef_
        intercept = self.intercept_
        if unseen:
            # One more model, last, which every unseen task is sent to.
            common_coef, common_intercept = self._common_model(unseen)
            coef = np.vstack([coef, common_coef])
            intercept = np.append(intercept, common_intercept)
        last = len(position)
        index = np.array([position.get(name, last) for name in names], dtype=int)
        return coef[index], intercept[index]

    def _common_model(self, unseen: Sequence[Hashable]) -> tuple[np.ndarray, float]:
        """The weights and the intercept of tasks that ``fit`` has not seen."""
        some = ", ".join(map(repr, unseen[:5]))
        raise ValueError(
            f"tasks: {some} had no rows in fit, and "
            f"{type(self).__name__} has no model for other tasks than its {len(self.tasks_)}"
        )
