"""Measures by layer against values that are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.methods.recipe import Recipe
from softshare.methods.settings import checked_settings
from softshare.network.templates.standard import mlp
from softshare.reproduction.layer_measures import fall, mean_over_layers, related_pairs
from softshare.reproduction.measures import Judged
from softshare.reproduction.watched import TraceNorms
from softshare.tasks.task_set import TaskSet

LAYERS = {"first": 3.0, "second": 2.5, "last": 0.5}


def judged() -> Judged:
    numbers = np.random.default_rng(0)
    inputs = numbers.normal(size=(40, 3))
    targets = {name: numbers.integers(2, size=40) for name in "abc"}
    train, validation, test = TaskSet.from_shared_inputs(inputs, targets).split(seed=0)
    given = {"source": "made", "method": "any", "fraction": 1.0, "seed": 0, "steps": 2}
    recipe = Recipe("apart", mlp, rows=1, callbacks=(TraceNorms(),))
    learned = recipe.learn(train, validation, checked_settings(given))
    return Judged(learned, train, test, learned.predict(test))


def test_the_fall_is_from_the_first_layer_to_the_last() -> None:
    seen = judged()
    assert fall(seen, of=lambda _: LAYERS) == 2.5
    assert mean_over_layers(seen, of=lambda _: LAYERS) == 2.0


def test_pairs_are_ranked_by_the_cosine_of_their_weights() -> None:
    seen = judged()
    stack = seen.learned.network.stacks()["layers.0.weight"].flatten(1).double()
    pairs = related_pairs(seen, layer="layers.0")
    assert len(pairs) == 3
    assert [pair[2] for pair in pairs] == sorted((pair[2] for pair in pairs), reverse=True)
    found = {pair[:2]: pair[2] for pair in pairs}
    expected = torch.nn.functional.cosine_similarity(stack[0], stack[2], dim=0)
    assert found["a", "c"] == pytest.approx(float(expected))


def test_the_curve_has_the_norms_of_all_layers() -> None:
    seen = judged()
    total = sum(
        float(torch.linalg.matrix_norm(stack.flatten(1).double(), "nuc"))
        for path, stack in seen.learned.network.stacks().items()
        if path.endswith("weight")
    )
    assert seen.learned.curve[-1]["laf"] == pytest.approx(total, rel=1e-5)
    assert seen.learned.curve[-1]["tt"] > 0
