"""A model says how far its answers can be trusted, and keeps that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.models.calibration import calibration_from
from softshare.models.learning import learn
from softshare.models.model import load_model
from tests.models.made_tables import FEW, model_of, schools


def held(told: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    return table["score"].between(told["score from"], told["score to"])


def test_intervals_hold_what_they_promise_in_the_targets_unit(tmp_path: Path) -> None:
    table = schools(rows=120)
    tasks = read_table(table[::2], task="school", target="score", drop=["passed", "grade"])
    model = learn(tasks, method="mixed-model")
    new = table[1::2]
    told = model.predict(new)
    assert held(told, new).mean() == pytest.approx(0.9, abs=0.04)
    narrow = model.predict(new, level=0.5)
    assert held(narrow, new).mean() == pytest.approx(0.5, abs=0.08)
    unknown = model.predict(new.assign(school="another"))
    widths = [each["score to"] - each["score from"] for each in (told, unknown)]
    # schools differ by five points where pupils of one school differ by one or two
    assert (widths[1] > 2 * widths[0]).all()
    model.save(tmp_path / "model")
    loaded = load_model(tmp_path / "model").predict(new, level=0.8)
    pd.testing.assert_frame_equal(loaded, model.predict(new, level=0.8), check_exact=True)


def test_given_validation_rows_calibrate_what_never_trained_on_them() -> None:
    table = schools(rows=40)
    table["part"] = np.tile(["train"] * 2 + ["validation", "test"], 50)
    drop = ["passed", "grade"]
    tasks = read_table(table, task="school", target="score", drop=drop, split="part")
    model = learn(tasks, method="tied", base="none", **FEW)
    assert model.learned.out_of_fold is None
    validation = table[table["part"] == "validation"]
    assert held(model.predict(validation), validation).mean() == pytest.approx(0.9, abs=0.05)


def test_probabilities_can_be_had_as_the_method_gives_them() -> None:
    model = model_of("pooled-ridge", "passed")
    table = schools(seed=1)
    before = model.predict(table, calibrated=False)["P(passed = yes)"]
    after = model.predict(table)["P(passed = yes)"]
    assert model.calibration is not None
    line = model.calibration.lines["binary"]
    logits = np.log(before / (1 - before)).to_numpy()[:, None]
    numbers = [model.tasks.index(name) for name in table["school"]]
    expected = 1 / (1 + np.exp(-line(logits, np.array(numbers))[:, 0]))
    np.testing.assert_allclose(after, expected, rtol=1e-5)


def test_a_level_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match=r"level: between 0 and 1, such as 0\.9, got 90"):
        model_of("ridge").predict(schools(), level=90)


def test_a_state_of_something_else_is_refused() -> None:
    model = model_of("ridge")
    assert model.calibration is not None
    part = model.calibration.state()["of"]["intervals"]
    with pytest.raises(ValueError, match="a state of a Calibration is needed"):
        calibration_from(part)


def test_classes_that_are_to_weigh_the_same_still_do_after_calibration() -> None:
    random = np.random.default_rng(0)
    table = schools(rows=100)
    table["passed"] = np.where(table["score"] > table["score"].quantile(0.9), "yes", "no")
    table["age"] += random.normal(0, 6, len(table))
    drop = ["score", "grade"]
    tasks = read_table(table, task="school", target="passed", drop=drop)
    told = learn(tasks, method="pooled-ridge", class_weight="balanced").predict(table)
    plain = learn(tasks, method="pooled-ridge").predict(table)
    # as often as it comes where classes weigh what they do, else more often
    assert plain["P(passed = yes)"].mean() == pytest.approx(0.1, abs=0.02)
    assert told["P(passed = yes)"].mean() > 0.13
    is_yes = table["passed"] == "yes"
    found = [(each["predicted passed"] == "yes")[is_yes].mean() for each in (plain, told)]
    assert found[1] > found[0] + 0.1
