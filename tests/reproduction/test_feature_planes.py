"""How far apart classes lie, against a silhouette worked out by hand."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from softshare.methods.recipe import Recipe
from softshare.methods.settings import checked_settings
from softshare.network.templates.standard import mlp
from softshare.reproduction.feature_planes import feature_planes, mean_silhouette, silhouettes
from softshare.reproduction.measures import Judged
from softshare.tasks.task_set import TaskSet


def judged() -> Judged:
    """A linear network's features are its inputs, on a line: 0 and 1 of one class, 10 and 11 of
    another; and a task whose classes are mixed.
    """
    inputs = np.array([[0.0, 0.0], [1.0, 0.0], [10.0, 0.0], [11.0, 0.0]])
    targets = {"apart": [0, 0, 1, 1], "mixed": [0, 1, 0, 1]}
    tasks = TaskSet.from_arrays({name: (inputs, own) for name, own in targets.items()})
    given = {"source": "made", "method": "any", "fraction": 1.0, "seed": 0, "steps": 1}
    recipe = Recipe("apart", partial(mlp, hidden=()), rows=1)
    learned = recipe.learn(tasks, tasks.select(np.arange(0)), checked_settings(given))
    return Judged(learned, tasks, tasks, learned.predict(tasks))


def test_silhouettes_are_those_of_the_features() -> None:
    seen = judged()
    found = silhouettes(seen, most=4)
    # To its own class each is 1 away, to the other one 10.5 or 9.5 on the mean.
    expected = (9.5 / 10.5 + 8.5 / 9.5) / 2
    assert found["apart"] == pytest.approx(expected)
    # To their own class all are 10 away; to the other one 6 (0 and 11) or 5 (1 and 10).
    assert found["mixed"] == pytest.approx((6 / 10 + 5 / 10) / 2 - 1)
    assert mean_silhouette(seen, most=4) == pytest.approx(np.mean(list(found.values())))


def test_every_task_has_a_plane_of_its_first_examples() -> None:
    planes = feature_planes(judged(), most=3)
    assert [len(plane) for plane in planes] == [3, 3]
    for plane in planes:
        assert {row[2] for row in plane} == {0, 1}
    whole = feature_planes(judged(), most=10)
    assert [row[2] for row in whole[0]] == [0, 0, 1, 1]
    assert whole == feature_planes(judged(), most=4)
