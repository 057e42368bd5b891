"""The portfolio that is weighed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.methods.named import AUTO
from softshare.tasks.task_set import TaskSet
from tests.methods.made_schools import FEW_STEPS, parts, schools


def test_a_preset_that_there_is_not_is_refused() -> None:
    train, validation, _ = parts(schools())
    settings = replace(FEW_STEPS, method="auto", method_options={"preset": "fast"})
    with pytest.raises(ValueError, match=r"auto.preset must be one of quick, .* got 'fast'"):
        AUTO.learn(train, validation, settings)


def test_auto_leaves_methods_out_that_do_not_suit_the_tasks() -> None:
    images = TaskSet.from_arrays({"a": (np.zeros((4, 1, 28, 28)), np.arange(4) % 2)})
    assert AUTO.unsuitable(images) == "inputs are no vectors"
