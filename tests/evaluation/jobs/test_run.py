"""One run: its budget, its start, and a record that says what happened."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from softshare.data.built_in import digits
from softshare.evaluation.jobs.run import run
from softshare.methods import training as training_module
from softshare.methods.named import method_named
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.network.predict import predict
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet


def settings(method: str, **changes: object) -> RunSettings:
    return RunSettings(
        **{
            "source": "digits",
            "method": method,
            "fraction": 0.05,
            "seed": 1,
            "steps": 40,
            "hidden": (8,),
            **changes,
        }
    )


@pytest.mark.parametrize("method", ["independent", "tied", "tucker"])
def test_a_record_is_json_and_says_what_was_measured(method: str) -> None:
    tasks = digits()
    record = json.loads(
        json.dumps(
            run(tasks, settings(method), split(tasks, seed=1, train_fraction=0.05)), allow_nan=False
        )
    )
    assert record["error"] is None
    assert [task["name"] for task in record["data"]["tasks"]] == [
        f"digit {digit}" for digit in range(10)
    ]
    assert set(record["metrics"]["test"]["digit 3"]) == {
        "roc_auc",
        "accuracy",
        "balanced_error",
        "f1",
        "macro_f1",
        "average_precision",
        "log_loss",
        "brier",
        "ece",
        "loss",
    }
    assert 0 < record["set_metrics"]["test"]["multiclass_error"] < 1
    assert record["curve"][-1]["step"] == 40
    assert set(record["sharing"]["layers"]) == {"layers.0", "output"}
    assert np.array(record["sharing"]["similarity"]).shape == (10, 10)


def test_the_steps_of_a_trained_start_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = digits()
    train, validation, _ = prepare(tasks, split(tasks, seed=1, train_fraction=0.05))
    made = []
    monkeypatch.setattr(
        training_module, "fit", lambda network, **options: made.append(options["steps"]) or []
    )
    for options in ({}, {"apart": 0.25}):
        made.clear()
        Trainer(method_named("tucker")).train(
            settings("tucker", method_options=options), train, validation
        )
        assert sum(made) == 40
    assert made == [10, 30]


def test_methods_of_one_seed_start_from_one_function() -> None:
    tasks = digits()
    train, validation, _ = prepare(tasks, split(tasks, seed=1, train_fraction=0.05))
    starts = {}
    for name in ("independent", "tied", "last-axis-flattening", "tucker", "tensor-train"):
        network, _ = Trainer(method_named(name)).train(
            settings(name, steps=1, learning_rate=1e-12, weight_decay=0.0),
            train,
            validation,
        )
        starts[name] = torch.stack(predict(network, validation))
    for outputs in starts.values():
        torch.testing.assert_close(outputs, starts["independent"], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(outputs, outputs[:1].expand_as(outputs), rtol=1e-4, atol=1e-5)


def test_a_run_that_diverges_is_a_record_that_says_where() -> None:
    generator = np.random.default_rng(0)
    tasks = TaskSet.from_arrays(
        {name: (generator.normal(size=(30, 3)), generator.normal(size=30)) for name in "ab"},
        kinds="regression",
    )
    record = run(tasks, settings("independent", learning_rate=1e30), split(tasks, seed=1))
    assert "became" in record["error"]
    assert "at step" in record["error"]
    assert record["metrics"] == {}
