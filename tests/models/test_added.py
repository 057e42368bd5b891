"""Tasks that come after a model was learned."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.models.added import Offsets
from softshare.models.learning import learn
from softshare.models.model import Model, load_model


def wards(names: list[str], offsets: np.ndarray, rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    ward = np.repeat(names, rows)
    age = random.normal(size=len(ward))
    days = 2 * age + np.repeat(offsets, rows) + random.normal(size=len(ward))
    return pd.DataFrame({"ward": ward, "age": age, "days": days, "long": days > 0})


def model_of(target: str) -> Model:
    offsets = 1.5 * np.random.default_rng(0).normal(size=30)
    table = wards([f"ward {number}" for number in range(30)], offsets, 20, 1)
    other = "long" if target == "days" else "days"
    tasks = read_table(table, task="ward", target=target, drop=[other])
    return learn(tasks, method="pooled-ridge")


def test_spread_and_noise_of_made_offsets_are_found() -> None:
    random = np.random.default_rng(0)
    tasks = np.repeat(np.arange(300), 10)
    offsets = 0.5 + 2 * random.normal(size=300)
    targets = offsets[tasks] + 3 * random.normal(size=3000)
    found = Offsets.of("regression", np.zeros((3000, 1)), targets, tasks)
    assert found is not None
    assert found.centre[0] == pytest.approx(0.5, abs=0.4)
    assert found.variance[0] == pytest.approx(4, rel=0.25)
    assert found.noise == pytest.approx(9, rel=0.1)
    # the posterior mean of a normal mean with a normal prior
    own = np.array([5.0, 7.0])
    weight = found.variance[0] / (found.variance[0] + found.noise / 2)
    expected = found.centre[0] + weight * (6.0 - found.centre[0])
    assert found.of_new("regression", np.zeros((2, 1)), own)[0] == pytest.approx(expected)


def test_offsets_of_classes_are_posterior_modes() -> None:
    offsets = Offsets(np.array([0.3]), np.array([0.8]), 0.0)
    logits, targets = np.array([[0.5], [-1.0], [2.0]]), np.array([1.0, 1.0, 0.0])
    found = offsets.of_new("binary", logits, targets)[0]
    grid = np.linspace(-4, 4, 80001)
    odds = grid + logits
    log_likelihood = np.where(targets[:, None] > 0, -np.logaddexp(0, -odds), -np.logaddexp(0, odds))
    posterior = log_likelihood.sum(axis=0) - (grid - 0.3) ** 2 / 1.6
    assert found == pytest.approx(grid[posterior.argmax()], abs=1e-3)


def test_a_few_rows_of_a_new_task_better_its_answers_and_nothing_else_changes() -> None:
    model = model_of("days")
    gains = []
    for seed, offset in enumerate((-2.0, 1.0, 2.5)):
        model_with = model.add_tasks(wards(["new"], np.array([offset]), 8, 10 + seed))
        later = wards(["new"], np.array([offset]), 200, 20 + seed)
        before = ((model.predict(later)["predicted days"] - later["days"]) ** 2).mean()
        after = ((model_with.predict(later)["predicted days"] - later["days"]) ** 2).mean()
        gains.append(before - after)
        others = wards(["ward 3", "someone"], np.zeros(2), 5, 3)
        pd.testing.assert_frame_equal(model_with.predict(others), model.predict(others))
        told = model_with.predict(later)
        assert told["task is known"].all()
        inside = (told["days from"] <= later["days"]) & (later["days"] <= told["days to"])
        assert 0.8 < inside.mean() < 1
        narrow = told["days to"] - told["days from"]
        wide = model.predict(later)["days to"] - model.predict(later)["days from"]
        assert (narrow < wide).all()
        (row,) = model_with.evaluate(later).rows
        assert row["task"] == "new"
        assert row["value"] ** 2 == pytest.approx(after, rel=1e-6)
    assert min(gains) > 0.3


def test_a_new_task_of_classes_is_kept_with_the_model(tmp_path: Path) -> None:
    model = model_of("long").add_tasks(wards(["new", "newer"], np.array([2.0, -2.0]), 6, 5))
    assert model.tasks[-2:] == ("new", "newer")
    later = wards(["new", "newer"], np.zeros(2), 50, 6)
    told = model.predict(later)
    high, low = (told[later["ward"] == name]["P(long = True)"].mean() for name in ("new", "newer"))
    assert high > low + 0.2
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load_model(tmp_path / "model").predict(later), told)


def test_what_cannot_be_added_is_told() -> None:
    model = model_of("days")
    with pytest.raises(ValueError, match="has these tasks already: 'ward 1'"):
        model.add_tasks(wards(["ward 1"], np.zeros(1), 3, 0))
    with pytest.raises(ValueError, match="task 'new' has no label"):
        model.add_tasks(wards(["new"], np.zeros(1), 3, 0).assign(days=None))
    with pytest.raises(ValueError, match="lacks the target column 'days'"):
        model.add_tasks(wards(["new"], np.zeros(1), 3, 0)[["ward", "age"]])
    two = wards(["a", "b"], np.zeros(2), 30, 0)
    few = learn(read_table(two, task="ward", target="days", drop="long"), method="pooled-ridge")
    with pytest.raises(ValueError, match="fewer than three tasks"):
        few.add_tasks(wards(["new"], np.zeros(1), 3, 0))
