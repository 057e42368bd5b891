"""A model: what a method has learned of several tasks, with all that new rows need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softshare.methods.method import Learned, Method
from softshare.methods.named import METHODS
from softshare.methods.plain_state import state_of, value_of
from softshare.methods.settings import RunSettings, checked_settings
from softshare.models.added import AddedTask
from softshare.models.calibration import Calibration, calibration_from
from softshare.models.card import card_of
from softshare.models.evaluation import Evaluation
from softshare.models.explanation import Explanation
from softshare.models.export.write import Format, export
from softshare.models.folder import read_folder, write_folder
from softshare.models.form import form_as_json, form_from_json
from softshare.models.importance import explain
from softshare.models.inspection import inspected
from softshare.models.labelled import labels_of
from softshare.models.measured import Row, measured
from softshare.models.notebook import html_of
from softshare.models.posed import (
    UNKNOWN,
    names_handed_in,
    names_in,
    numbers_of,
    posed,
    told_of,
)
from softshare.models.predictions import Answers, probabilities_of
from softshare.models.probe import check_said, probes
from softshare.models.questions import Question, Unknown, questions_of
from softshare.tasks.arguments import ArgumentError
from softshare.tasks.task import TaskName, label_of
from softshare.tasks.task_set import TaskSet
from softshare.tasks.weights import read_weights

ROWS_AT_ONCE = 1 << 15

LEVEL = 0.9
"""The part of new rows that intervals hold unless another is asked for."""


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
        calibration: how far its answers can be trusted; None where no row was held out to tell.
        added: tasks that came later (:meth:`add_tasks`).
    """

    learned: Learned
    method: Method
    settings: RunSettings
    form: Any
    facts: Mapping[str, Any]
    calibration: Calibration | None = None
    added: tuple[AddedTask, ...] = ()

    @property
    def tasks(self) -> tuple[TaskName, ...]:
        """The names of the tasks: of those that were learned, and of those that came later."""
        return (*self.form.names, *self._later)

    @property
    def _later(self) -> tuple[TaskName, ...]:
        return tuple(task.name for task in self.added)

    def __repr__(self) -> str:
        return f"Model({self.method.name}, {len(self.tasks)} tasks)"

    def _repr_html_(self) -> str:
        return html_of(self.method.name, self.facts)

    def inspect(self) -> dict[str, Any]:
        """What the model is, as plain values: its tasks, what they share, how well it does."""
        return inspected(
            {
                "method": self.method.name,
                "settings": self.settings.as_json(),
                "form": form_as_json(self.form),
                "facts": self.facts,
                "added": state_of(list(self.added)),
            }
        )

    # --- predicting ----------------------------------------------------------------------------

    def predict(
        self,
        inputs: Any,
        tasks: Iterable[Any] | None = None,
        *,
        unknown_tasks: Unknown = "answer",
        level: float = LEVEL,
        calibrated: bool = True,
    ) -> pd.DataFrame:
        """Predictions of new rows, in the targets' own units.

        Args:
            inputs: a data frame with the columns that the model has learned from, in any order,
                others beside them perhaps; or an array ``(N, *shape)``.
            tasks: each row's task, ``(N,)``, text or numbers, or tuples of such where several
                columns name it; None where the table's task column does, or where every row has
                all targets.
            unknown_tasks: rows of tasks that were not learned are answered by what those that were
                have in common, or refused.
            level: the part of new rows' values that intervals hold, between 0 and 1.
            calibrated: probabilities that come true as often as held-out rows show, rather than
                those that the method gives, which a comparison measures.

        Returns:
            A row for each of the inputs, with their index: ``predicted TARGET``, of numbers its
            interval ``TARGET from`` and ``TARGET to`` where rows were held out to tell it, of
            classes ``P(TARGET = CLASS)`` each, and ``task is known``, where there is a task.

        Raises:
            ValueError: the inputs are not of the form that was learned, tasks are refused, or the
                level is none; the message says which.
        """
        if not 0 < level < 1:
            raise ArgumentError(("level", f"between 0 and 1, such as 0.9, got {level!r}"))
        every = None if tasks is None else names_handed_in(tasks, len(inputs))
        frames = []
        for begin, part in _parts_of(inputs):
            names = None if every is None else every[begin : begin + len(part)]
            columns: dict[str, np.ndarray] = {}
            for question in self.questions(part, names, unknown_tasks):
                told = self.answers(part, question, level=level, calibrated=calibrated)
                columns |= told.columns()
                if question.has_task:
                    columns["task is known"] = question.numbers != UNKNOWN
            frames.append(pd.DataFrame(columns))
        table = pd.concat(frames, ignore_index=True)
        return table.set_axis(inputs.index) if isinstance(inputs, pd.DataFrame) else table

    def questions(
        self,
        inputs: Any,
        names: Sequence[TaskName] | None = None,
        unknown_tasks: Unknown = "answer",
    ) -> list[Question]:
        """What is asked of rows; see :func:`~softshare.models.questions.questions_of`."""
        return questions_of(self.form, inputs, names, unknown_tasks, self._later)

    def answers(
        self, inputs: Any, question: Question, *, level: float = LEVEL, calibrated: bool = True
    ) -> Answers:
        """What the model says of one target of these rows; see :meth:`predict`."""
        like = question.like
        n_rows = len(inputs)
        outputs = np.full((n_rows, like.n_outputs), np.nan)
        for part in posed(self.form, inputs, question.numbers, like, self._later):
            outputs[part.rows] = np.concatenate(self._outputs(part.tasks, calibrated=calibrated))
        if like.kind == "regression":
            scaling = self._scaling(question.numbers)
            values = outputs[:, 0] * scaling[:, 1] + scaling[:, 0]
            bounds = self._bounds(values, scaling, question.numbers, level)
            return Answers(question.target, like, values, bounds=bounds)
        probabilities = probabilities_of(like.kind, outputs)
        places = probabilities.argmax(axis=1)
        return Answers(question.target, like, places, probabilities)

    def _outputs(self, examples: TaskSet, *, calibrated: bool = True) -> list[np.ndarray]:
        """Of every task, in the unit in which training counts, ``(N_t, n_outputs)``."""
        numbers = numbers_of(self.form, examples.names)
        is_new = bool((numbers == UNKNOWN).any())
        predict = self.learned.predict_new if is_new else self.learned.predict
        outputs = predict(examples)
        if calibrated and self.calibration is not None:
            outputs = self.calibration.outputs(examples.tasks, outputs, numbers)
        for later in self.added:
            if later.name == examples.names[0]:
                return [rows + later.offset for rows in outputs]
        return outputs

    def _bounds(
        self, values: np.ndarray, scaling: np.ndarray, numbers: np.ndarray, level: float
    ) -> np.ndarray | None:
        """Lower and upper ends, ``(N, 2)``."""
        if self.calibration is None or self.calibration.intervals is None:
            return None
        is_learned = numbers < len(self.form)
        as_learned = np.where(is_learned, numbers, UNKNOWN)
        half = self.calibration.intervals.half_widths(as_learned, level) * scaling[:, 1]
        wider = np.array([1.0, *(later.widening for later in self.added)])
        half *= wider[np.where(is_learned, 0, numbers - len(self.form) + 1)]
        return np.stack([values - half, values + half], axis=1)

    def _scaling(self, numbers: np.ndarray) -> np.ndarray:
        """The mean and the deviation of each row's target in its own unit, ``(N, 2)``."""
        scaling = self.form.target_scaling
        if scaling is None:
            return np.tile((0.0, 1.0), (len(numbers), 1))
        is_learned = (numbers != UNKNOWN) & (numbers < len(scaling))
        if not is_learned.all() and not (scaling == scaling[0]).all():
            raise ValueError("tasks: the learned tasks differ in unit, so that a new one has none")
        return np.asarray(scaling[np.where(is_learned, numbers, 0)])

    # --- judging -------------------------------------------------------------------------------

    def evaluate(self, table: pd.DataFrame, *, metric: str | None = None) -> Evaluation:
        """How well the model does on labelled rows, which it should not have learned from.

        Args:
            table: with the columns that the model needs, the targets, and the weight where the
                model learned with one.
            metric: the one to judge by, instead of each kind's own.

        Raises:
            ValueError: the table lacks a column, has no label, or a label is none that was learned.
        """
        rows = tuple(self._measured(table, metric))
        if not rows:
            targets = ", ".join(repr(question.target) for question in self.questions(table))
            raise ValueError(f"the table has no label, fill the target column(s) {targets}")
        return Evaluation(rows)

    def _measured(self, table: pd.DataFrame, metric: str | None) -> Iterator[Row]:
        weights = self._weights(table)
        for question in self.questions(table):
            labels = self._labels(table, question)
            numbers, like = question.numbers, question.like
            for part in posed(self.form, table, numbers, like, self._later):
                labelled = np.isfinite(labels[part.rows])
                if not labelled.any():
                    continue  # methods answer no empty sets of rows
                rows = part.rows[labelled]
                scaling = self._scaling(numbers[rows])
                known = (labels[rows] - scaling[:, 0]) / scaling[:, 1]
                examples = replace(part.tasks.select(labelled), targets=known)
                if weights is not None:
                    examples = examples.with_weights(weights[rows])
                yield from measured(examples, self._outputs(examples), metric=metric)

    def _weights(self, table: pd.DataFrame) -> np.ndarray | None:
        """How much each row of a labelled table counts, where the model learned with weights."""
        used = self.form.table
        if used is None or not used.weight:
            return None
        (name,) = used.weight
        if name not in table.columns:
            raise ValueError(f"the table lacks the weight column {name!r}, by which rows count")
        return read_weights(table[name], used.asking)

    # --- adding --------------------------------------------------------------------------------

    def add_tasks(self, table: pd.DataFrame) -> Model:
        """The same model with the tasks of a labelled table, each of which may have few rows.

        Each is what the learned tasks have in common, and an offset that its rows tell, drawn to
        those of the learned tasks by as much as the rows are few (:mod:`softshare.models.added`).
        The answers for all other tasks stay as they are. A task with many rows is better learned
        with all others anew.

        Args:
            table: rows of tasks that the model does not know, with its columns and the target.

        Raises:
            ValueError: a task is known already, has no label, or the learned tasks have nothing in
                common to build on.
        """
        offsets = None if self.calibration is None else self.calibration.offsets
        if offsets is None:
            raise ValueError(
                "the model cannot take tasks: it was learned from fewer than three tasks, or these "
                "have no answer in common; learn it anew with the new task's rows"
            )
        names = names_in(self.form, table)
        known = [name for name in names if name in self.tasks]
        if known:
            raise ValueError(f"the model has these tasks already: {told_of(known)}")
        (question,) = self.questions(table, names)
        labels = self._labels(table, question)
        outputs = np.empty((len(table), question.like.n_outputs))
        for part in posed(self.form, table, question.numbers, question.like):
            outputs[part.rows] = np.concatenate(self._outputs(part.tasks))
        scaling = self._scaling(question.numbers)
        labels = (labels - scaling[:, 0]) / scaling[:, 1]
        added = list(self.added)
        for name in dict.fromkeys(names):
            rows = np.array([other == name for other in names]) & np.isfinite(labels)
            n_rows = int(rows.sum())
            if not n_rows:
                raise ValueError(f"task {label_of(name)!r} has no label")
            offset = offsets.of_new(question.like.kind, outputs[rows], labels[rows])
            added.append(AddedTask(name, offset, n_rows, offsets.widening(n_rows)))
        return replace(self, added=tuple(added))

    def _labels(self, table: pd.DataFrame, question: Question) -> np.ndarray:
        """In the target's own unit, NaN where there is none, ``(N,)``."""
        if question.target not in table.columns:
            raise ValueError(f"the table lacks the target column {question.target!r}")
        return labels_of(table[question.target], question.like, self.form.table)

    def explain(
        self,
        table: pd.DataFrame | TaskSet,
        *,
        metric: str | None = None,
        repeats: int = 5,
        seed: int = 0,
    ) -> Explanation:
        """What each column tells the model: by how much the metric is worse without it.

        A column's values are exchanged between rows of one task, or between whole tasks where it is
        a fact of the task (:mod:`softshare.models.donors`); what every task's rows say is drawn
        together (:func:`~softshare.models.partial_pooling.pooled`).

        Args:
            table: labelled rows, or a raw task set whose inputs are vectors where the model learned
                from such; best ones that the model has not learned from: on its own training rows a
                model that knows them by heart seems to need every column.
            metric: the one to tell by, instead of each kind's own.
            repeats: how often each column's values are exchanged.
            seed: of the exchanges.

        Raises:
            ValueError: the model was not learned from such a table or such vectors, or the table
                lacks a column or has no label of a known task.
        """
        return explain(self, table, metric=metric, repeats=repeats, seed=seed)

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

    def export(
        self,
        path: str | Path,
        *,
        format: Format | None = None,
        task: TaskName | None = None,
    ) -> Path:
        """Write the model as one graph, which runs without this library; see
        :func:`softshare.models.export.write.export`.
        """
        return export(
            self,
            path,
            format=format,
            task=task,
        )

    def _content(self) -> dict[str, Any]:
        calibration = self.calibration
        return {
            "method": self.method.name,
            "settings": self.settings.as_json(),
            "form": form_as_json(self.form),
            "facts": self.facts,
            "calibration": None if calibration is None else calibration.state(),
            "learned": self.learned.state(),
            "added": state_of(list(self.added)),
            "probe": self._said_of_probes(),
        }

    def _said_of_probes(self) -> np.ndarray:
        """Outputs on made inputs, and how wide intervals are, ``(N,)``."""
        said = []
        for examples in probes(self.form):
            said.append(self._outputs(examples)[0].ravel())
        calibration = self.calibration
        if calibration is not None and calibration.intervals is not None:
            said.append(calibration.intervals.half_widths(np.arange(-1, len(self.form)), LEVEL))
        return np.concatenate(said).astype(np.float64)


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
        state = content.get("calibration")
        calibration = None if state is None else calibration_from(state)
        added = tuple(value_of(content["added"], {AddedTask.__name__: AddedTask}))
        model = Model(learned, method, settings, form, content["facts"], calibration, added)
        check_said(content["probe"], model._said_of_probes())
        return model
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RuntimeError) as error:
        told = f"{type(error).__name__}: {error}" if not isinstance(error, ValueError) else error
        raise ValueError(f"{path} is damaged, or not what it says: {told}") from error


def _parts_of(inputs: Any) -> Iterator[tuple[int, Any]]:
    """Some rows at a time, and where they begin: features of wide tables take much memory."""
    for begin in range(0, max(1, len(inputs)), ROWS_AT_ONCE):
        rows = slice(begin, begin + ROWS_AT_ONCE)
        yield begin, inputs.iloc[rows] if isinstance(inputs, pd.DataFrame) else inputs[rows]
