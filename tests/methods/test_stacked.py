"""What several methods say together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.methods.named import AUTO
from softshare.methods.stacked import CHOSEN_BY, StackedMethods
from softshare.shallow.scores import METRICS as SCORES
from softshare.tasks.metrics import names_of_task_metrics
from tests.methods.made_schools import FEW_STEPS, parts, schools


def test_auto_weighs_its_portfolio_and_says_how() -> None:
    train, validation, test = parts(schools(rows=20))
    settings = replace(FEW_STEPS, method="auto")
    learned = AUTO.learn(train, validation, settings)
    assert isinstance(learned, StackedMethods)
    assert sum(learned.decided["weights"].values()) == pytest.approx(1, abs=0.01)
    assert set(learned.decided["weights"]) <= {method.name for method in AUTO.presets["default"]}
    by_hand = np.zeros(len(test.rows))
    for number, member in enumerate(learned.members.values()):
        weights = learned.weights.weights[:, number]
        by_hand += weights[test.task_of] * np.concatenate(member.predict(test))[:, 0]
    np.testing.assert_allclose(np.concatenate(learned.predict(test))[:, 0], by_hand)


def test_weights_are_chosen_by_metrics_that_there_are() -> None:
    assert set(CHOSEN_BY) <= set(names_of_task_metrics())
    assert set(CHOSEN_BY.values()) == set(SCORES)
