"""What columns matter, where it is known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.models.learning import learn
from softshare.models.model import Model
from softshare.tasks.task_set import TaskSet


def shops(*, rows: int = 40, tasks: int = 8, seed: int = 0) -> pd.DataFrame:
    """Sales that a strong and a weak column tell, one that tells in the first shop alone, a fact
    of the shop, and one that tells nothing.
    """
    random = np.random.default_rng(seed)
    n_rows = rows * tasks
    shop = np.repeat(np.arange(tasks), rows)
    columns = ["strong", "weak", "first", "nothing"]
    table = pd.DataFrame(random.normal(size=(n_rows, 4)), columns=columns)
    table["size"] = np.repeat(np.arange(tasks) % 5, rows)
    table["shop"] = [f"shop {number}" for number in shop]
    table["sales"] = 3 * table["strong"] + table["weak"] + 0.3 * random.normal(size=n_rows)
    table["sales"] += 2 * table["first"] * (shop == 0) + 0.5 * table["size"]
    return table


def learned(method: str, table: pd.DataFrame) -> Model:
    return learn(read_table(table, task="shop", target="sales"), method=method)


def test_columns_stand_in_their_order_and_matter_to_whom_they_matter() -> None:
    model = learned("ridge", shops())
    told = model.explain(shops(seed=1))
    table = told.table.set_index("column")
    assert list(told.table["column"][:2]) == ["strong", "weak"]
    assert table.loc["strong", "matters"].startswith("to all")
    assert table.loc["first", "matters"] == "only to shop 0"
    assert table.loc["nothing", "matters"] == "not shown"
    assert (table["from"] <= table["importance"]).all()
    assert told.n_rows == 320
    assert len(told.tasks) == 8 * 5


def test_the_increase_is_that_of_an_independent_value() -> None:
    new = shops(rows=200, seed=1)
    told = learned("pooled-ridge", shops(rows=200)).explain(new, repeats=10)
    (strong,) = [row for row in told.rows if row.column == "strong"]
    task = {each.task: each for each in strong.tasks}["shop 3"]
    # E (y − ŷ)² grows by 2 · 3² · Var x where x is replaced by an independent one
    mine = new["shop"] == "shop 3"
    noise = 0.3**2 + 0.25**2  # and what the first shop's column does to the common coefficient
    expected = np.sqrt(noise + 2 * 9 * new["strong"][mine].var()) - np.sqrt(noise)
    assert task.importance == pytest.approx(expected, rel=0.1)
    assert task.interval[0] < expected < task.interval[1]


def test_a_column_that_the_model_does_not_use_matters_nothing() -> None:
    model = learned("pooled-ridge", shops())
    names = model.form.preprocessing[0].feature_names
    model.learned.fitted.estimator.coef_[:, names.index("nothing")] = 0.0
    (nothing,) = [row for row in model.explain(shops(seed=1)).rows if row.column == "nothing"]
    assert nothing.importance == 0.0
    assert nothing.interval == (0.0, 0.0)
    assert nothing.verdict == "not shown"


def test_facts_of_a_task_are_exchanged_among_tasks() -> None:
    told = learned("pooled-ridge", shops()).explain(shops(seed=1)).table.set_index("column")
    assert (told["exchanged"] == "among tasks").to_dict() == {
        name: name == "size" for name in told.index
    }
    assert told.loc["size", "from"] > 0


def test_classes_are_told_by_their_metric_and_order_of_rows_changes_little() -> None:
    def labelled(seed: int) -> pd.DataFrame:
        table = shops(seed=seed)
        return table.assign(sales=np.where(table["sales"] > 1, "high", "low"))

    model = learned("pooled-ridge", labelled(0))
    told = model.explain(labelled(1), repeats=3)
    assert told.rows[0].column == "strong"
    assert set(told.table["metric"]) == {"roc_auc"}
    assert 0.3 < told.rows[0].importance < 0.6
    by_loss = model.explain(labelled(1), metric="log_loss", repeats=3)
    assert set(by_loss.table["metric"]) == {"log_loss"}


def test_several_targets_are_tasks_of_the_same_rows() -> None:
    table = shops(rows=10).assign(costs=lambda each: -100 * each["weak"])
    tasks = read_table(table.drop(columns="shop"), target=["sales", "costs"])
    told = learn(tasks, method="ridge").explain(
        shops(rows=20, seed=1).assign(costs=lambda each: -100 * each["weak"])
    )
    by_task = told.tasks.set_index(["column", "task"])["importance"]
    # in standard deviations of each, as they have no unit in common
    assert by_task["weak", "costs"] == pytest.approx(np.sqrt(2), abs=0.2)
    assert by_task["strong", "sales"] > 1
    assert by_task["strong", "costs"] == pytest.approx(0, abs=0.05)


def test_tasks_that_came_later_are_told_of_too() -> None:
    later = shops(rows=20, seed=2)
    later["shop"] = "later " + later["shop"]
    told = learned("mixed-model", shops(rows=20)).add_tasks(later).explain(later, repeats=2)
    assert set(told.tasks["task"]) == set(later["shop"])
    assert told.rows[0].column == "strong"


def test_it_is_plain_values_and_a_table_in_notebooks() -> None:
    told = learned("pooled-ridge", shops(rows=10)).explain(shops(rows=4, seed=1), repeats=2)
    content = json.loads(json.dumps(told.as_json()))
    assert content["rows"] == 32
    assert content["columns"][0]["column"] == "strong"
    assert len(content["columns"][0]["tasks"]) == 8
    assert "<td>strong</td>" in told._repr_html_()


def test_rows_that_tell_nothing_are_refused_or_left_out() -> None:
    model = learned("pooled-ridge", shops(rows=10))
    with pytest.raises(ValueError, match="no labelled row of a task that was learned"):
        model.explain(shops().assign(shop="another"))
    with pytest.raises(ValueError, match="lacks the target column 'sales'"):
        model.explain(shops().drop(columns="sales"))
    with pytest.raises(ValueError, match="repeats: at least 2"):
        model.explain(shops(), repeats=1)
    single = shops(rows=2, seed=1).iloc[1:]
    (row,) = [each for each in model.explain(single).rows if each.column == "strong"]
    assert "shop 0" not in {each.task for each in row.tasks}
    arrays = TaskSet.from_task_column(np.eye(40)[:, :3], np.arange(40.0), np.arange(40) % 2)
    with pytest.raises(ValueError, match="not learned from a table"):
        learn(arrays, method="ridge").explain(shops())


def test_vectors_are_told_of_as_a_table_of_the_same_numbers_is() -> None:
    names = ["strong", "weak", "first", "nothing", "size"]
    old, new = shops(rows=20), shops(rows=20, seed=1)
    by_table = learned("ridge", old).explain(new).table.set_index("column")
    examples = [
        TaskSet.from_task_column(frame[names].to_numpy(), frame["sales"], frame["shop"])
        for frame in (old, new)
    ]
    by_vectors = learn(examples[0], method="ridge").explain(examples[1]).table
    numbered = by_vectors.assign(column=[names[int(name)] for name in by_vectors["column"]])
    told = numbered.set_index("column").loc[by_table.index]
    assert told["matters"].tolist() == by_table["matters"].tolist()
    np.testing.assert_allclose(told["importance"], by_table["importance"], rtol=1e-4, atol=1e-9)


def test_vectors_with_several_targets_and_classes_in_another_order() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(90, 2))
    signs = np.where(inputs[:, 0] > 0, "up", "down")
    model = learn(
        TaskSet.from_shared_inputs(inputs, {"a": signs, "b": inputs[:, 1]}), method="ridge"
    )
    told = model.explain(TaskSet.from_shared_inputs(inputs, {"b": inputs[:, 1], "a": signs}))
    matter = {(row.metric, row.column): row.importance for row in told.rows}
    metrics = {metric for metric, _ in matter}
    assert len(metrics) == 2
    for metric in metrics:
        wanted = 1 if "rmse" in metric else 0
        assert matter[metric, str(wanted)] > 0.3
        assert abs(matter[metric, str(1 - wanted)]) < 0.1
    odd = TaskSet.from_shared_inputs(inputs, {"a": np.where(signs == "up", "up", "left")})
    with pytest.raises(ValueError, match="task 'a' has classes that were not learned: 'left'"):
        model.explain(odd)
    with pytest.raises(ValueError, match="inputs must be rows of 2 features"):
        model.explain(TaskSet.from_shared_inputs(inputs[:, :1], {"a": signs}))
    with pytest.raises(ValueError, match="task 'b' is binary here, and regression in the model"):
        model.explain(TaskSet.from_shared_inputs(inputs, {"b": signs}))
