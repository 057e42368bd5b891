"""The forms in which data come, predictions, settings and paths, alike for all methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier, is_regressor
from sklearn.model_selection import cross_val_score

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.go_mtl import GOMTL
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear

METHODS = [EvgeniouPontil(), GOMTL(), L21(), MTFL(), MTRL(), RMTL(), TraceNormLinear()]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


def columns(n_rows: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Three tasks of the same rows, a third of whose labels are missing."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n_rows, 4)) + 1
    Y = X @ random.normal(size=(4, 3)) + random.normal(size=(n_rows, 3))
    Y[random.random(Y.shape) < 1 / 3] = np.nan
    return X, Y


def as_long(X: np.ndarray, Y: np.ndarray, names: list[Any]) -> tuple[Any, Any, list[Any]]:
    row, column = np.nonzero(~np.isnan(Y))
    return X[row], Y[row, column], [names[index] for index in column]


@every_method
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_both_forms_are_the_same_problem(method: LinearTasks, loss: str) -> None:
    X, Y = columns()
    if loss == "logistic":
        Y = np.where(np.isnan(Y), np.nan, np.nanmedian(Y) < Y)
    method = sklearn.clone(method).set_params(loss=loss, tol=1e-9)
    names = [("north", 1), ("south", 2), ("west", 0)]
    long_X, long_y, tasks = as_long(X, Y, names)
    order = np.random.default_rng(1).permutation(len(long_y))

    wide = sklearn.clone(method).fit(X, Y)
    tall = method.fit(long_X[order], long_y[order], tasks=[tasks[index] for index in order])
    assert tall.tasks_ == names
    assert wide.tasks_ == [0, 1, 2]
    assert_allclose(wide.coef_, tall.coef_, atol=1e-4)
    for index, name in enumerate(names):
        assert_allclose(
            wide.predict(X)[:, index], tall.predict(X, tasks=[name] * len(X)), atol=1e-3
        )
    assert wide.predict(X).shape == (40, 3)
    assert wide.predict(X, tasks=[2] * len(X)).shape == (40,)


def test_data_frames_name_tasks_and_features() -> None:
    X, Y = columns()
    inputs = pd.DataFrame(X, columns=["age", "visits", "dose", "weight"])
    targets = pd.DataFrame(Y, columns=["pain", "sleep", "mood"])
    model = L21(0.1).fit(inputs, targets)
    assert model.tasks_ == ["pain", "sleep", "mood"]
    assert model.feature_names_in_.tolist() == inputs.columns.tolist()
    alone = model.predict(inputs, tasks=pd.Series(["mood"] * len(inputs)))
    assert_allclose(alone, model.predict(inputs)[:, 2])


def test_a_classifier_gives_classes_and_probabilities() -> None:
    X, Y = columns()
    long_X, y, tasks = as_long(X, Y, ["a", "b", "c"])
    labels = np.where(y > 0, "yes", "no")
    model = MTRL(loss="logistic").fit(long_X, labels, tasks=tasks)
    assert is_classifier(model)
    assert is_regressor(MTRL())
    assert not hasattr(MTRL(), "predict_proba")
    assert model.classes_.tolist() == ["no", "yes"]

    probability = model.predict_proba(long_X, tasks=tasks)
    log_odds = model.decision_function(long_X, tasks=tasks)
    assert_allclose(probability.sum(axis=1), 1)
    assert_allclose(np.log(probability[:, 1] / probability[:, 0]), log_odds)
    assert_array_equal(model.predict(long_X, tasks=tasks) == "yes", log_odds > 0)
    right = (model.predict(long_X, tasks=tasks) == labels).mean()
    assert model.score(long_X, labels, tasks=tasks) == pytest.approx(right)


def test_a_task_that_saw_one_class_keeps_a_finite_intercept() -> None:
    X, Y = columns()
    long_X, y, tasks = as_long(X, Y, ["a", "b", "c"])
    labels = (y > 0) | (np.array(tasks) == "b")
    model = TraceNormLinear(1.0, loss="logistic").fit(long_X, labels, tasks=tasks)
    n_rows = tasks.count("b")
    at_the_mean = model.coef_[1] @ long_X.mean(axis=0) + model.intercept_[1]
    assert at_the_mean == pytest.approx(np.log((n_rows + 0.5) / 0.5))
    assert model.optimality_ <= 1e-6


@every_method
def test_an_unseen_task_is_named(method: LinearTasks) -> None:
    X, Y = columns()
    model = sklearn.clone(method).fit(X, Y)
    with pytest.raises(ValueError, match=r"'elsewhere' had no rows in fit, and .* its 3"):
        model.predict(X[:2], tasks=[0, "elsewhere"])


def test_an_unseen_task_can_have_the_common_part() -> None:
    X, Y = columns()
    model = EvgeniouPontil(unseen="common").fit(X, Y)
    expected = X @ model.common_coef_ + model.intercept_.mean()
    assert_allclose(model.predict(X, tasks=["elsewhere"] * len(X)), expected)
    mixed = model.predict(X[:2], tasks=[1, "elsewhere"])
    assert_allclose(mixed, [model.predict(X)[0, 1], expected[1]])


def test_rows_of_several_tasks_need_their_names_in_predict() -> None:
    X, Y = columns()
    long_X, y, tasks = as_long(X, Y, ["a", "b", "c"])
    model = MTFL().fit(long_X, y, tasks=tasks)
    with pytest.raises(ValueError, match="fitted on rows of 3 tasks; name each row's task"):
        model.predict(X)
    assert MTFL().fit(long_X, y, tasks=["a"] * len(y)).predict(X).shape == (40,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ["a"]}, "tasks: one name for each row of X; got 1 names for 40 rows"),
        ({"y": np.ones((40, 2)), "tasks": ["a"] * 40}, r"y: one target a row beside tasks"),
        ({"y": np.full(40, np.nan), "tasks": ["a"] * 40}, "Input y contains NaN"),
        ({"y": np.array([[1, np.nan]] * 40)}, "y: column 1 has no label"),
    ],
)
def test_data_that_do_not_fit_are_refused(change: dict[str, Any], message: str) -> None:
    arguments = {"X": np.ones((40, 3)), "y": np.ones(40)} | change
    with pytest.raises(ValueError, match=message):
        L21().fit(**arguments)


def test_all_settings_out_of_range_are_named_together() -> None:
    X, Y = columns()
    wrong = MTRL(-1.0, float("nan"), loss="hinge", tol=0, max_iter=0)
    with pytest.raises(ValueError, match=r"MTRL: lambda_1 .* got -1.0; lambda_2 .*; loss .*; tol"):
        wrong.fit(X, Y)
    with pytest.raises(ValueError, match="alpha and beta are above 0"):
        RMTL(0.0).fit(X, Y)
    with pytest.raises(ValueError, match="mu and lam are above 0"):
        GOMTL(mu=0).fit(X, Y)
    with pytest.raises(ValueError, match='unseen: one of "error" and "common"'):
        EvgeniouPontil(unseen="mean").fit(X, Y)


@every_method
@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_a_path_ends_where_single_fits_do(method: LinearTasks, loss: str) -> None:
    X, Y = columns()
    if loss == "logistic":
        Y = np.where(np.isnan(Y), np.nan, np.nanmedian(Y) < Y)
    method = sklearn.clone(method).set_params(loss=loss)
    name = next(iter(method._strengths()))
    settings = [{name: strength} for strength in (8.0, 2.0, 0.5)]
    models = method.path(X, Y, settings)
    assert [model.get_params()[name] for model in models] == [8.0, 2.0, 0.5]
    if not isinstance(method, GOMTL):  # which may end elsewhere
        for model, setting in zip(models, settings, strict=True):
            single = sklearn.clone(method).set_params(**setting).fit(X, Y)
            assert_allclose(model.coef_, single.coef_, atol=2e-3)
    assert not hasattr(method, "coef_")


@pytest.mark.parametrize("method", [L21(0.7), RMTL(), TraceNormLinear()], ids=repr)
def test_a_warm_start_saves_steps(method: LinearTasks) -> None:
    X, Y = columns()
    model = sklearn.clone(method).set_params(warm_start=True).fit(X, Y)
    cold = model.n_iter_
    assert model.fit(X, Y).n_iter_ == 1 < cold
    model.fit(X[:, :3], Y)  # other features: from zero
    assert model.coef_.shape == (3, 3)


def test_a_robust_model_names_its_outlier() -> None:
    random = np.random.default_rng(0)
    coef = np.outer(random.normal(size=8) + 2, random.normal(size=6))
    coef[3] = random.normal(size=6) * 3
    task = np.repeat(np.arange(8), 30)
    X = random.normal(size=(240, 6))
    y = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=240) * 0.5
    names = np.array(list("abcdefgh"))[task]
    model = RMTL(20.0, 15.0).fit(X, y, tasks=names)
    assert model.outlier_tasks_ == ["d"]
    assert_allclose(model.low_rank_coef_ + model.outlier_coef_, model.coef_)
    assert len(model.basis_) <= 2


def test_covariances_are_roots_of_unit_trace() -> None:
    X, Y = columns()
    tasks = MTRL().fit(X, Y)
    features = MTFL().fit(X, Y)
    for covariance, weights in (
        (tasks.task_covariance_, tasks.coef_),
        (features.feature_covariance_, features.coef_.T),
    ):
        scale = np.linalg.norm(weights, "nuc")
        assert np.trace(covariance) == pytest.approx(1)
        assert_allclose(covariance @ covariance * scale**2, weights @ weights.T, atol=1e-9)
    used = features.basis_ @ features.feature_covariance_ @ features.basis_.T
    assert_allclose(used, np.diag(np.diag(used)), atol=1e-9)


def test_scikit_learn_routes_tasks() -> None:
    X, Y = columns()
    long_X, y, tasks = as_long(X, Y, ["a", "b", "c"])
    with sklearn.config_context(enable_metadata_routing=True):
        model = EvgeniouPontil().set_fit_request(tasks=True).set_score_request(tasks=True)
        scores = cross_val_score(model, long_X, y, params={"tasks": np.array(tasks)}, cv=3)
    assert scores.shape == (3,)
    assert (scores > 0).all()
