"""What several methods say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from softshare.methods import stacked as stacked_methods
from softshare.methods.method import Learned
from softshare.methods.named import AUTO
from softshare.methods.stacked import CHOSEN_BY, StackedMethods, restored_stack, weighed
from softshare.shallow.common_weights import Goal
from softshare.shallow.scores import METRICS as SCORES
from softshare.shallow.stacking import Stack
from softshare.tasks.metrics import names_of_task_metrics
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
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


class Says(Learned):
    """Says one number of every row, and another of tasks that are new."""

    def __init__(self, known: float, new: float, n_parameters: int | None) -> None:
        self.known = known
        self.new = new
        self.count = n_parameters

    def predict(self, tasks: TaskSet) -> list[np.ndarray]:
        return [np.full((n_rows, 1), self.known) for n_rows in tasks.n_examples]

    def predict_new(self, tasks: TaskSet) -> list[np.ndarray]:
        return [np.full((n_rows, 1), self.new) for n_rows in tasks.n_examples]

    @property
    def n_parameters(self) -> int | None:
        return self.count


def stacked(names: str) -> StackedMethods:
    """Two members, of which the tasks a, b, c, d take different amounts."""
    own = np.array([[1.0, 0.0], [0.25, 0.75], [0.4996, 0.5004], [0.0, 1.0]])
    apart = np.array([True, False, False, False])
    weights = Stack(own, np.array([0.5, 0.5]), 0.1, apart, np.full(4, np.nan))
    tasks = tuple(Task(name, "regression") for name in names)
    members = {"one": Says(1.0, 10.0, 7), "two": Says(2.0, 20.0, None)}
    held_out: Sequence[np.ndarray] = [np.zeros((1, 1))] * 4
    return StackedMethods(members, weights, tasks, held_out, {"three": "too slow"})


def rows_of(names: str) -> TaskSet:
    data = {}
    for place, name in enumerate(names):
        data[name] = (np.zeros((place + 1, 2)), np.zeros(place + 1))
    return TaskSet.from_arrays(data, kinds="regression")


def test_every_task_is_answered_by_its_own_weights_in_whatever_order() -> None:
    outputs = stacked("abcd").predict(rows_of("dba"))
    assert [rows.shape for rows in outputs] == [(1, 1), (2, 1), (3, 1)]
    assert [rows[0, 0] for rows in outputs] == pytest.approx([2.0, 1.75, 1.0])


def test_new_tasks_are_answered_by_the_common_weights() -> None:
    outputs = stacked("abcd").predict_new(rows_of("xy"))
    assert [rows.ravel().tolist() for rows in outputs] == [[15.0], [15.0, 15.0]]


def test_what_was_decided_names_who_is_answered_otherwise() -> None:
    learned = stacked("abcd")
    assert learned.decided == {
        "weights": {"one": 0.5, "two": 0.5},
        # Nobody is named who stays apart, or whose weights are the common ones but for rounding.
        "own_weights": {"b": {"one": 0.25, "two": 0.75}, "d": {"two": 1.0}},
        "apart": ["a"],
        "left_out": {"three": "too slow"},
    }
    assert learned.n_parameters == 7
    assert learned.out_of_fold is learned.held_out


def test_a_method_that_is_not_known_is_named() -> None:
    state = {"members": {"seven": {}}, "weights": {}, "left_out": {}}
    with pytest.raises(ValueError, match="weighs a method 'seven', which this version does not"):
        restored_stack({}, state, rows_of("ab"))


def test_a_member_without_outputs_on_rows_held_out_is_refused() -> None:
    members = {"pooled-ridge": Says(1.0, 1.0, 1)}
    with pytest.raises(ValueError, match="gives no outputs on rows held out"):
        weighed(AUTO, members, rows_of("ab"), FEW_STEPS)


@pytest.mark.parametrize(("limit", "minutes"), [(0.0, None), (0.5, 0.5)])
def test_a_portfolio_is_rehearsed_in_the_time_that_was_given(
    limit: float, minutes: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsed = []

    class Told(Exception):  # noqa: N818
        pass

    def rehearsal(train: TaskSet, settings: object, goal: Goal, **told: object) -> object:
        rehearsed.append((goal, told))
        raise Told

    monkeypatch.setattr(stacked_methods, "Rehearsal", rehearsal)
    settings = replace(FEW_STEPS, seed=5, method_options={"time_limit": limit}, metric="mae")
    with pytest.raises(Told):
        stacked_methods.stack_methods(AUTO, [], rows_of("ab"), settings)
    ((goal, told),) = rehearsed
    assert goal == Goal("regression", "mean-mae", 0, 5)
    assert told == {"pooled": AUTO.pooled, "apart": AUTO.apart, "minutes": minutes}
