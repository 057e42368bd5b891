"""Images at fewer pixels, and the sets of alphabets that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.data import omniglot, omniglot_sets
from softshare.data.shrunk import shrunk
from softshare.tasks.task_set import TaskSet


def test_a_pixel_is_the_mean_of_its_block() -> None:
    images = np.arange(2 * 1 * 4 * 6, dtype=np.uint8).reshape(2, 1, 4, 6)
    tasks = TaskSet.from_shared_inputs(images, {"t": np.array([0, 1])})
    small = np.asarray(shrunk(tasks, 2).sources[0])
    assert small.shape == (2, 1, 2, 3)
    assert small[1, 0, 1, 2] == round(float(images[1, 0, 2:, 4:].mean()))
    with pytest.raises(ValueError, match="does not divide"):
        shrunk(tasks, 4)


def test_made_characters_stand_beside_made_digits() -> None:
    tasks = omniglot_sets.made_characters_and_digits(3)
    assert tasks.names == ("characters", "digits")
    assert [tuple(source.shape[1:]) for source in tasks.sources] == [(1, 35, 35), (1, 14, 14)]
    own = tasks.entries(0)
    is_test = tasks.parts[0][tasks.rows[own]] == "test"
    counts = np.bincount(tasks.targets[own][is_test].astype(int))
    assert counts.tolist() == [omniglot_sets.TEST_DRAWINGS] * 4


def test_the_first_alphabets_are_made_smaller_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of the alphabets that are left out stay out; the others keep their rows' order."""
    made = omniglot.made()
    monkeypatch.setattr(omniglot, "load", lambda: made)
    small = omniglot_sets.first_alphabets(2, 5)
    whole = shrunk(made, 5).keep_tasks([0, 1])
    assert len(small.sources[0]) == len(small.rows)
    for number in range(2):
        for found, wanted in zip(small.examples(number), whole.examples(number), strict=True):
            np.testing.assert_array_equal(found, wanted)
