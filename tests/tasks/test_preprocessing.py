"""Inputs and targets as numbers: fitted on training rows, equal to scikit-learn's, kept as JSON."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from softshare.tasks.features import TableColumns, from_json
from softshare.tasks.preprocessing import prepare, target_scaling
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Scaled, Vectors
from tests.tasks.fitted import fitted_on

RANDOM = np.random.default_rng(0)


def table(n_rows: int = 60, *, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "age": random.normal(50, 10, n_rows),
            "visits": random.integers(0, 9, n_rows),
            "ward": random.choice(["a", "b", "c"], n_rows),
        }
    )
    frame.loc[random.random(n_rows) < 0.3, "age"] = np.nan
    frame["smoker"] = random.random(n_rows) < 0.5
    return frame


def of_frame(frame: pd.DataFrame) -> TaskSet:
    return TaskSet.from_shared_inputs(
        frame, {"y": np.random.default_rng(1).normal(size=len(frame))}
    )


def test_tables_become_what_scikit_learn_makes_of_them() -> None:
    training, later = table(seed=0), table(seed=1)
    numeric = ["age", "visits", "smoker"]
    oracle = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
            (
                "missing",
                make_pipeline(SimpleImputer(strategy="constant", fill_value=-1.0)),
                ["age"],
            ),
            ("texts", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["ward"]),
        ]
    ).fit(training.astype(dict.fromkeys(numeric, float)))
    fitted, _ = fitted_on(training)
    for rows in (training, later):
        expected = oracle.transform(rows.astype(dict.fromkeys(numeric, float)))
        expected[:, 3] = expected[:, 3] == -1  # the indicator
        np.testing.assert_allclose(fitted.transform(rows), expected, atol=1e-5)
    assert fitted.feature_names == (
        "age",
        "visits",
        "smoker",
        "age is missing",
        "ward = a",
        "ward = b",
        "ward = c",
    )


def test_only_training_rows_are_fitted_on() -> None:
    frame = table()
    tasks = of_frame(frame)
    divided = split(tasks, seed=0)
    later = np.concatenate([divided.validation, divided.test])
    changed = frame.copy()
    changed.loc[tasks.rows[later], ["age", "visits"]] += 1000.0
    changed.loc[tasks.rows[later], "ward"] = "never seen"
    first, second = prepare(tasks, divided)[0], prepare(of_frame(changed), divided)[0]
    assert first.preprocessing == second.preprocessing
    torch.testing.assert_close(first.examples(0), second.examples(0))


def test_training_features_have_mean_0_and_std_1() -> None:
    tasks = of_frame(table())
    inputs = prepare(tasks, split(tasks, seed=0))[0].examples(0)[0][:, :3].double()
    torch.testing.assert_close(inputs.mean(0), torch.zeros(3).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(
        inputs.std(0, correction=0), torch.ones(3).double(), atol=1e-6, rtol=0
    )


def test_a_category_that_training_does_not_have_is_all_zeros_and_so_is_a_missing_one() -> None:
    fitted, _ = fitted_on(pd.DataFrame({"c": ["x", "y", "x"], "n": [1.0, 2.0, 3.0]}))
    features = fitted.transform(pd.DataFrame({"n": [2.0, 2.0], "c": ["z", None], "more": [0, 0]}))
    assert features.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_missing_categories_have_a_feature_of_their_own() -> None:
    fitted, notes = fitted_on(pd.DataFrame({"c": ["x", None, "y", "x"]}))
    assert fitted.feature_names == ("c = x", "c = y", "c is missing")
    assert fitted.transform(pd.DataFrame({"c": [None, "y"]})).tolist() == [[0, 0, 1], [0, 1, 0]]
    assert notes == (
        "column 'c': 1 missing value(s) in the training rows have a feature of their own",
    )


def test_imputing_and_leaving_out_are_noted() -> None:
    fitted, notes = fitted_on(
        pd.DataFrame(
            {"a": [1.0, np.nan, 3.0, 4.0], "b": [7, 7, 7, 7], "c": ["u"] * 4, "d": [None] * 4}
        )
    )
    assert fitted.feature_names == ("a", "a is missing")
    assert notes == (
        "column 'b': one value only in the training rows, left out",
        "column 'c': one value only in the training rows, left out",
        "column 'a': 1 missing value(s) in the training rows filled with the median 3, and "
        "an indicator added",
    )


def test_a_table_without_any_information_is_refused() -> None:
    with pytest.raises(ValueError, match="no input column is left: 'a' have one value only"):
        fitted_on(pd.DataFrame({"a": [1, 1, 1]}))


def test_nullable_columns_are_numbers() -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "b": pd.array([True, None, False], dtype="boolean"),
        }
    )
    fitted, _ = fitted_on(frame)
    assert fitted.feature_names == ("i", "b", "i is missing", "b is missing")
    assert torch.isfinite(fitted.transform(frame)).all()


@pytest.mark.parametrize(
    "fitted",
    [fitted_on(table())[0], Vectors.fit(RANDOM.normal(size=(9, 3)), "abc"), Scaled(255.0)],
)
def test_what_was_fitted_survives_json(fitted: TableColumns | Vectors | Scaled) -> None:
    assert from_json(fitted.to_json()) == fitted


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"form": "os.system"}',
        '{"form": "Scaled", "divisor": "much"}',
        "{",
        '{"form": "Vectors", "names": 3}',
    ],
)
def test_damaged_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"form|damaged|Expecting"):
        from_json(text)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pd.DataFrame({"n": [1.0]}), "the table lacks the column.s. 'c'; it has n"),
        (
            pd.DataFrame({"n": ["much"], "c": ["x"]}),
            "column 'n' holds numbers, but 1 value.s. are not: 'much' in row 1",
        ),
        (pd.DataFrame({"n": [np.inf], "c": ["x"]}), "column 'n' has 1 infinite"),
    ],
)
def test_new_rows_of_another_form_are_refused(rows: pd.DataFrame, message: str) -> None:
    fitted, _ = fitted_on(pd.DataFrame({"c": ["x", "y"], "n": [1.0, 2.0]}))
    with pytest.raises(ValueError, match=message):
        fitted.transform(rows)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([np.inf, -np.inf] + [1.0] * 118, r"column 'bad' has 2 infinite value\(s\)"),
        ([[k] for k in range(120)], "column 'bad' holds lists or other objects.*drop 'bad'"),
    ],
)
def test_columns_that_cannot_be_inputs_are_refused(column: object, message: str) -> None:
    tasks = of_frame(pd.DataFrame({"x": RANDOM.normal(size=120), "bad": column}))
    with pytest.raises(ValueError, match=message):
        prepare(tasks, split(tasks, seed=0))


def test_many_categories_that_come_again_stand_for_what_the_targets_say_of_them() -> None:
    repeated = pd.DataFrame(
        {"c": [f"c {k % 60}" for k in range(120)], "d": [f"d {k % 50}" for k in range(120)]}
    )
    tasks = of_frame(repeated)
    divided = split(tasks, seed=0)
    train, _, _ = prepare(tasks, divided)
    names = train.preprocessing[0].feature_names
    assert names[-1] == "c, by y"
    assert len(names) == repeated["d"].iloc[divided.train].nunique() + 1


def test_vectors_are_standardised_by_training_rows_and_keep_their_width() -> None:
    inputs = RANDOM.normal(3, 2, size=(50, 4)).astype(np.float32)
    inputs[:, 2] = 5
    tasks = TaskSet.from_arrays({"a": (inputs, RANDOM.normal(size=50))})
    divided = split(tasks, seed=0)
    train, _, test = prepare(tasks, divided)
    oracle = StandardScaler().fit(inputs[divided.train])
    np.testing.assert_allclose(
        train.examples(0)[0], oracle.transform(inputs[divided.train]), atol=1e-5
    )
    np.testing.assert_allclose(
        test.examples(0)[0], oracle.transform(inputs[divided.test]), atol=1e-5
    )


def test_missing_numbers_in_vectors_are_filled_in_with_an_indicator() -> None:
    inputs = RANDOM.normal(size=(50, 2))
    inputs[::5, 1] = np.nan
    tasks = TaskSet.from_arrays({"a": (inputs, RANDOM.normal(size=50))})
    train, _, _ = tasks.split(seed=0)
    features = train.examples(0)[0]
    assert features.shape[1] == 3
    np.testing.assert_array_equal(features[:, 2], np.isnan(inputs[train.rows, 1]))
    with pytest.raises(ValueError, match=r"10 missing value.*standardise=True"):
        prepare(tasks, split(tasks, seed=0), standardise=False)


def test_values_far_beyond_those_of_training_stay_finite() -> None:
    fitted = Vectors.fit(np.array([[0.0], [1e-9]]), ["x"])
    assert torch.isfinite(fitted.transform([[1e15]])).all()
    with pytest.raises(ValueError, match=r"column 'x' has 1 infinite value.*1e\+18"):
        fitted.transform([[1e300]])


def test_vectors_can_be_left_as_they_are() -> None:
    tasks = TaskSet.from_arrays(
        {"a": (RANDOM.integers(0, 9, size=(50, 2)), RANDOM.normal(size=50))}
    )
    train, _, _ = prepare(tasks, split(tasks, seed=0), standardise=False)
    assert train.sources[0] is tasks.sources[0]


def test_infinite_vectors_are_refused_wherever_they_stand() -> None:
    inputs = RANDOM.normal(size=(50, 2))
    tasks = TaskSet.from_arrays({"a": (inputs, RANDOM.normal(size=50))})
    divided = split(tasks, seed=0)
    tasks.sources[0][divided.test[0], 1] = np.inf
    for standardise in (True, False):
        with pytest.raises(ValueError, match="column '1' has 1 infinite"):
            prepare(tasks, divided, standardise=standardise)


def test_images_of_bytes_are_divided_by_255_and_others_stay() -> None:
    images = RANDOM.integers(0, 256, size=(50, 3, 3), dtype=np.uint8)
    labels = {"y": np.arange(50) % 2}
    pixels, _, _ = TaskSet.from_shared_inputs(images, labels).split(seed=0)
    np.testing.assert_allclose(pixels.examples(0)[0], images[pixels.rows] / 255.0, atol=1e-6)
    floats = TaskSet.from_shared_inputs(images.astype(np.float32), labels)
    assert floats.split(seed=0)[0].sources[0] is floats.sources[0]


def test_prepared_inputs_are_not_prepared_again() -> None:
    tasks = replace(
        TaskSet.from_shared_inputs(RANDOM.random((50, 2)), {"y": np.arange(50) % 2}),
        preprocessing=(Scaled(16.0),),
    )
    train, _, _ = tasks.split(seed=0)
    assert train.sources[0] is tasks.sources[0]
    assert train.preprocessing == (Scaled(16.0),)


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=12), min_size=1, max_size=4),
    st.integers(0, 99),
)
def test_regression_targets_are_scaled_by_their_task_s_training_targets(
    values: list[list[float]], seed: int
) -> None:
    tasks = TaskSet.from_arrays(
        {f"t{k}": (np.zeros((len(v), 1)), v) for k, v in enumerate(values)}, kinds="regression"
    )
    tasks = replace(tasks, one_unit=False)
    divided = split(tasks, seed=seed)
    train, _, test = prepare(tasks, divided)
    assert train.target_scaling is not None
    mean, std = train.target_scaling.T
    raw_train, raw_test = tasks.select(divided.train), tasks.select(divided.test)
    for number in range(len(tasks)):
        own = raw_train.targets[raw_train.entries(number)]
        assert mean[number] == pytest.approx(own.mean(), abs=1e-6)
        assert std[number] == pytest.approx(own.std(), rel=1e-6, abs=1e-5) or std[number] == 1.0
        back = test.targets[test.entries(number)] * std[number] + mean[number]
        np.testing.assert_allclose(
            back, raw_test.targets[raw_test.entries(number)], rtol=1e-6, atol=1e-5
        )


def test_tasks_of_one_unit_are_scaled_together() -> None:
    random = np.random.default_rng(0)
    centres = np.repeat(random.normal(size=5), 12)
    tasks = TaskSet.from_task_column(
        np.zeros((60, 1)), 7 + 3 * (centres + random.normal(size=60)), np.repeat(list("abcde"), 12)
    )
    divided = split(tasks, seed=0)
    train, _, _ = prepare(tasks, divided)
    raw = tasks.targets[divided.train]
    np.testing.assert_allclose(train.target_scaling, [[raw.mean(), raw.std()]] * 5)
    np.testing.assert_allclose(train.targets, (raw - raw.mean()) / raw.std())


@pytest.mark.parametrize(
    ("second", "together"),
    [
        ([1.0, 3.0, 2.0, 4.0] * 5, True),
        ([100.0, 300.0, 200.0, 400.0] * 5, False),  # another spread
        ([101.0, 103.0, 102.0, 104.0] * 5, False),  # another place
    ],
)
def test_whether_arrays_have_one_unit_is_told_by_their_spread(
    second: list[float], together: bool
) -> None:
    first = [1.0, 2.0, 3.0, 4.0] * 5
    inputs = np.zeros((20, 1))
    data = {"a": (inputs, first), "b": (inputs, second)}
    tasks = TaskSet.from_arrays(data, kinds="regression")
    scaling = target_scaling(tasks, np.arange(40))
    assert (scaling[0] == scaling[1]).all() == together


@pytest.mark.parametrize("value", [0.0, 0.1, 1e9 / 3])
def test_equal_training_targets_are_only_centred(value: float) -> None:
    tasks = TaskSet.from_arrays({"t": (np.zeros((7, 1)), [value] * 7)}, kinds="regression")
    np.testing.assert_allclose(target_scaling(tasks, np.arange(7)), [[value, 1.0]])


def test_classes_are_not_scaled() -> None:
    tasks = TaskSet.from_arrays(
        {
            "a": (np.zeros((20, 1)), np.arange(20) % 2),
            "b": (np.zeros((20, 1)), np.linspace(0, 1, 20)),
        }
    )
    train, _, _ = tasks.split(seed=0)
    assert train.target_scaling is not None
    assert train.target_scaling[0].tolist() == [0, 1]
    assert set(train.targets[train.entries(0)]) == {0.0, 1.0}


def test_tasks_that_share_a_table_share_its_scaling_and_others_do_not() -> None:
    tasks = TaskSet.from_arrays(
        {
            "a": (table(), RANDOM.normal(size=60)),
            "b": (RANDOM.normal(size=(30, 2, 2)), RANDOM.normal(size=30)),
        }
    )
    train, _, _ = tasks.split(seed=0)
    assert isinstance(train.preprocessing[0], TableColumns)
    assert train.preprocessing[1] is None
    assert [train.input_shape(number) for number in range(2)] == [(7,), (2, 2)]


def test_large_arrays_are_scaled_as_small_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(0).normal(50, 9, (100, 3))
    rows[::9, 1] = np.nan
    tasks = TaskSet.from_arrays({"a": (rows, np.arange(100) % 2)})
    whole, *_ = tasks.split(seed=0)
    monkeypatch.setattr("softshare.tasks.preprocessing.ROWS_AT_ONCE", 7)
    monkeypatch.setattr("softshare.tasks.preprocessing.FITTED_AT_ONCE", 10)
    parts, *_ = tasks.split(seed=0)
    torch.testing.assert_close(parts.sources[0], whole.sources[0])
