"""Metrics under random weightings say how far a metric hangs on its test rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.evaluation.resampling import (
    WEIGHTINGS,
    has_given_test_part,
    resampled_metrics,
    spread_out,
    weightings,
)
from softshare.evaluation.statistics import ALL, summarise
from softshare.tasks.task_set import TaskSet
from tests.evaluation.made_records import record


def regression(n, n_tasks=1):
    """Tasks whose targets are the errors of an output of 0."""
    random = np.random.default_rng(0)
    rows = {f"t{number}": random.normal(size=n) for number in range(n_tasks)}
    arrays = {name: (np.zeros((n, 1)), values) for name, values in rows.items()}
    return TaskSet.from_arrays(arrays, kinds="regression")


def test_the_variance_of_a_mean_is_the_unbiased_one():
    values = np.random.default_rng(0).normal(size=7)
    weights = np.random.default_rng(1).standard_exponential((40_000, 7))
    means = spread_out(weights @ values / weights.sum(axis=1), 7)
    assert means.var() == pytest.approx(values.var(ddof=1) / 7, rel=0.02)


def test_large_sets_are_weighted_in_pieces_that_change_nothing(monkeypatch):
    whole = np.concatenate(list(weightings(30)))
    monkeypatch.setattr("softshare.evaluation.resampling.NUMBERS_AT_ONCE", 210)
    pieces = list(weightings(30))
    assert len(pieces) > 1
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_every_task_has_its_values_the_same_in_every_run():
    tasks = regression(40, n_tasks=3)
    outputs = [np.zeros((40, 1), dtype=np.float32)] * 3
    first, again = (resampled_metrics(tasks, outputs) for _ in range(2))
    assert first == again
    assert list(first) == ["t0", "t1", "t2"]
    assert {len(own["values"]) for own in first.values()} == {WEIGHTINGS}
    assert {own["units"] for own in first.values()} == {40}
    # equal outputs: the difference of two runs is 0 under every weighting
    half = resampled_metrics(tasks, [0.5 + output for output in outputs])
    assert np.std(half["t0"]["values"]) > 0


def test_rows_that_serve_several_tasks_and_rows_of_a_group_have_one_weight():
    random = np.random.default_rng(0)
    target = random.normal(size=30)
    tasks = TaskSet.from_shared_inputs(np.zeros((30, 2)), {"a": target, "b": target})
    outputs = [np.zeros((30, 1))] * 2
    shared = resampled_metrics(tasks, outputs)
    assert shared["a"] == shared["b"]
    grouped = replace(tasks, groups=(np.arange(30) // 5,))
    assert resampled_metrics(grouped, outputs)["a"]["units"] == 6


def test_a_single_row_and_a_metric_from_elsewhere_have_none():
    assert resampled_metrics(regression(1), [np.zeros((1, 1))]) == {}
    assert resampled_metrics(regression(9), [np.zeros((9, 1))], metric="loss") == {}


def test_a_given_test_part_is_known():
    tasks = regression(4)
    parts = np.array(["train", "train", "test", "test"])
    assert not has_given_test_part(tasks)
    assert has_given_test_part(replace(tasks, parts=(parts,)))
    assert not has_given_test_part(replace(tasks, parts=(np.full(4, "train"),)))
    assert not has_given_test_part(replace(tasks, parts=(None,)))


def fixed_split(random, *, n_tasks, n_rows, n_seeds, gain, of_row, of_start):
    """Records of one given split: squared errors that hang on the row, the start and chance.

    A method's mean squared error is lower by ``gain`` where all rows of the kind are counted.
    """
    tasks = [f"t{number}" for number in range(n_tasks)]
    base = random.chisquare(1, (n_tasks, n_rows))
    method = base - gain + of_row * random.normal(size=(n_tasks, n_rows))
    weights = np.concatenate(list(weightings(n_tasks * n_rows)))
    weights = weights.reshape(WEIGHTINGS, n_tasks, n_rows)
    records = []
    for name, errors in (("independent", base), ("tied", method)):
        for seed in range(n_seeds):
            own = errors + of_start * random.normal(size=(n_tasks, 1))
            values = {task: row.mean() for task, row in zip(tasks, own, strict=True)}
            resampled = {}
            for number, task in enumerate(tasks):
                of_task = weights[:, number]
                means = of_task @ own[number] / of_task.sum(axis=1)
                resampled[task] = {"units": n_rows, "values": spread_out(means, n_rows)}
            made = record(name, seed, values, metric="loss", resampled=resampled)
            made["data"]["test_part"] = "given"
            records.append(made)
    return records


@pytest.mark.parametrize(("of_row", "of_start"), [(1.0, 0.02), (1.0, 0.2)])
def test_intervals_of_one_given_split_cover_what_other_test_rows_would_have_given(of_row, of_start):
    random = np.random.default_rng(0)
    shape = {"n_tasks": 6, "n_rows": 40, "n_seeds": 5, "gain": 0.3}
    covered, of_seeds_alone = [], []
    for _ in range(80):
        records = fixed_split(random, of_row=of_row, of_start=of_start, **shape)
        alone = [{**made, "resampled": {}} for made in records]
        for found, runs in ((covered, records), (of_seeds_alone, alone)):
            summary = summarise(runs)
            own = summary[summary["method"] == "tied"]
            found.append((own["ci_low"] < 0.3) & (own["ci_high"] > 0.3))
    of_all = [row.iloc[-1] for row in covered]
    of_tasks = np.concatenate([row.iloc[:-1] for row in covered])
    assert summary["task"].iloc[-1] == ALL
    assert np.mean(of_all) >= 0.89  # of 80: within 2.5 standard deviations of 95 %
    assert 0.92 <= np.mean(of_tasks) <= 0.995
    if of_start < 0.1:  # what the starts alone say is far too narrow
        assert np.mean([row.iloc[-1] for row in of_seeds_alone]) < 0.6
