"""What estimators keep of a fit can be written down as plain values, and read again."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.methods.estimators import ESTIMATORS, KINDS
from softshare.methods.plain_state import state_of, value_of
from softshare.shallow import boosted_trees, forest

WITH_OTHER_LIBRARY = [("boosted", True), ("boosted-apart", True)]


@pytest.mark.parametrize(
    ("name", "without_lightgbm"), [*((name, False) for name in ESTIMATORS), *WITH_OTHER_LIBRARY]
)
def test_estimators_are_written_down_and_predict_without_a_library(
    name: str, without_lightgbm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without_lightgbm:
        monkeypatch.setattr(boosted_trees, "lightgbm", None)
        monkeypatch.setattr(boosted_trees, "STAGES", 10)
    elif name.startswith("boosted"):
        pytest.importorskip("lightgbm")
    monkeypatch.setattr(boosted_trees, "MOST_ROUNDS", 10)
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 5)
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (6,))
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(3), 30)
    inputs = generator.normal(size=(90, 2))
    targets = np.digitize(inputs[:, 0] * inputs[:, 1] + tasks % 2, (-0.2, 0.7))
    # Most is kept of several classes; what trees stand on is fitted faster to numbers.
    kind = "regression" if name == "boosted-on-pooled" else "multiclass"
    model = ESTIMATORS[name](kind, n_folds=2, random_state=0).fit(inputs, targets, tasks)
    monkeypatch.setattr(boosted_trees, "lightgbm", None)
    asked = generator.normal(size=(40, 2))
    # The last task is one that no row was of.
    asked_tasks = np.arange(40) % 4
    wanted = model.predict(asked, asked_tasks)
    again = value_of(state_of(model), KINDS)
    np.testing.assert_array_equal(again.predict(asked, asked_tasks), wanted)
