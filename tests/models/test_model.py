"""A model's predictions, in own units, of rows as people have them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from sklearn.metrics import log_loss, mean_squared_error

from softshare.data.table import read_table
from softshare.models.learning import learn
from softshare.models.model import Model, load_model
from softshare.models.unfamiliar import absent_columns, unfamiliar
from softshare.report.model import show_model
from softshare.tasks.task_set import TaskSet
from tests.models.made_tables import FEW, model_of, schools


def test_predictions_are_in_the_targets_own_unit() -> None:
    table = schools()
    told = model_of("pooled-ridge").predict(table)["predicted score"]
    assert np.corrcoef(told, table["score"])[0, 1] > 0.9
    assert abs(told.mean() - table["score"].mean()) < 1.0


def test_rows_belong_to_tasks_by_name_and_columns_to_inputs_by_theirs() -> None:
    model = model_of("mixed-model")
    table = schools(seed=1)
    shuffled = table.sample(frac=1, random_state=0)[["home", "school", "age"]].assign(other=1)
    pd.testing.assert_frame_equal(model.predict(shuffled).loc[table.index], model.predict(table))


def test_names_of_tasks_may_have_blanks_around_them() -> None:
    model, table = model_of("pooled-ridge"), schools(seed=1)
    inputs = table.drop(columns="school")
    told = model.predict(inputs, tasks=[f" {name} " for name in table["school"]])
    pd.testing.assert_frame_equal(told, model.predict(table))


def test_probabilities_are_of_all_classes_and_add_up() -> None:
    told = model_of("pooled-ridge", "grade").predict(schools(seed=1))
    names = [f"P(grade = {name})" for name in ("high", "low", "middle")]
    assert np.allclose(told[names].sum(axis=1), 1)
    best = told[names].idxmax(axis=1).str.extract(r"= (\w+)\)")[0]
    assert (best == told["predicted grade"]).all()


def with_column(name: str, values: object, seed: int = 0) -> pd.DataFrame:
    return schools(seed=seed).drop(columns=["passed", "grade"]).assign(**{name: values})


def learned_from(table: pd.DataFrame) -> Model:
    return learn(read_table(table, task="school", target="score"), method="pooled-ridge")


N_ROWS = len(schools())
DAYS = pd.Series(
    pd.Timestamp("2020-01-01")
    + pd.to_timedelta(np.random.default_rng(0).integers(0, 400, N_ROWS), unit="D")
)


DAY_FIRST, YEAR_FIRST = "%d.%m.%Y", "%Y-%m-%d"


@pytest.mark.parametrize(
    ("learned", "handed_in"),
    [
        *(("typed", form) for form in ("digits", DAY_FIRST, YEAR_FIRST)),
        *((DAY_FIRST, form) for form in ("typed", YEAR_FIRST)),
        *(("digits", form) for form in ("typed", YEAR_FIRST)),
        (YEAR_FIRST, "typed"),
    ],
)
def test_dates_are_the_same_in_whatever_form_they_are_handed_in(
    learned: str, handed_in: str
) -> None:
    def in_form(form: str) -> pd.Series:
        if form == "digits":
            return DAYS.dt.strftime("%Y%m%d").astype(int)
        return DAYS if form == "typed" else DAYS.dt.strftime(form)

    model = learned_from(with_column("day", in_form(learned)))
    expected = model.predict(with_column("day", in_form(learned), seed=1))
    told = model.predict(with_column("day", in_form(handed_in), seed=1))
    pd.testing.assert_frame_equal(told, expected)


def test_dates_are_no_numbers_and_numbers_no_dates() -> None:
    numbers = np.random.default_rng(1).integers(12, 9000, N_ROWS)
    with pytest.raises(ValueError, match=r"'day' holds dates, such as 2020-.*none in training"):
        learned_from(with_column("day", numbers)).predict(with_column("day", DAYS))
    model = learned_from(with_column("day", DAYS))
    with pytest.raises(ValueError, match="'day' holds dates, but 60 value"):
        model.predict(with_column("day", numbers))
    unclear = ["3/4/2021", "5/6/2021"] * (N_ROWS // 2)
    with pytest.raises(ValueError, match=r"'day': dates such as '3/4/2021'.*year first"):
        model.predict(with_column("day", unclear))


def test_labels_of_new_rows_are_read_as_those_that_were_learned(tmp_path: Path) -> None:
    table = with_column("score", schools()["score"].where(schools().index % 20 > 0, -999))
    model = learned_from(table)
    model.save(tmp_path / "model")
    new = with_column("score", schools(seed=1)["score"], seed=1)
    expected = model.evaluate(new.drop(index=3))
    for each in (model, load_model(tmp_path / "model")):
        told = each.evaluate(new.assign(score=new["score"].where(new.index != 3, -999)))
        assert told.rows == expected.rows
    rounded = new.assign(score=new["score"].round(1))
    written = rounded.assign(score=[f"{score:.1f}00" for score in rounded["score"]])
    assert model.evaluate(written).rows == model.evaluate(rounded).rows
    with pytest.raises(ValueError, match=r"'score' holds numbers, but 1 value.*'12,5' in row 1"):
        model.evaluate(written.assign(score=["12,5", *written["score"][1:]]))


def test_a_task_that_was_not_learned_is_answered_or_refused() -> None:
    model = model_of("pooled-ridge")
    table = schools(seed=1).assign(school="school that is new")
    told = model.predict(table)
    assert not told["task is known"].any()
    assert told["predicted score"].notna().all()
    with pytest.raises(ValueError, match=r"60 row\(s\) are of tasks .* 'school that is new'"):
        model.predict(table, unknown_tasks="refuse")


def test_networks_say_of_a_task_that_is_new_what_they_say_of_the_others_in_the_mean() -> None:
    model = model_of("tied", base="none")
    table = schools(seed=1)
    new = model.predict(table.assign(school="new"))["predicted score"]
    others = [model.predict(table.assign(school=name)) for name in model.tasks]
    mean = np.mean([told["predicted score"] for told in others], axis=0)
    assert np.allclose(new, mean, atol=1e-4)


def test_several_targets_are_columns_side_by_side() -> None:
    tasks = read_table(schools(), target=["score", "passed"], drop=["school", "grade"])
    model = learn(tasks, method="independent", **FEW)
    told = model.predict(schools(seed=1))
    of_score = ["predicted score", "score from", "score to"]
    of_passed = ["predicted passed", "P(passed = no)", "P(passed = yes)"]
    assert list(told) == of_score + of_passed


def test_tasks_of_a_level_and_a_target_are_columns_too() -> None:
    tasks = read_table(schools(), task="school", target=["score", "passed"], drop=["grade"])
    model = learn(tasks, method="independent", **FEW)
    told = model.predict(schools(seed=1))
    assert {"predicted score", "predicted passed", "task is known"} <= set(told)
    with pytest.raises(ValueError, match="several targets nothing is common"):
        model.predict(schools(seed=1).assign(school="new"))


def test_arrays_are_predicted_with_the_names_of_their_tasks() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(40, 3))
    tasks = TaskSet.from_task_column(inputs, inputs @ [1.0, 2.0, 3.0], np.arange(40) % 2)
    model = learn(tasks, method="pooled-ridge")
    told = model.predict(inputs[:10], ["0", "1"] * 5)
    assert np.allclose(told["prediction"], inputs[:10] @ [1.0, 2.0, 3.0], atol=0.1)
    with pytest.raises(ValueError, match="name each row's task"):
        model.predict(inputs)
    with pytest.raises(ValueError, match="inputs must be rows of 3 features"):
        model.predict(inputs[:, :2], ["0"] * 40)


def test_arrays_are_refused_by_a_model_of_a_table() -> None:
    model = model_of("pooled-ridge")
    ages = np.ones((2, 1))
    for inputs in (ages, ages.tolist()):
        with pytest.raises(ValueError, match=r"data frame with the column\(s\) 'age', 'home'"):
            model.predict(inputs, ["school 0"] * 2)


def numbered_schools(seed: int = 0) -> pd.DataFrame:
    table = schools(seed=seed)
    return table.assign(school=table["school"].str.removeprefix("school ").astype(int))


def test_numbers_that_are_handed_in_name_tasks_as_those_of_a_table_do() -> None:
    others = ["passed", "grade"]
    tasks = read_table(numbered_schools(), task="school", target="score", drop=others)
    model = learn(tasks, method="pooled-ridge")
    new = numbered_schools(seed=1)
    told = model.predict(new)
    for names in (new["school"], new["school"].to_numpy(float), new["school"].tolist()):
        pd.testing.assert_frame_equal(model.predict(new, names), told)
    of_pairs = read_table(numbered_schools(), task=["school", "home"], target="score", drop=others)
    model = learn(of_pairs, method="ridge")
    pairs = list(zip(new["school"], new["home"], strict=True))
    pd.testing.assert_frame_equal(model.predict(new, pairs), model.predict(new))


def test_every_row_needs_the_name_of_its_task_and_no_more() -> None:
    model = model_of("pooled-ridge")
    rows = schools(seed=1)[:3]
    with pytest.raises(ValueError, match="tasks: 4 names for 3 rows"):
        model.predict(rows, ["school 0"] * 4)
    for nothing in (None, np.nan, pd.NA, ("school 0", None)):
        with pytest.raises(ValueError, match=r"tasks: 1 row\(s\) have no task, the first is row 2"):
            model.predict(rows, ["school 0", nothing, "school 1"])


def test_whole_numbers_name_the_same_task_with_and_without_a_fraction(tmp_path: Path) -> None:
    table = schools()
    table["school"] = table["school"].str.split().str[1].astype(float)
    table.to_csv(tmp_path / "pupils.csv", index=False)
    others = ["passed", "grade"]
    tasks = read_table(tmp_path / "pupils.csv", task="school", target="score", drop=others)
    model = learn(tasks, method="ridge")
    assert model.tasks[0] == "0.0"
    told = model.predict(table)
    assert told["task is known"].all()
    whole = model.predict(table.assign(school=table["school"].astype(int)))
    pd.testing.assert_frame_equal(whole, told)
    codes = model.predict(table.assign(school="00"))
    assert not codes["task is known"].any()


def test_evaluation_is_what_scikit_learn_says_of_the_predictions() -> None:
    new = schools(seed=1)
    model = model_of("mixed-model")
    told = model.predict(new)["predicted score"]
    for row in model.evaluate(new).rows:
        mine = new["school"] == row["task"]
        rmse = mean_squared_error(new["score"][mine], told[mine]) ** 0.5
        assert row["value"] == pytest.approx(rmse, rel=1e-5)
        assert row["interval"][0] < row["value"] < row["interval"][1]


def test_evaluation_leaves_out_targets_and_tasks_without_a_label() -> None:
    tasks = read_table(schools(), target=["score", "passed"], drop=["school", "grade"])
    model = learn(tasks, method="ridge")
    new = schools(seed=1)
    both = model.evaluate(new).rows
    assert [row["task"] for row in both] == ["score", "passed"]
    assert list(model.evaluate(new.assign(passed=None)).rows) == [both[0]]
    of_levels = read_table(schools(), task="school", target=["score", "passed"], drop=["grade"])
    model = learn(of_levels, method="ridge")
    gaps = new.assign(passed=None, score=new["score"].where(new["school"] == "school 0"))
    (row,) = model.evaluate(gaps).rows
    assert row["metrics"] == model.evaluate(new).rows[0]["metrics"]


def test_evaluation_leaves_out_a_new_task_without_a_label_and_refuses_a_table_without_any() -> None:
    model = model_of("pooled-ridge")
    new = schools(seed=1)
    gaps = new.assign(score=new["score"].where(new["school"] != "school 0"))
    renamed = gaps.assign(school=gaps["school"].replace("school 0", "new"))
    assert model.evaluate(renamed).rows == model.evaluate(gaps).rows
    with pytest.raises(ValueError, match=r"the table has no label, fill .* 'score'"):
        model.evaluate(new.assign(score=np.nan))


def test_labels_are_read_by_the_names_of_classes() -> None:
    new = schools(seed=1)
    model = model_of("pooled-ridge", "passed")
    told = model.predict(new)["P(passed = yes)"]
    rows = model.evaluate(new.assign(passed=new["passed"].str.upper()), metric="log_loss").rows
    for row in rows:
        mine = new["school"] == row["task"]
        truth = (new["passed"] == "yes")[mine]
        assert row["value"] == pytest.approx(log_loss(truth, told[mine], labels=[0, 1]), rel=1e-4)
    with pytest.raises(ValueError, match="classes that were not learned: 'perhaps'"):
        model.evaluate(new.assign(passed="perhaps"))


def test_truths_are_judged_as_numbers_where_these_were_learned() -> None:
    table, new = schools(), schools(seed=1)
    others = ["score", "grade"]
    truth = table.assign(passed=table["passed"] == "yes")
    tasks = read_table(truth, task="school", target="passed", drop=others, kinds="regression")
    model = learn(tasks, method="pooled-ridge")
    passed = new["passed"] == "yes"
    rows = model.evaluate(new.assign(passed=passed.astype(int))).rows
    for held in (bool, "boolean", "category"):
        assert model.evaluate(new.assign(passed=passed.astype(held))).rows == rows


def test_what_is_unfamiliar_is_told() -> None:
    form = model_of("pooled-ridge").form
    table = schools(seed=1).assign(extra=1)
    table.loc[:2, "home"] = "castle"
    lines = unfamiliar(form, table)
    assert "column 'home': 3 row(s) with categories that were not learned ('castle')" in lines[0]
    assert lines[1].startswith("not used: 'passed', 'grade', 'extra'")
    assert absent_columns(form, table.drop(columns=["age", "school"])) == ["school", "age"]


def test_given_test_rows_judge_and_never_train() -> None:
    table = schools(rows=20)
    table["part"] = np.tile(["train"] * 15 + ["test"] * 5, 5)
    others = ["passed", "grade"]
    tasks = read_table(table, task="school", target="score", drop=others, split="part")
    model = learn(tasks, method="pooled-ridge")
    assert model.facts["judged_on"] == "the test rows"
    assert [row["rows"] for row in model.facts["measures"]] == [5] * 5
    changed = table.copy()
    changed.loc[changed["part"] == "test", "score"] += 1e3
    other = read_table(changed, task="school", target="score", drop=others, split="part")
    pd.testing.assert_frame_equal(
        learn(other, method="pooled-ridge").predict(table), model.predict(table)
    )


def test_a_notebook_and_a_program_are_told_what_a_model_is() -> None:
    model = model_of("auto", preset="quick")
    html = model._repr_html_()
    assert "auto: 5 tasks, 60 rows" in html
    assert "The answer weighs" in html
    assert model.inspect()["tasks"][0] == {"task": "school 0", "rows": 12}


def test_tasks_of_several_kinds_are_weighed_kind_by_kind_and_shown_so(tmp_path: Path) -> None:
    tasks = read_table(schools(), target=["score", "passed"], drop=["school", "grade"])
    model = learn(tasks, preset="quick", **FEW)
    folder = model.save(tmp_path / "model")
    card = (folder / "README.md").read_text()
    assert "The answer for score weighs" in card
    console = Console(file=StringIO(), width=200)
    show_model(load_model(folder).inspect(), console)
    assert "the answer for passed weighs" in console.file.getvalue()


def test_a_method_that_does_not_suit_the_tasks_is_refused() -> None:
    tasks = read_table(schools(), target=["score", "passed"], drop=["school", "grade"])
    with pytest.raises(ValueError, match="method: pooled-ridge cannot apply to these"):
        learn(tasks, method="pooled-ridge")
    with pytest.raises(ValueError, match="no method 'tuckr'"):
        learn(tasks, method="tuckr")


def test_a_model_of_weighted_rows_predicts_without_weights_and_is_judged_by_them() -> None:
    random = np.random.default_rng(2)
    table = schools().assign(survey=random.integers(0, 4, size=60))
    roles = {"task": "school", "target": "score", "drop": ["passed", "grade"]}
    model = learn(read_table(table, **roles, weight="survey"), method="pooled-ridge", **FEW)
    new = schools(seed=1)
    told = model.predict(new)["predicted score"]
    assert not np.allclose(told, model_of("pooled-ridge").predict(new)["predicted score"])
    with pytest.raises(ValueError, match="the table lacks the weight column 'survey'"):
        model.evaluate(new)
    weights = random.integers(0, 4, size=60)
    (first, *_) = model.evaluate(new.assign(survey=weights)).rows
    own = (new["school"] == first["task"]).to_numpy()
    error = mean_squared_error(new["score"][own], told[own], sample_weight=weights[own])
    assert first["value"] == pytest.approx(np.sqrt(error))


@pytest.mark.parametrize("method", ["pooled-ridge", "tied"])
def test_a_row_of_weight_0_is_a_row_left_out(method: str) -> None:
    table = schools().assign(survey=np.arange(60) % 4)
    roles = {"task": "school", "target": "score", "drop": ["passed", "grade"], "weight": "survey"}
    without = table[table["survey"] > 0].reset_index(drop=True)
    models = [learn(read_table(rows, **roles), method=method, **FEW) for rows in (table, without)]
    told = [model.predict(schools(seed=1))["predicted score"] for model in models]
    np.testing.assert_array_equal(told[0], told[1])
