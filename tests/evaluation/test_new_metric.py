"""A metric is one entry: what compares, explains and draws reads it there."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.evaluation.compare import compare
from softshare.report.page import write_report
from softshare.tasks import metrics
from softshare.tasks.metric import Metric
from softshare.tasks.task_set import TaskSet


def distance(outputs, targets, weights):
    chance = 1 / (1 + np.exp(-outputs[:, 0]))
    return weights @ np.abs(chance - targets) / weights.sum(axis=1)


DISTANCE = Metric(
    "distance",
    "mean distance",
    "The mean distance of the predicted chance from what came; 0 is perfect",
    better="smaller",
    points=True,
    kinds=("binary",),
    measure=distance,
)


@pytest.fixture
def tasks():
    random = np.random.default_rng(0)
    inputs = {name: random.normal(size=(60, 3)) for name in ("north", "south")}
    return TaskSet.from_arrays(
        {name: (rows, (rows[:, 0] > 0).astype(float)) for name, rows in inputs.items()}
    )


def test_a_new_metric_goes_through_a_comparison_and_its_report(tasks, tmp_path, monkeypatch):
    monkeypatch.setattr(metrics, "METRICS", (*metrics.METRICS, DISTANCE))
    arguments = {"methods": ["tied"], "seeds": 3, "steps": 5, "workers": 0}
    comparison = compare(tasks, metric="distance", out=tmp_path, **arguments)
    assert "points of mean distance" in comparison.answer
    assert set(comparison.summary["metric"]) == {"distance"}
    # better than a chance of one half for every row, and not perfect
    assert comparison.summary["mean"].between(0, 0.5, inclusive="neither").all()
    page = write_report(tmp_path).read_text(encoding="utf-8")
    assert DISTANCE.note in page
    assert ">mean distance</th>" in page


def test_without_its_entry_it_is_refused_before_anything_runs(tasks):
    with pytest.raises(ValueError, match=r"metric: .*'distance'"):
        compare(tasks, metric="distance", methods=["tied"], seeds=1, workers=0)
