"""What fitted linear models predict, and of which tasks."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import is_classifier, is_regressor

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
