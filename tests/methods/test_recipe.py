"""A recipe: a network and a training of one's own, in the engine of a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
import torch

import softshare as ss
from softshare.evaluation.compare import compare
from softshare.methods.recipe import Recipe
from softshare.network.templates.initialised import he_initialised
from softshare.network.templates.standard import mlp
from softshare.training.fit import fit
from tests.methods.made_tasks import FAST, made_tasks

SMALL = partial(mlp, hidden=(8,))


def parts():
    tasks = made_tasks()
    return tasks, tasks.select(np.arange(0))


def learned(recipe, **settings):
    train, nothing = parts()
    return recipe.learn(train, nothing, replace(FAST, **settings))


def test_it_trains_as_fit_does_with_the_run_s_budget():
    train, _ = parts()
    network = ss.MultiTaskNetwork(SMALL, train, initial="common", seed=3)
    fit(network, train, steps=40, batch_size=64, learning_rate=0.02, seed=3, binary_loss="hinge")
    recipe = Recipe("apart", SMALL, binary_loss="hinge")
    own = learned(recipe, seed=3).network
    for one, other in zip(network.parameters(), own.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_steps_apart_are_among_those_of_the_run_and_start_the_sharing():
    recipe = Recipe("laf", SMALL, ss.LastAxisFlattening(epsilon=0.1), apart=0.5, rows=4)
    found = learned(recipe)
    assert [row["step"] for row in found.curve] == [10, 20, 30, 40]
    assert type(found.network.sharing["layers.0"]).__name__ == "LastAxisFlattening"
    with pytest.raises(ValueError, match="apart must be from 0 to below 1"):
        replace(recipe, apart=1.0)


def test_frozen_layers_stay_and_the_start_is_kept():
    found = learned(Recipe("frozen", SMALL, frozen=("layers.0",)))
    after = found.network.stacks()
    assert torch.equal(after["layers.0.weight"], found.start["layers.0.weight"])
    assert not torch.equal(after["output.weight"], found.start["output.weight"])


@dataclass(frozen=True)
class Sizes:
    def after_evaluation(self, network, row):
        row["size"] = float(network.stacks()["output.weight"].abs().sum())


def test_a_callback_adds_numbers_to_the_curve():
    curve = learned(Recipe("seen", SMALL, callbacks=(Sizes(),), rows=2)).curve
    assert len(curve) == 2
    assert all(row["size"] > 0 for row in curve)


def test_its_own_rate_goes_before_that_of_the_run():
    slow = learned(Recipe("slow", SMALL, learning_rate=1e-6))
    start, end = slow.start["output.weight"], slow.network.stacks()["output.weight"]
    torch.testing.assert_close(start, end, rtol=0, atol=1e-4)


def test_a_comparison_takes_it_beside_named_methods():
    recipe = Recipe("mine", SMALL, ss.Tied())
    comparison = compare(made_tasks(), methods=[recipe], seeds=1, steps=5, workers=0)
    assert set(comparison.summary["method"]) == {"independent", "mine"}


def test_he_s_weights_keep_the_size_of_a_signal():
    torch.manual_seed(0)
    network = he_initialised((400,), 1, template=partial(mlp, hidden=(500,)))
    weight = network.get_submodule("layers.0").weight.detach()
    assert float(weight.var()) == pytest.approx(2 / 400, rel=0.02)
    assert not network.get_submodule("output").bias.any()


def test_parameters_by_pattern_have_multiples_of_the_rate():
    train, _ = parts()
    network = ss.MultiTaskNetwork(SMALL, train, initial="common", seed=3)
    rates = {"layers.*": 0.06, "output.bias": 0.0}
    fit(network, train, steps=40, batch_size=64, learning_rate=0.02, learning_rates=rates, seed=3)
    recipe = Recipe("rates", SMALL, rates={"layers.*": 3.0, "output.bias": 0.0})
    own = learned(recipe, seed=3)
    for path, stack in network.stacks().items():
        torch.testing.assert_close(own.network.stacks()[path], stack, rtol=0, atol=0)
    assert torch.equal(own.network.stacks()["output.bias"], own.start["output.bias"])
