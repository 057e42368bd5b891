"""The choice of strengths against refits without the held-out rows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from softshare.shallow.cross_validation import cross_validated
from softshare.shallow.evgeniou_pontil import EvgeniouPontil
from softshare.shallow.linear_tasks import LinearTasks
from softshare.shallow.trace_norm import TraceNormLinear


def related_tasks(loss: str = "squared") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    task = np.repeat(np.arange(6), [6, 8, 10, 12, 14, 16])
    X = random.normal(size=(66, 5)) + 1
    coef = np.outer(random.normal(size=6), random.normal(size=5))
    outputs = np.einsum("nd,nd->n", X, coef[task]) + random.normal(size=66)
    return X, (outputs if loss == "squared" else outputs > 0), task


SETTINGS = [{"gamma": gamma} for gamma in (30.0, 3.0, 0.3)]


def refit_loss(model: LinearTasks, rows: tuple[np.ndarray, ...], fold: np.ndarray) -> float:
    """The mean loss on held-out rows of a fit to the others, by the public methods alone."""
    X, y, task = rows
    fitted = clone(model).fit(X[~fold], y[~fold], tasks=task[~fold])
    if model.loss == "squared":
        return float(((fitted.predict(X[fold], tasks=task[fold]) - y[fold]) ** 2).mean())
    probability = fitted.predict_proba(X[fold], tasks=task[fold])
    return float(-np.log(probability[np.arange(fold.sum()), y[fold].astype(int)]).mean())


@pytest.mark.parametrize("loss", ["squared", "logistic"])
def test_held_out_losses_are_those_of_refits(loss: str) -> None:
    X, y, task = related_tasks(loss)
    groups = np.arange(66) % 22  # each has rows of three tasks
    model = TraceNormLinear(loss=loss, tol=1e-10)
    found = cross_validated(model, X, y, tasks=task, groups=groups, settings=SETTINGS, n_folds=22)
    # Every group is a fold, in an order that was drawn: compare them sorted.
    for setting, losses in zip(SETTINGS, found.losses, strict=True):
        each = clone(model).set_params(**setting)
        refits = [refit_loss(each, (X, y, task), groups == group) for group in range(22)]
        # A task with one class is centred at the mean of the rows that are there: near, not equal.
        tolerance = 1e-4 if loss == "squared" else 0.05
        assert_allclose(np.sort(losses), np.sort(refits), rtol=tolerance)
    best = SETTINGS[int(found.losses.mean(axis=1).argmin())]
    assert found.setting == best
    assert_allclose(
        found.model.coef_, clone(model).set_params(**best).fit(X, y, tasks=task).coef_, atol=1e-6
    )
    assert not hasattr(model, "coef_")


def test_related_tasks_choose_to_be_related_and_noise_to_be_nothing() -> None:
    random = np.random.default_rng(0)
    X, _, task = related_tasks()
    common = X @ random.normal(size=5) * 2 + random.normal(size=66)
    settings = [
        {"lambda_1": own, "lambda_2": shared} for own in (1e4, 1.0) for shared in (1e4, 0.1)
    ]
    related = cross_validated(EvgeniouPontil(), X, common, tasks=task, settings=settings)
    assert related.setting == {"lambda_1": 1e4, "lambda_2": 0.1}
    noise = cross_validated(
        EvgeniouPontil(), X, random.normal(size=66), tasks=task, settings=settings
    )
    assert noise.setting == {"lambda_1": 1e4, "lambda_2": 1e4}


def test_a_row_of_several_columns_is_held_out_from_all() -> None:
    X, y, _ = related_tasks()
    # Two columns with the same targets: whoever trains on the other column would know them.
    Y = np.stack([y, y], axis=1)
    once = cross_validated(EvgeniouPontil(), X, Y, settings=[{"lambda_1": 1e6}], n_folds=66)
    single = EvgeniouPontil(1e6, 1.0)
    errors = []
    for row in range(66):
        rest = np.arange(66) != row
        predicted = clone(single).fit(X[rest], Y[rest]).predict(X[row : row + 1])
        errors.append(((predicted - Y[row]) ** 2).mean())
    assert_allclose(np.sort(once.losses[0]), np.sort(errors), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": []}, "settings: at least one"),
        ({"n_folds": 1}, "n_folds: at least 2"),
        ({"n_folds": 67}, "no more than the 66 rows or groups; got 67"),
    ],
)
def test_what_cannot_be_dealt_out_is_refused(change: dict, message: str) -> None:
    X, y, task = related_tasks()
    arguments = {"settings": SETTINGS, "tasks": task} | change
    with pytest.raises(ValueError, match=message):
        cross_validated(TraceNormLinear(), X, y, **arguments)
