"""Methods whose weights are sums: what they share, and the shrinkage they choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import softshare as ss
from softshare.methods.named import method_named
from softshare.methods.network_method import NetworkMethod
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from tests.methods.made_tasks import FAST, made_tasks, settings_of

LAYERS = ["first", "second", "output"]


def columns_of_a_table() -> ss.TaskSet:
    """Two targets of the same rows."""
    numbers = np.random.default_rng(0)
    targets = numbers.normal(size=(30, 2))
    tasks = ss.TaskSet.from_shared_inputs(
        numbers.normal(size=(30, 3)),
        {"water": targets[:, 0], "fat": targets[:, 1]},
        kinds="regression",
    )
    assert tasks.one_input
    return tasks


def network_method(name: str) -> NetworkMethod:
    method = method_named(name)
    assert isinstance(method, NetworkMethod)
    return method


def test_every_layer_is_one_weight_and_deviations_from_it() -> None:
    own = ss.Sum(ss.Tied(), ss.Independent(), 0.3)
    sharing = network_method("shared-plus-own").sharing(LAYERS, {"shrink": 0.3, "output": "common"})
    assert sharing == {"output": own, "*": own}


def test_deviations_of_low_rank_are_below_a_free_output() -> None:
    options = {"ranks": 0.6, "task_rank": 0.2, "shrink": 0.3, "output": "common"}
    sharing = network_method("shared-plus-tensor-train").sharing(LAYERS, options)
    assert sharing == {
        "output": ss.Sum(ss.Tied(), ss.Independent(), 0.3),
        "*": ss.Sum(ss.Tied(), ss.TensorTrain(0.6, task_rank=0.2), 0.3),
    }


def test_the_prior_is_on_the_last_two_layers() -> None:
    options = {"scale": 0.5, "epsilon": 0.2, "every": 7, "output": "common"}
    sharing = network_method("shared-plus-prior").sharing(LAYERS, options)
    prior = ss.Tied() + ss.TensorNormal(scale=0.5, epsilon=0.2, every=7)
    assert sharing == {"second": prior, "output": prior, "*": ss.Tied()}


@pytest.mark.parametrize(
    ("name", "without_mean"),
    [
        ("shared-plus-own", ss.Independent()),
        ("shared-plus-tensor-train", ss.Independent()),
        ("shared-plus-prior", ss.TensorNormal(scale=1.0, epsilon=0.1, every=10)),
    ],
)
def test_outputs_of_different_quantities_have_no_mean(name: str, without_mean: ss.Sharing) -> None:
    method = network_method(name)
    asked = settings_of(name)
    decided = Trainer(method).decide(asked, columns_of_a_table())
    assert decided.method_options == {"output": "apart"}
    sharing = method.sharing(LAYERS, method.values(decided))
    assert sharing["output"] == without_mean
    one_quantity = Trainer(method).decide(asked, made_tasks())
    assert one_quantity is asked
    assert isinstance(method.sharing(LAYERS, method.values(asked))["output"], ss.Sum)


def test_numbers_of_several_scales_are_different_quantities() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 30, 3))
    sizes = {"metres": rows[0, :, 0], "millions": 1e6 * rows[1, :, 0]}
    tasks = ss.TaskSet.from_arrays(
        {name: (rows[0], targets) for name, targets in sizes.items()}, kinds="regression"
    )
    train = prepare(tasks, split(tasks, seed=0))[0]
    asked = settings_of("shared-plus-own")
    decided = Trainer(network_method("shared-plus-own")).decide(asked, train)
    assert decided.method_options == {"output": "apart"}


def test_whether_outputs_have_a_mean_can_be_given() -> None:
    method = network_method("shared-plus-own")
    given = settings_of("shared-plus-own", output="common")
    assert Trainer(method).decide(given, columns_of_a_table()) is given
    with pytest.raises(ValueError, match="'by-quantity', 'common', 'apart', got 'none'"):
        method.sharing(LAYERS, {"shrink": 0.3, "output": "none"})


@pytest.mark.parametrize("best", ["learned", 0.01, 0.1, 1.0])
def test_cross_validation_chooses_the_shrinkage_where_it_is_asked_to(
    best: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []

    def cross_validate(
        trainer: Trainer, candidates: Mapping[Any, RunSettings], train: ss.TaskSet, *, seed: int
    ) -> dict[Any, float]:
        seeds.append(seed)
        given = {settings.method_options["shrink"] for settings in candidates.values()}
        assert given == set(candidates) == {"learned", 0.01, 0.1, 1.0}
        return {value: float(value != best) for value in candidates}

    monkeypatch.setattr(Trainer, "cross_validate", cross_validate)
    trainer = Trainer(network_method("shared-plus-own"))
    asked = replace(settings_of("shared-plus-own", shrink="cv"), seed=4)
    assert trainer.decide(asked, made_tasks()).method_options == {"shrink": best}
    assert seeds == [4]
    given = settings_of("shared-plus-own", shrink=0.2)
    assert trainer.decide(given, made_tasks()) is given
    assert trainer.decide(FAST, made_tasks()) is FAST


def test_a_common_network_needs_inputs_and_outputs_of_one_form() -> None:
    method = method_named("shared-plus-own")
    rows = {name: np.zeros((6, width)) for name, width in (("a", 2), ("b", 2), ("c", 3))}
    classes = np.arange(6) % 3
    alike = ss.TaskSet.from_arrays({name: (rows[name], classes) for name in "ab"})
    assert method.unsuitable(alike) is None
    widths = ss.TaskSet.from_arrays({name: (rows[name], classes) for name in "ac"})
    assert method.unsuitable(widths) == "the tasks' inputs differ in shape"
    kinds = ss.TaskSet.from_arrays({"a": (rows["a"], classes), "b": (rows["b"], classes % 2)})
    assert "outputs differ in form" in (method.unsuitable(kinds) or "")
    sizes = ss.TaskSet.from_arrays({"a": (rows["a"], classes), "b": (rows["b"], np.arange(6) % 4)})
    assert "outputs differ in form" in (method.unsuitable(sizes) or "")
