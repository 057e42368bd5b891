"""A model: what a method has learned of several tasks, with all that new rows need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from softshare.methods.method import Learned, Method
from softshare.methods.named import METHODS
from softshare.methods.settings import RunSettings, checked_settings
from softshare.models.card import card_of
from softshare.models.evaluation import Evaluation
from softshare.models.folder import read_folder, write_folder
from softshare.models.form import form_as_json, form_from_json
from softshare.models.labelled import labels_of
from softshare.models.measured import Row, measured
from softshare.models.posed import UNKNOWN, Posed, names_in, numbers_of, posed, told_of
from softshare.models.predictions import Answers, probabilities_of
from softshare.tasks.asking import NOTHING_SAID
from softshare.tasks.task import Task, TaskName
from softshare.tasks.weights import read_weights

ROWS_AT_ONCE = 1 << 15

Unknown = Literal["answer", "refuse"]
"""What rows of tasks get that were not learned: what the others have in common, or a refusal."""


@dataclass(frozen=True, eq=False)
class Model:
    """What a method has learned of several tasks.

    It is made by :func:`softshare.models.learning.learn`, or read from a folder by
    :func:`load_model`.

    Attributes:
        learned: what predicts.
        method: that has learned it.
        settings: of the run.
        form: the tasks, and what turns raw inputs into numbers; without examples.
        facts: on what it was learned and how well it does, as ``model.json`` holds them.
    """

    learned: Learned
    method: Method
    settings: RunSettings
    form: Any
    facts: Mapping[str, Any]

    @property
    def tasks(self) -> tuple[TaskName, ...]:
        """The names of the tasks that were learned."""
        names: tuple[TaskName, ...] = self.form.names
        return names

    def __repr__(self) -> str:
        return f"Model({self.method.name}, {len(self.form)} tasks)"

    # --- predicting ----------------------------------------------------------------------------

    def predict(
        self,
        inputs: Any,
        tasks: Sequence[TaskName] | None = None,
        *,
        unknown_tasks: Unknown = "answer",
    ) -> pd.DataFrame:
        """Predictions of new rows, in the targets' own units.

        Args:
            inputs: a data frame with the columns that the model has learned from, in any order,
                others beside them perhaps; or an array ``(N, *shape)``.
            tasks: each row's task, ``(N,)``; None where the table's task column names it, or where
                every row has all targets.
            unknown_tasks: rows of tasks that were not learned are answered by what those that were
                have in common, or refused.

        Returns:
            A row for each of the inputs, with their index: ``predicted TARGET``, of classes
            ``P(TARGET = CLASS)`` each, and ``task is known``, where there is a task.

        Raises:
            ValueError: the inputs are not of the form that was learned, or tasks are refused; the
                message says which.
        """
        frames = []
        for begin, part in _parts_of(inputs):
            names = None if tasks is None else list(tasks[begin : begin + len(part)])
            frames.append(self._table_of(part, names, unknown_tasks))
        table = pd.concat(frames, ignore_index=True)
        return table.set_axis(inputs.index) if isinstance(inputs, pd.DataFrame) else table

    def _table_of(
        self, inputs: Any, names: list[TaskName] | None, unknown_tasks: Unknown
    ) -> pd.DataFrame:
        columns: dict[str, np.ndarray] = {}
        for question in self.questions(inputs, names, unknown_tasks):
            columns |= self.answers(inputs, question).columns()
            if question.has_task:
                columns["task is known"] = question.numbers != UNKNOWN
        return pd.DataFrame(columns)

    def questions(
        self,
        inputs: Any,
        names: Sequence[TaskName] | None = None,
        unknown_tasks: Unknown = "answer",
    ) -> list[Question]:
        """What is asked of rows: of each of the targets, which task's it is.

        Raises:
            ValueError: the tasks are not named, or are refused.
        """
        form = self.form
        table = form.table
        if form.one_input and names is None:
            every = range(len(form))
            return [Question(_label(form, k), form.tasks[k], _all(k, inputs)) for k in every]
        if names is None:
            if not isinstance(inputs, pd.DataFrame):
                raise ValueError("tasks: name each row's task")
            names = names_in(form, inputs)
        if len(names) != len(inputs):
            raise ValueError(f"tasks: {len(names)} names for {len(inputs)} rows")
        targets = () if table is None or not table.task else table.target
        questions = []
        for target in targets if len(targets) > 1 else ("",):
            asked = [_with_target(name, target) for name in names]
            numbers = numbers_of(form, asked)
            self._check_unknown(names, numbers, unknown_tasks, is_one=len(targets) < 2)
            like = _like(form.tasks, target)
            told = target or (targets[0] if targets else "")
            questions.append(Question(told, like, numbers, has_task=True))
        return questions

    def _check_unknown(
        self,
        names: Sequence[TaskName],
        numbers: np.ndarray,
        unknown_tasks: Unknown,
        *,
        is_one: bool,
    ) -> None:
        unknown = np.flatnonzero(numbers == UNKNOWN).tolist()
        if not unknown or (unknown_tasks == "answer" and is_one):
            return
        told = told_of([names[row] for row in unknown])
        reason = "" if is_one else ", and of several targets nothing is common to all"
        raise ValueError(
            f"tasks: {len(unknown)} row(s) are of tasks that were not learned: {told}{reason}"
        )

    def answers(self, inputs: Any, question: Question) -> Answers:
        """What the model says of one target of these rows."""
        like = question.like
        n_rows = len(inputs)
        outputs = np.full((n_rows, like.n_outputs), np.nan)
        for part in posed(self.form, inputs, question.numbers, like):
            outputs[part.rows] = self._outputs(part)
        if like.kind == "regression":
            scaling = self._scaling(question.numbers)
            values = outputs[:, 0] * scaling[:, 1] + scaling[:, 0]
            return Answers(question.target, like, values)
        probabilities = probabilities_of(like.kind, outputs)
        places = probabilities.argmax(axis=1)
        return Answers(question.target, like, places, probabilities)

    def _outputs(self, part: Posed) -> np.ndarray:
        """In the unit in which training counts, ``(N, n_outputs)``."""
        predict = self.learned.predict_new if part.is_new else self.learned.predict
        return np.concatenate(predict(part.tasks))

    def _scaling(self, numbers: np.ndarray) -> np.ndarray:
        """The mean and the deviation of each row's target in its own unit, ``(N, 2)``."""
        scaling = self.form.target_scaling
        if scaling is None:
            return np.tile((0.0, 1.0), (len(numbers), 1))
        if (numbers == UNKNOWN).any() and not (scaling == scaling[0]).all():
            raise ValueError("tasks: the learned tasks differ in unit, so that a new one has none")
        return np.asarray(scaling[numbers])

    # --- judging -------------------------------------------------------------------------------

    def evaluate(self, table: pd.DataFrame, *, metric: str | None = None) -> Evaluation:
        """How well the model does on labelled rows, which it should not have learned from.

        Args:
            table: with the columns that the model needs, the targets, and the weight where the
                model learned with one.
            metric: the one to judge by, instead of each kind's own.

        Raises:
            ValueError: the table lacks a column, or a label is none that was learned.
        """
        return Evaluation(tuple(self._measured(table, metric)))

    def _measured(self, table: pd.DataFrame, metric: str | None) -> Iterator[Row]:
        asking = NOTHING_SAID if self.form.table is None else self.form.table.asking
        weights = self._weights(table)
        for question in self.questions(table):
            if question.target not in table.columns:
                raise ValueError(f"the table lacks the target column {question.target!r}")
            labels = labels_of(table[question.target], question.like, asking)
            for part in posed(self.form, table, question.numbers, question.like):
                own = labels[part.rows]
                examples = part.tasks.select(np.isfinite(own))
                scaling = self._scaling(question.numbers[part.rows])[np.isfinite(own)]
                known = (own[np.isfinite(own)] - scaling[:, 0]) / scaling[:, 1]
                examples = replace(examples, targets=known)
                if weights is not None:
                    examples = examples.with_weights(weights[part.rows][np.isfinite(own)])
                predict = self.learned.predict_new if part.is_new else self.learned.predict
                yield from measured(examples, predict(examples), metric=metric)

    def _weights(self, table: pd.DataFrame) -> np.ndarray | None:
        """How much each row of a labelled table counts, where the model learned with weights."""
        used = self.form.table
        if used is None or not used.weight:
            return None
        (name,) = used.weight
        if name not in table.columns:
            raise ValueError(f"the table lacks the weight column {name!r}, by which rows count")
        return read_weights(table[name], used.asking)

    # --- keeping -------------------------------------------------------------------------------

    def save(self, folder: str | Path) -> Path:
        """Write the model into a folder: its numbers (safetensors), all else as JSON, and a card.

        Raises:
            OSError: a file cannot be written; the message names it.
            ValueError: the folder holds something else, or this method's models cannot be kept.
        """
        path = Path(folder)
        write_folder(path, self._content(), card_of(self.facts, self.settings, self.form))
        return path

    def _content(self) -> dict[str, Any]:
        return {
            "method": self.method.name,
            "settings": self.settings.as_json(),
            "form": form_as_json(self.form),
            "facts": self.facts,
            "learned": self.learned.state(),
        }


