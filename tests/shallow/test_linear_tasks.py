"""The forms in which data come, predictions, settings and paths, alike for all methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_allclose
from sklearn.model_selection import cross_val_score

from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.go_mtl import GOMTL
from softshare.shallow.l21 import L21
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.mtfl import MTFL
from softshare.shallow.mtrl import MTRL
from softshare.shallow.rmtl import RMTL
from softshare.shallow.trace_norm import TraceNormLinear
from tests.shallow.columns_of_tasks import as_long, columns

METHODS = [EvgeniouPontil(), GOMTL(), L21(), MTFL(), MTRL(), RMTL(), TraceNormLinear()]
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)


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
