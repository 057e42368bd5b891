"""Weights in a run: of training and metrics; balanced classes are of training alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from softshare.evaluation.compare import compare
from softshare.evaluation.jobs.run import measure, run
from softshare.evaluation.resampling import resampled_metrics
from softshare.methods import training
from softshare.methods.contestants import Contestant
from softshare.methods.settings import RunSettings
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

SETTINGS = {"source": "made", "method": "pooled-ridge", "fraction": 1.0, "seed": 0}
RANDOM = np.random.default_rng(0)
INPUTS = RANDOM.normal(size=(160, 3))
TASKS = np.array(["north", "south"])[np.arange(160) % 2]
RARE = (INPUTS[:, 0] + RANDOM.normal(size=160) > 1.6).astype(float)
WEIGHTS = RANDOM.integers(1, 5, size=160)


def made(weights=None):
    return TaskSet.from_task_column(INPUTS, RARE, TASKS, kind="binary", weights=weights)


def of_run(tasks, **changes):
    return run(tasks, RunSettings(**{**SETTINGS, **changes}), split(tasks, seed=0))


def test_metrics_count_rows_by_their_weights():
    tasks = made(WEIGHTS)
    outputs = [RANDOM.normal(size=(int(n), 1)) for n in tasks.n_examples]
    found, _ = measure(tasks, outputs)
    for number, name in enumerate(("north", "south")):
        targets, weights = tasks.targets[tasks.entries(number)], tasks.weights_of(number)
        chance = 1 / (1 + np.exp(-outputs[number][:, 0]))
        own = found[name]
        wanted = roc_auc_score(targets, chance, sample_weight=weights)
        assert own["roc_auc"] == pytest.approx(wanted)
        wanted = accuracy_score(targets, chance > 0.5, sample_weight=weights)
        assert own["accuracy"] == pytest.approx(wanted)
        assert own["log_loss"] == pytest.approx(log_loss(targets, chance, sample_weight=weights))
        assert own["loss"] == pytest.approx(own["log_loss"])


def test_resampled_metrics_are_about_the_weighted_one():
    tasks = made(WEIGHTS)
    outputs = [RANDOM.normal(size=(int(n), 1)) for n in tasks.n_examples]
    resampled = resampled_metrics(tasks, outputs, metric="brier")
    plain = resampled_metrics(made(), outputs, metric="brier")
    found, _ = measure(tasks, outputs)
    for name, row in resampled.items():
        values = np.array(row["values"])
        assert abs(values.mean() - found[name]["brier"]) < 3 * values.std() / 10
        assert plain[name]["values"] != row["values"]


def test_equal_weights_are_none():
    plain, equal = of_run(made()), of_run(made(np.full(160, 2.5)))
    for name in ("north", "south"):
        for metric, value in plain["metrics"]["test"][name].items():
            assert equal["metrics"]["test"][name][metric] == pytest.approx(value, abs=1e-9)
    assert plain["data"]["fingerprint"] != equal["data"]["fingerprint"]


@pytest.mark.parametrize("method", ["ridge", "tied"])
def test_balanced_classes_are_found_more_often_and_metrics_count_rows_as_they_are(method):
    tasks = made()
    few = {"method": method, "steps": 40, "hidden": (4,), "n_folds": 2}
    plain, balanced = of_run(tasks, **few), of_run(tasks, class_weight="balanced", **few)
    found = []
    for record in (plain, balanced):
        errors = [row["balanced_error"] for row in record["metrics"]["test"].values()]
        losses = [row["log_loss"] for row in record["metrics"]["test"].values()]
        found.append((np.mean(errors), np.mean(losses)))
    assert found[1][0] < found[0][0]  # of the rare class more is found
    assert found[1][1] > found[0][1]  # at chances that are too high, which the metric tells
    assert balanced["settings"]["class_weight"] == "balanced"
    _, _, test = prepare(tasks, split(tasks, seed=0))
    assert test.weights is None


def unequal():
    """Nine rows in ten are of a task that rises with the input, the others of one that falls."""
    random = np.random.default_rng(1)
    inputs = random.normal(size=(200, 1))
    names = np.where(np.arange(200) % 10 == 0, "small", "large")
    values = np.where(names == "small", -1, 1) * inputs[:, 0] + 0.1 * random.normal(size=200)
    return TaskSet.from_task_column(inputs, values, names, kind="regression")


def test_one_model_of_all_rows_heeds_small_tasks_where_all_weigh_the_same():
    """Its slope is up where the many rows decide, and near 0 where both tasks do."""
    error_of = {}
    for how in (None, "equal", "examples"):
        record = of_run(unequal(), task_weight=how)
        error_of[how] = record["metrics"]["test"]["small"]["rmse"]
    assert error_of["examples"] > 1.15 * error_of["equal"]
    assert error_of[None] == error_of["examples"]


def test_networks_draw_tasks_as_they_weigh(monkeypatch):
    policies = []

    def watched(*arguments, policy, **given):
        policies.append(policy)
        return fit(*arguments, policy=policy, **given)

    monkeypatch.setattr(training, "fit", watched)
    few = {"method": "tied", "steps": 2, "hidden": (4,), "n_folds": 2, "base": "none"}
    for how in (None, "equal", "examples"):
        of_run(made(), task_weight=how, **few)
    assert policies == ["cycle", "cycle", "proportional"]


class Unweighted(Contestant):
    """A method that counts every row once."""

    takes_weights = False


def test_a_method_that_takes_no_weights_is_refused_never_left_to_ignore_them():
    method = Unweighted("plain", "nothing", "nobody")
    told = r"plain cannot apply to these tasks \(it takes no weights: to it every row counts"
    for tasks, given in ((made(WEIGHTS), {}), (made(), {"class_weight": "balanced"})):
        with pytest.raises(ValueError, match=told):
            compare(tasks, methods=[method], seeds=1, workers=0, **given)


def test_balanced_classes_need_classes():
    tasks = TaskSet.from_task_column(INPUTS, INPUTS[:, 0], TASKS, kind="regression")
    with pytest.raises(ValueError, match="class_weight: the tasks predict numbers and have no"):
        compare(tasks, methods=["ridge"], class_weight="balanced", seeds=1, workers=0)
    with pytest.raises(ValueError, match="class_weight: input should be 'balanced'"):
        compare(made(), methods=["ridge"], class_weight="equal", seeds=1, workers=0)