@dataclass(frozen=True, eq=False)
class Question:
    """A target of some rows.

    Args:
        target: its name; empty where it has none.
        like: its kind and classes.
        numbers: each row's task, -1 where it was not learned, ``(N,)``.
        has_task: whether rows have a task each, and not all the same.
    """

    target: str
    like: Task
    numbers: np.ndarray
    has_task: bool = False


def load_model(folder: str | Path, *, methods: Sequence[Method] = ()) -> Model:
    """A model from its folder; no code of the folder runs.

    Args:
        folder: that :meth:`Model.save` wrote.
        methods: of one's own, one of which may have learned it.

    Raises:
        FileNotFoundError: there is no model, or a file of it is missing.
        ValueError: it is damaged, of a newer version, or of a method that is not known; the message
            names the file.
    """
    path = Path(folder)
    content = read_folder(path)
    known = {method.name: method for method in (*METHODS, *methods)}
    name = content.get("method")
    if name not in known:
        raise ValueError(f"{path} is of the method {name!r}, which is not known; hand it in")
    method = known[name]
    try:
        form = form_from_json(content["form"])
        settings = checked_settings(content["settings"])
        learned = method.restore(content["learned"], form)
        return Model(learned, method, settings, form, content["facts"])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        told = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} is damaged, or not what it says: {told}") from error


def _parts_of(inputs: Any) -> Iterator[tuple[int, Any]]:
    """Some rows at a time, and where they begin: features of wide tables take much memory."""
    for begin in range(0, max(1, len(inputs)), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        yield begin, inputs.iloc[rows] if isinstance(inputs, pd.DataFrame) else inputs[rows]


def _all(number: int, inputs: Any) -> np.ndarray:
    return np.full(len(inputs), number)


def _label(form: Any, number: int) -> str:
    label: str = form.tasks[number].label
    return label


def _with_target(name: TaskName, target: str) -> TaskName:
    """A task's name, of one of several targets."""
    if not target:
        return name
    return (*(name if isinstance(name, tuple) else (name,)), target)


def _like(tasks: Sequence[Task], target: str) -> Task:
    """The kind and the classes of a target: those of its first task."""
    for task in tasks:
        if not target or task.name[-1] == target:
            return task
    raise ValueError(f"no task of the target {target!r} was learned")
