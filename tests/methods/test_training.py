"""What the training part decides before a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from softshare.evaluation.jobs.run import run
from softshare.methods import training
from softshare.methods.named import method_named
from softshare.methods.network_method import NetworkMethod
from softshare.methods.settings import PATIENCE, RunSettings
from softshare.methods.training import LearnedNetwork, Trainer
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.splits import split
from softshare.training.diagnostic_history import DiagnosticHistory
from softshare.training.fit import fit
from softshare.training.history import History
from tests.methods.made_tasks import FAST, made_tasks, settings_of


def test_the_record_says_what_was_decided() -> None:
    tasks = made_tasks()
    record = run(tasks, replace(settings_of("tied-first-layers"), steps=5), split(tasks, seed=0))
    assert record["settings"]["method_options"] == {}
    assert record["decided"]["method_options"]["first"] in (1, 2)
    assert run(tasks, replace(settings_of("tied"), steps=5), split(tasks, seed=0))["decided"] == {}


def test_the_test_part_decides_nothing() -> None:
    tasks = made_tasks()
    parts = split(tasks, seed=0)
    shuffled = tasks.targets.copy()
    shuffled[parts.test] = 1 - shuffled[parts.test]
    settings = replace(settings_of("tied-first-layers"), steps=5)
    first, second = (
        run(data, settings, parts) for data in (tasks, replace(tasks, targets=shuffled))
    )
    assert first["decided"] == second["decided"]
    assert first["curve"] == second["curve"]


def told_to_fit(
    name: str, settings: RunSettings, monkeypatch: pytest.MonkeyPatch, **given: Any
) -> list[dict[str, Any]]:
    """What every call of ``fit`` is told in one training of a method."""
    calls: list[dict[str, Any]] = []

    def seen(network: MultiTaskNetwork, **told: Any) -> History:
        calls.append(told)
        return fit(network, **told)

    monkeypatch.setattr(training, "fit", seen)
    method = method_named(name)
    assert isinstance(method, NetworkMethod)
    tasks = made_tasks()
    _, curve = Trainer(method).train(settings, tasks, tasks, **given)
    assert [set(row) for row in curve] == [{"step", "train_loss", "validation_loss"}] * len(curve)
    return [*calls, {"steps": [row["step"] for row in curve]}]


def test_a_training_is_told_the_settings_of_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(
        FAST,
        steps=30,
        batch_size=7,
        seed=5,
        learning_rate=0.03,
        weight_decay=0.4,
        metric="accuracy",
    )
    callback = DiagnosticHistory(every=10)
    call, curve = told_to_fit("tensor-train", settings, monkeypatch, callbacks=[callback])
    assert (call["steps"], call["batch_size"], call["seed"]) == (30, 7, 5)
    assert call["learning_rate"] == 0.03
    assert call["learning_rates"] == pytest.approx({"*.core_1": 0.003})
    assert call["policy"] == "cycle"
    assert call["keep_best"] is True
    assert call["callbacks"] == [callback]
    assert call["checkpoint"] is None
    assert (call["evaluate_every"], call["patience"]) == (3, PATIENCE)
    (group,) = call["optimizer"]([torch.nn.Parameter(torch.zeros(2))], lr=0.03).param_groups
    # A step multiplies weights by 1 − rate · decay, whatever the rate is: 0.001 · 0.4.
    assert group["weight_decay"] * 0.03 == pytest.approx(0.4e-3)
    assert group["fused"]
    assert curve["steps"] == list(range(3, 31, 3))


def test_steps_apart_are_a_part_of_all_and_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(FAST, steps=40, task_weight="examples").with_options(apart=0.25)
    callback = DiagnosticHistory(every=10)
    first, second, curve = told_to_fit(
        "tucker", settings, monkeypatch, callbacks=[callback], jointly=True
    )
    assert (first["steps"], second["steps"]) == (10, 30)
    assert first["policy"] == second["policy"] == "proportional"
    assert first["keep_best"] == second["keep_best"] == "jointly"
    assert "callbacks" not in first
    assert "learning_rates" not in first
    assert second["callbacks"] == [callback]
    assert curve["steps"] == [4, 8, *range(14, 41, 4)]


@pytest.mark.parametrize(
    ("inputs", "steps", "every"),
    [
        ("vector", 5, 1),
        ("vector", 30, 3),
        ("vector", 5000, 5),
        ("image", 5, 1),
        ("image", 100, 10),
        ("image", 400, 20),
        ("image", 5000, 100),
    ],
)
def test_how_often_a_training_is_judged(inputs: Any, steps: int, every: int) -> None:
    assert training._watching(replace(FAST, inputs=inputs, steps=steps)) == (every, PATIENCE)


def test_what_was_learned_tells_its_numbers_its_curve_and_what_it_decided() -> None:
    tasks = made_tasks()
    method = method_named("tied-first-layers")
    settings = replace(settings_of("tied-first-layers"), steps=5)
    learned = method.learn(tasks, tasks, settings, watch=True)
    assert isinstance(learned, LearnedNetwork)
    first = learned.settings.method_options["first"]
    assert learned.decided == {"method_options": {"first": first}}
    assert learned.seen is not None
    assert [row["step"] for row in learned.curve] == [1, 2, 3, 4, 5]
    counted = learned.n_parameters
    frozen = next(learned.network.parameters())
    frozen.requires_grad_(False)
    assert learned.n_parameters == counted - frozen.numel()
    again = method.learn(tasks, tasks, learned.settings)
    assert isinstance(again, LearnedNetwork)
    assert again.decided == {}
    assert again.seen is None


@pytest.mark.parametrize("apart", [0.0, 0.5])
def test_a_network_is_made_again_in_the_form_it_ends_with(apart: float) -> None:
    method = method_named("tucker")
    assert isinstance(method, NetworkMethod)
    settings = replace(FAST, method="tucker").with_options(apart=apart)
    trainer = Trainer(method)
    start, finished = (
        trainer.start(settings, made_tasks()),
        trainer.finished(settings, made_tasks()),
    )
    names = [type(network.sharing["layers.0"]).__name__ for network in (start, finished)]
    assert names == ["Independent" if apart else "Tucker", "Tucker"]
