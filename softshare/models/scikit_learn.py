"""scikit-learn's doors: every method as an estimator, for pipelines, searches and cross-validation.

Rows name their task (a column of the data frame, or ``tasks=``), or every row has a target of every
task (``Y`` of T columns, NaN where a label is missing).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_is_fitted,
    validate_data,
)

from softshare.methods.method import Method
from softshare.methods.network_method import NetworkMethod
from softshare.models.learning import learn
from softshare.models.model import Model
from softshare.models.posed import names_handed_in
from softshare.models.predictions import Answers
from softshare.models.target_columns import columns_of, mean_score, plain
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.base import Sharing
from softshare.tasks.levels import text_of
from softshare.tasks.table_use import TableUse
from softshare.tasks.task import TaskName
from softshare.tasks.task_set import TaskSet


class _MultiTaskEstimator(BaseEstimator, ABC):
    """What classifier and regressor have in common: abstract."""

    def __init__(
        self,
        method: str | Method = "auto",
        *,
        task: str | None = None,
        sharing: Sharing | Mapping[str, Sharing] | None = None,
        template: TemplateFactory | None = None,
        options: Mapping[str, Any] | None = None,
        preset: str | None = None,
        time_limit: float | None = None,
        steps: int | None = None,
        batch_size: int | None = None,
        hidden: Sequence[int] | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        dropout: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.method = method
        self.task = task
        self.sharing = sharing
        self.template = template
        self.options = options
        self.preset = preset
        self.time_limit = time_limit
        self.steps = steps
        self.batch_size = batch_size
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn all tasks.

        Args:
            X: inputs, ``(N, D)``, or a data frame, which may hold text, dates and gaps, and the
                column that ``task`` names.
            y: one target a row, ``(N,)``; or, where rows name no task, every task's, ``(N, T)``
                with NaN where a label is missing.
            tasks: each row's task, ``(N,)``.
            sample_weight: how much each row counts, ``(N,)``, from 0 on; None: all the same.

        Raises:
            ValueError: shapes, values or settings are wrong, or the method takes no weights.
        """
        inputs, names = self._read(X, tasks, reset=True)
        columns = columns_of(y, inputs)
        self.one_target_ = columns.shape[1] == 1
        if names is not None and not self.one_target_:
            raise ValueError("y must have one target a row where rows name their tasks")
        self.target_names_ = list(map(str, columns.columns))
        codes = {name: self._encoded(columns[name]) for name in columns}
        kinds = {name: self._kind(name) for name in columns}
        weights = None if sample_weight is None else _check_sample_weight(sample_weight, inputs)
        if names is None:
            made = TaskSet.from_shared_inputs(inputs, codes, kinds=kinds, weights=weights)
        else:
            (name,) = columns
            made = TaskSet.from_task_column(
                inputs,
                codes[name],
                names,
                kind=kinds[name],
                weights=weights,
            )
            if self.task is not None:
                made = replace(made, table=TableUse((self.task,), (str(name),)))
        self.model_: Model = learn(
            self._with_classes(made),
            method=self._method(),
            seed=self.random_state,
            options=self.options,
            preset=self.preset,
            time_limit=self.time_limit,
            steps=self.steps,
            batch_size=self.batch_size,
            hidden=self.hidden,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
        )
        return self

    def _with_classes(self, made: TaskSet) -> TaskSet:
        """The same, with the names of its classes; of numbers there are none."""
        return made

    def _method(self) -> str | Method:
        """The named method, or one that shares as told."""
        if self.sharing is None and self.template is None:
            return self.method
        sharing = self.sharing
        if sharing is None:
            raise ValueError("template goes with sharing, which is None; give both")
        by_layer = sharing if isinstance(sharing, Mapping) else {"*": sharing}
        template = self.template
        return NetworkMethod(
            "network",
            "as told by a sharing",
            "",
            lambda layers, options: dict(by_layer),
            template=None if template is None else lambda shape, hidden, options: template,
        )

    def _answers(self, X: Any, tasks: Iterable[Hashable] | None) -> list[Answers]:
        check_is_fitted(self)
        inputs, names = self._read(X, tasks, reset=False)
        if names is None and not self.model_.form.one_input:
            raise ValueError("tasks: name each row's task")
        questions = self.model_.questions(inputs, names)
        return [self.model_.answers(inputs, question) for question in questions]

    def _read(
        self, X: Any, tasks: Iterable[Hashable] | None, *, reset: bool
    ) -> tuple[Any, list[TaskName] | None]:
        """Inputs without the column of tasks, and each row's task."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, skip_check_array=True, reset=reset)
            if self.task is None:
                return X, _names_of(tasks, X)
            if self.task not in X.columns:
                raise ValueError(f"task: X has no column {self.task!r}")
            return X.drop(columns=self.task), _names_of(X[self.task], X)
        if self.task is not None:
            raise ValueError("task names a column of a data frame, and X is none; hand tasks in")
        inputs = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=reset
        )
        return inputs, _names_of(tasks, inputs)

    def _side_by_side(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """What is told of every target, ``(N, T)``, or ``(N,)`` where ``y`` was one column."""
        return columns[0] if self.one_target_ else np.stack(columns, axis=1)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        return tags

    @abstractmethod
    def _predicted(self, X: Any, tasks: Iterable[Hashable] | None) -> list[np.ndarray]:
        """What is told of every target, each ``(N,)``."""

    @abstractmethod
    def _encoded(self, column: pd.Series) -> pd.Series:
        """A column of ``y`` as numbers, NaN where a label is missing, ``(N,)``."""

    @abstractmethod
    def _kind(self, name: Any) -> Any:
        """The kind of a column of ``y``."""


class MultiTaskRegressor(RegressorMixin, _MultiTaskEstimator):
    """Numbers of several tasks, learned together.

    Args:
        method: one of ``softshare methods``, or a :class:`~softshare.methods.method.Method`.
        task: the column of a data frame that names each row's task.
        sharing: how networks share their weights, instead of a named method.
        template: of these networks: ``(input_shape, n_outputs) → module``.
        options: of the method.
        preset: of ``auto``.
        time_limit: of ``auto``, in minutes.
        steps: of a network, as all that follow: see :func:`softshare.models.learning.learn`.
        batch_size: examples of every task in a step.
        hidden: widths of the hidden layers.
        learning_rate: of Adam.
        weight_decay: by how many thousandths a step shrinks every weight.
        dropout: probability after each hidden layer.
        random_state: of folds, starts and the order of examples.

    Attributes:
        model_: the :class:`~softshare.models.model.Model`, which can be saved.
        target_names_: the columns of ``y``.
    """

    def predict(self, X: Any, tasks: Iterable[Hashable] | None = None) -> np.ndarray:
        """Targets in their own units, ``(N,)``, or ``(N, T)`` where ``y`` had T columns."""
        return self._side_by_side(self._predicted(X, tasks))

    def score(
        self,
        X: Any,
        y: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """R², the mean over the columns of ``y``; labels that are missing do not count."""
        return mean_score(r2_score, y, self._predicted(X, tasks), sample_weight)

    def _predicted(self, X: Any, tasks: Iterable[Hashable] | None) -> list[np.ndarray]:
        return [told.values for told in self._answers(X, tasks)]

    def _encoded(self, column: pd.Series) -> pd.Series:
        return pd.to_numeric(column).astype(np.float64)

    def _kind(self, name: Any) -> Any:
        return "regression"


class MultiTaskClassifier(ClassifierMixin, _MultiTaskEstimator):
    """Classes of several tasks, learned together.

    Arguments and attributes are those of :class:`MultiTaskRegressor`, and:

    Attributes:
        classes_: the classes, sorted; a list of them where ``y`` had several columns.
    """

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """See :meth:`MultiTaskRegressor.fit`; ``y`` holds classes."""
        self._classes: dict[Any, np.ndarray] = {}
        fitted = super().fit(X, y, tasks, sample_weight)
        found = list(self._classes.values())
        self.classes_ = found[0] if self.one_target_ else found
        return fitted

    def predict(self, X: Any, tasks: Iterable[Hashable] | None = None) -> np.ndarray:
        """Classes, ``(N,)``, or ``(N, T)`` where ``y`` had T columns."""
        return self._side_by_side(self._predicted(X, tasks))

    def predict_proba(
        self, X: Any, tasks: Iterable[Hashable] | None = None
    ) -> np.ndarray | list[np.ndarray]:
        """Probabilities of the classes, ``(N, C)``; a list of these where ``y`` had T columns."""
        found = []
        for told in self._answers(X, tasks):
            assert told.probabilities is not None  # of classes there are some
            found.append(told.probabilities)
        return found[0] if self.one_target_ else found

    def score(
        self,
        X: Any,
        y: ArrayLike,
        tasks: Iterable[Hashable] | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """The fraction of right classes, the mean over the columns of ``y``."""
        return mean_score(accuracy_score, y, self._predicted(X, tasks), sample_weight)

    def _predicted(self, X: Any, tasks: Iterable[Hashable] | None) -> list[np.ndarray]:
        answers = self._answers(X, tasks)
        classes = [self.classes_] if self.one_target_ else self.classes_
        columns = []
        for own, told in zip(classes, answers, strict=True):
            columns.append(own[told.values.astype(np.int64)])
        return columns

    def _encoded(self, column: pd.Series) -> pd.Series:
        known = column.dropna()
        labels = plain(known)
        check_classification_targets(labels)
        self._classes[column.name], places = np.unique(labels, return_inverse=True)
        if len(self._classes[column.name]) < 2:
            raise ValueError("y has one class only, so that there is nothing to learn")
        codes = pd.Series(np.nan, index=column.index)
        codes[known.index] = places
        return codes

    def _with_classes(self, made: TaskSet) -> TaskSet:
        """The model says what stands in ``y``, not the places that it learned from."""
        names = [tuple(map(text_of, found)) for found in self._classes.values()]
        of_tasks = names * len(made.tasks) if self.one_target_ else names
        pairs = zip(made.tasks, of_tasks, strict=True)
        return replace(made, tasks=tuple(replace(task, classes=own) for task, own in pairs))

    def _kind(self, name: Any) -> Any:
        return "binary" if len(self._classes[name]) == 2 else "multiclass"


def _names_of(tasks: Iterable[Hashable] | None, inputs: Any) -> list[TaskName] | None:
    """Each row's task as one text, a tuple's too; None where rows name none."""
    if tasks is None:
        return None
    return [*map(str, names_handed_in(tasks, len(inputs)))]
