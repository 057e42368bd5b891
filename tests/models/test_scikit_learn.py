"""Methods as scikit-learn's estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import softshare as ss
from softshare.models.scikit_learn import MultiTaskClassifier, MultiTaskRegressor
from tests.models.made_tables import FEW, schools

WHY = "a row of weight 2 is held out once, two equal rows perhaps apart: folds choose otherwise"


@parametrize_with_checks(
    [MultiTaskRegressor("ridge"), MultiTaskClassifier("ridge")],
    expected_failed_checks=lambda _: {"check_sample_weight_equivalence_on_dense_data": WHY},
)
def test_what_scikit_learn_asks_of_estimators(estimator, check) -> None:
    check(estimator)


def test_a_frame_with_a_task_column() -> None:
    table = schools(rows=30)
    inputs = table[["school", "age", "home"]]
    regressor = MultiTaskRegressor("pooled-ridge", task="school").fit(inputs, table["score"])
    assert regressor.score(inputs, table["score"]) > 0.8
    classifier = MultiTaskClassifier("pooled-ridge", task="school").fit(inputs, table["grade"])
    assert list(classifier.classes_) == ["high", "low", "middle"]
    told = classifier.predict_proba(inputs)
    assert np.allclose(told.sum(axis=1), 1)
    assert (classifier.classes_[told.argmax(axis=1)] == classifier.predict(inputs)).all()
    assert classifier.score(inputs, table["grade"]) > 0.6


def test_tasks_are_numbers_perhaps_and_every_row_has_one() -> None:
    random = np.random.default_rng(0)
    inputs, task = random.normal(size=(40, 2)), np.arange(40) % 2
    regressor = MultiTaskRegressor("pooled-ridge")
    fitted = regressor.fit(inputs, inputs[:, 0] + task, tasks=task.astype(float))
    assert fitted.model_.tasks == ("0", "1")
    told = fitted.predict(inputs, tasks=task)
    np.testing.assert_array_equal(told, fitted.predict(inputs, tasks=task.astype(str)))
    gap = [None, *task[1:]]
    for ask in (fitted.predict, lambda rows, tasks: regressor.fit(rows, task, tasks)):
        with pytest.raises(ValueError, match=r"tasks: 1 row\(s\) have no task"):
            ask(inputs, tasks=gap)
    frame = pd.DataFrame({"t": gap, "x": inputs[:, 0]})
    fitted = MultiTaskRegressor("ridge", task="t").fit(frame[1:], task[1:] + inputs[1:, 1])
    with pytest.raises(ValueError, match=r"tasks: 1 row\(s\) have no task"):
        fitted.predict(frame)


def test_targets_side_by_side_with_gaps() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(60, 3))
    targets = inputs @ random.normal(size=(3, 2))
    targets[::3, 0] = np.nan
    told = MultiTaskRegressor("ridge").fit(inputs, targets)
    assert told.predict(inputs).shape == (60, 2)
    assert told.score(inputs, targets) > 0.95
    signs = np.where(np.isnan(targets), None, np.where(targets > 0, "up", "down")).astype(object)
    classifier = MultiTaskClassifier("ridge").fit(inputs, signs)
    assert [part.shape for part in classifier.predict_proba(inputs)] == [(60, 2), (60, 2)]
    assert classifier.score(inputs, signs) > 0.9


def test_classes_of_several_types_are_scored_column_by_column() -> None:
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    up, right = inputs.T > 0
    sides = pd.DataFrame({"text": np.where(up, "up", "down"), "number": right.astype(int)})
    told = MultiTaskClassifier("ridge").fit(inputs, sides)
    found = told.predict(inputs)
    rights = [(found[:, 0] == sides["text"]).mean(), (found[:, 1] == sides["number"]).mean()]
    assert told.score(inputs, sides) == pytest.approx(np.mean(rights))
    assert told.score(inputs, sides.to_numpy()) == told.score(inputs, sides)
    numbers = pd.DataFrame({"up": up, "right": right}).astype("Int64")
    numbers.loc[3, "up"] = pd.NA
    assert MultiTaskClassifier("ridge").fit(inputs, numbers).score(inputs, numbers) > 0.9


@pytest.mark.parametrize("dtype", ["boolean", object])
def test_truths_may_have_gaps(dtype: object) -> None:
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    truth = pd.Series(inputs[:, 0] > 0, dtype=dtype)
    truth[4] = None
    classifier = MultiTaskClassifier("ridge").fit(inputs, truth)
    assert classifier.classes_.tolist() == [False, True]
    assert classifier.predict(inputs).dtype == bool
    assert classifier.score(inputs, truth) > 0.9


def test_a_column_without_labels_is_not_scored() -> None:
    inputs = np.random.default_rng(0).normal(size=(60, 2))
    targets = pd.DataFrame(inputs @ np.ones((2, 2)), columns=["a", "b"])
    regressor = MultiTaskRegressor("ridge").fit(inputs, targets)
    gone = targets.assign(b=np.nan)
    columns = regressor.predict(inputs)
    assert regressor.score(inputs, gone) == pytest.approx(r2_score(targets["a"], columns[:, 0]))
    with pytest.raises(ValueError, match="y has no label, so that there is nothing to score"):
        regressor.score(inputs, gone.assign(a=np.nan))
    with pytest.raises(ValueError, match=r"y has 1 column\(s\), and the model 2 targets"):
        regressor.score(inputs, targets["a"])
    classifier = MultiTaskClassifier("ridge").fit(inputs, targets > 0)
    assert classifier.score(inputs, (targets > 0).assign(b=np.nan)) > 0.9


def test_a_column_of_labels_keeps_its_name() -> None:
    table = schools()
    inputs = table[["school", "age"]]
    told = MultiTaskRegressor("ridge", task="school").fit(inputs, table["score"])
    assert told.target_names_ == ["score"]
    assert len(told.model_.evaluate(table).rows) == 5
    told = MultiTaskRegressor("ridge").fit(inputs[["age"]], table["score"])
    assert told.model_.tasks == ("score",)
    unnamed = MultiTaskRegressor("ridge").fit(inputs[["age"]], table["score"].rename(None))
    assert unnamed.model_.tasks == ("0",)


@pytest.mark.parametrize(
    ("no", "yes", "texts"),
    [("no", "yes", ("no", "yes")), (3.0, 7.0, ("3", "7")), (False, True, ("False", "True"))],
)
def test_the_model_says_the_classes_of_y(no: object, yes: object, texts: tuple[str, str]) -> None:
    """A kept model gives the labels that it was learned from, and reads them again."""
    table = schools(rows=30)
    inputs = table[["school", "age", "home"]]
    is_high = table["score"] > table["score"].median()
    truths = pd.Series([yes if high else no for high in is_high], name="passed")
    fitted = MultiTaskClassifier("pooled-ridge", task="school").fit(inputs, truths)
    assert fitted.model_.form.tasks[0].classes == texts
    said = fitted.model_.predict(inputs)["predicted passed"]
    of_text = dict(zip(texts, (no, yes), strict=True))
    assert [of_text[text] for text in said] == fitted.predict(inputs).tolist()
    judged = fitted.model_.evaluate(inputs.assign(passed=truths), metric="accuracy")
    right = fitted.predict(inputs) == truths
    assert judged.table["value"].tolist() == pytest.approx(right.groupby(inputs["school"]).mean())


def test_the_model_says_the_classes_of_every_column_of_y() -> None:
    inputs = np.random.default_rng(0).normal(size=(60, 3))
    targets = np.where(inputs[:, :2] > 0, [["up", "on"]], [["down", "off"]]).astype(object)
    fitted = MultiTaskClassifier("ridge").fit(inputs, targets)
    assert [task.classes for task in fitted.model_.form.tasks] == [("down", "up"), ("off", "on")]


def test_a_sharing_of_ones_own() -> None:
    table = schools()
    inputs = table[["school", "age"]]
    sharing = ss.Tied() + ss.Independent()
    told = MultiTaskRegressor(task="school", sharing=sharing, **FEW).fit(inputs, table["score"])
    layers = told.model_.facts["sharing"]["layers"]
    assert layers["layers.0"]["sharing"] == "Sum"
    assert clone(told).sharing == sharing


def test_arrays_are_refused_where_a_frame_was_learned_from() -> None:
    table = schools()
    told = MultiTaskRegressor("ridge").fit(table[["age"]], table["score"])
    with (
        pytest.warns(UserWarning, match="does not have valid feature names"),
        pytest.raises(ValueError, match=r"data frame with the column\(s\) 'age'"),
    ):
        told.predict(table[["age"]].to_numpy())


def test_cross_validation_by_a_task_column() -> None:
    table = schools(rows=30)
    regressor = MultiTaskRegressor("pooled-ridge", task="school")
    folds = KFold(3, shuffle=True, random_state=0)
    told = cross_val_predict(regressor, table[["school", "age"]], table["score"], cv=folds)
    assert np.corrcoef(told, table["score"])[0, 1] > 0.8


def test_tasks_are_routed_through_pipelines_and_searches() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(80, 3))
    task = np.repeat(["a", "b"], 40)
    target = inputs @ [1.0, 2.0, 0.5] + (task == "a")
    with sklearn.config_context(enable_metadata_routing=True):
        regressor = MultiTaskRegressor("pooled-ridge")
        asked = regressor.set_fit_request(tasks=True).set_predict_request(tasks=True)
        asked = asked.set_score_request(tasks=True)
        line = make_pipeline(StandardScaler(), asked)
        grid = {"multitaskregressor__method": ["ridge", "pooled-ridge"]}
        found = GridSearchCV(line, grid, cv=3).fit(inputs, target, tasks=task)
        assert found.best_params_["multitaskregressor__method"] in grid[next(iter(grid))]


def test_rows_count_as_much_as_their_weights() -> None:
    table = schools(rows=20)
    weights = np.random.default_rng(0).uniform(0.5, 2, len(table))
    weights[::4] = 0.0
    wrong = table["score"].where(weights > 0, -1e6)
    inputs = table[["school", "age"]]
    regressor = MultiTaskRegressor("pooled-ridge", task="school")
    told = regressor.fit(inputs, wrong, sample_weight=weights).predict(inputs)
    some = weights > 0
    known = regressor.fit(inputs[some], wrong[some], sample_weight=weights[some])
    np.testing.assert_allclose(told, known.predict(inputs))
    same = regressor.fit(inputs[some], wrong[some]).predict(inputs)
    assert np.abs(told - same).max() > 1e-3
    side_by_side = table[["age"]].assign(other=weights)
    classes = table[["grade", "passed"]]
    with sklearn.config_context(enable_metadata_routing=True):
        asked = MultiTaskClassifier("ridge").set_fit_request(sample_weight=True)
        found = cross_val_predict(asked, side_by_side, classes, params={"sample_weight": weights})
    assert found.shape == (len(table), 2)


def test_what_is_wrong_is_told() -> None:
    table = schools()
    with pytest.raises(ValueError, match="X has no column 'shool'"):
        MultiTaskRegressor("ridge", task="shool").fit(table[["school", "age"]], table["score"])
    with pytest.raises(ValueError, match="task names a column of a data frame"):
        MultiTaskRegressor("ridge", task="school").fit(np.ones((4, 2)), np.ones(4))
    with pytest.raises(ValueError, match=r"linear-mtrl cannot apply .*weights"):
        MultiTaskRegressor("linear-mtrl").fit(
            np.ones((4, 2)), np.arange(4), list("aabb"), [1.0] * 4
        )
    fitted = MultiTaskRegressor("ridge").fit(np.ones((8, 1)), np.arange(8), tasks=list("aabbccdd"))
    with pytest.raises(ValueError, match="name each row's task"):
        fitted.predict(np.ones((8, 1)))
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    with pytest.raises(ValueError, match="feature names"):
        MultiTaskRegressor("ridge", task="t").fit(
            pd.DataFrame({"t": list("aabb"), "y": range(4)}), range(4)
        ).predict(frame)
