"""Every method does something of its own: no two of them learn alike."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from softshare.methods.method import CROSS_VALIDATED
from softshare.methods.named import NETWORKS
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

STEPS = 115  # the tensor normal priors learn their covariances from step 100 on
EVERY = 5


def made_tasks() -> TaskSet:
    """Tasks that suit every method: alike in form, each with rows of its own."""
    generator = np.random.default_rng(0)
    common = generator.normal(size=6)
    data = {}
    for name in ("a", "b", "c", "d"):
        inputs = generator.normal(size=(60, 6)).astype(np.float32)
        data[name] = (inputs, (inputs @ (common + generator.normal(size=6)) > 0).astype(int))
    return TaskSet.from_arrays(data, kinds="binary")


def test_no_two_methods_have_one_learning_curve() -> None:
    tasks = made_tasks()
    assert not [method.name for method in NETWORKS if method.unsuitable(tasks)]
    train, validation, _ = prepare(tasks, split(tasks, seed=0))
    curves = {}
    for method in NETWORKS:
        given = {
            name: 1 for name, value in method.options.items() if value == CROSS_VALIDATED
        }  # or it may choose what another does
        settings = RunSettings(
            source="made",
            method=method.name,
            fraction=1.0,
            seed=0,
            steps=STEPS,
            hidden=(6, 6),
            batch_size=16,
            method_options=given,
        )
        decided = Trainer(method).decide(settings, train) if method.decide else settings
        _, rows = Trainer(method).train(decided, train, validation)
        last = rows[-1]["step"]  # before all steps are made where patience has run out
        assert [row["step"] for row in rows] == list(range(EVERY, last + 1, EVERY)), method.name
        curves[method.name] = np.array(
            [[row["train_loss"], row["validation_loss"]] for row in rows]
        )
        assert np.isfinite(curves[method.name]).all(), method.name
    alike = [
        pair
        for pair in combinations(curves, 2)
        if len(curves[pair[0]]) == len(curves[pair[1]])
        and np.allclose(curves[pair[0]], curves[pair[1]], rtol=1e-6, atol=0)
    ]
    assert not alike
