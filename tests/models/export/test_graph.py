"""Whole models as graphs: units, tasks that are none, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.models.calibration import Calibration
from softshare.models.export.graph import graph_of
from softshare.models.export.inputs import description_of, graph_inputs
from softshare.models.export.refusal import NotExportableError
from softshare.models.learning import learn
from softshare.models.model import load_model
from softshare.models.probabilities import Line
from tests.models.export.graphs import check_is_a_graph, numbers_in, said_by_graph
from tests.models.made_tables import model_of, schools


def test_rows_of_no_task_have_no_prediction() -> None:
    model = model_of("ridge")
    rows = schools(seed=1)
    names = rows["school"].tolist()
    names[4] = "school that is new"
    said = said_by_graph(model, rows, names)
    assert np.isnan(said[4])
    assert np.isfinite(np.delete(said, 4)).all()


def test_calibrated_probabilities() -> None:
    model = model_of("pooled-ridge", "passed")
    line = Line(2.0, 0.3, np.arange(5) / 5)
    model = replace(model, calibration=Calibration(None, {"binary": line}, {}))
    rows = schools(seed=1)
    check_is_a_graph(model, rows, model.predict(rows))


@pytest.mark.parametrize("method", ["ridge", "tensor-train"])
def test_targets_in_columns_of_one_table_are_tasks(method: str, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(60, 3)), columns=["x", "y", "z"])
    frame["one"] = 5 * frame["x"] + 100
    frame["two"] = frame["y"] - frame["x"]
    tasks = read_table(frame, target=["one", "two"])
    model = learn(tasks, method=method, steps=5, hidden=(4,))
    told = model.predict(frame)
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load_model(tmp_path / "model").predict(frame), told)
    for target in ("one", "two"):
        wanted = told[f"predicted {target}"]
        for task, names in ((target, ()), (None, [target] * 60)):
            said = said_by_graph(model, frame, names, task=task)
            np.testing.assert_allclose(said, wanted, rtol=1e-9 if method == "ridge" else 1e-5)


def test_tasks_of_different_kinds_are_graphs_of_their_own() -> None:
    frame = schools().drop(columns=["school", "grade"])
    model = learn(
        read_table(frame, target=["score", "passed"]), method="independent", steps=5, hidden=(4,)
    )
    with pytest.raises(NotExportableError, match="differ in what they predict"):
        graph_of(model)
    told = model.predict(frame)
    said = said_by_graph(model, frame, task="score")
    np.testing.assert_allclose(said, told["predicted score"], rtol=1e-5)
    said = said_by_graph(model, frame, task="passed")
    np.testing.assert_allclose(said, told.filter(like="P(").to_numpy(), atol=1e-5)


def test_a_task_that_was_added_or_is_none_is_refused_by_name() -> None:
    model = model_of("pooled-ridge")
    new = schools(seed=3).head(8).assign(school="a later school")
    later = model.add_tasks(new)
    with pytest.raises(NotExportableError, match="'a later school' was added"):
        graph_of(later, "a later school")
    with pytest.raises(KeyError, match="no task 'nowhere'"):
        graph_of(model, "nowhere")
    rows = schools(seed=1)
    np.testing.assert_allclose(
        said_by_graph(later, rows, rows["school"].tolist()), numbers_in(model.predict(rows))
    )


def test_what_has_no_form_as_a_graph_is_named() -> None:
    model = model_of("ridge")
    fitted = replace(model.learned.fitted, estimator=Line(1.0, 0.0, np.zeros(1)))
    other = replace(model, learned=replace(model.learned, fitted=fitted))
    with pytest.raises(NotExportableError, match=r"^ridge: Line has no form as a graph"):
        graph_of(other)


def test_a_description_tells_all_that_a_caller_needs() -> None:
    told = description_of(model_of("ridge", "grade"))
    assert told["tasks"] == [f"school {number}" for number in range(5)]
    assert told["inputs"]["task"]["type"] == "int64"
    (age,) = told["inputs"]["numbers"]["columns"]
    assert (age["name"], age["value"]) == ("age", "as it stands")
    (home,) = told["inputs"]["categories"]["columns"]
    assert home == {"name": "home", "codes": ["town", "village"]}
    assert told["outputs"]["probabilities"]["classes"] == ["high", "low", "middle"]


def test_rows_of_another_form_are_refused() -> None:
    model = model_of("ridge")
    rows = schools(seed=1)
    with pytest.raises(ValueError, match="from a table, not from arrays"):
        graph_inputs(model, np.zeros((3, 2)), ["north"] * 3)
    with pytest.raises(ValueError, match="name each row's task"):
        graph_inputs(model, np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"lacks the column\(s\) 'home'"):
        graph_inputs(model, rows.drop(columns="home"))
