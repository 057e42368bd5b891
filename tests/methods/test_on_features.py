"""Methods on features, against the same method on features that are made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA

from softshare.methods.contestants import RIDGE
from softshare.methods.on_features import OnComponents, OnLastLayer
from softshare.methods.recipe import Recipe
from softshare.methods.settings import checked_settings
from softshare.network.features import penultimate_features
from softshare.network.templates.standard import mlp
from softshare.tasks.sources import as_source
from softshare.tasks.task_set import TaskSet

SETTINGS = checked_settings(
    {"source": "made", "method": "any", "fraction": 1.0, "seed": 0, "steps": 5, "batch_size": 8}
)


def parts() -> tuple[TaskSet, TaskSet, TaskSet]:
    numbers = np.random.default_rng(0)
    inputs = numbers.normal(size=(60, 6))
    targets = {name: inputs[:, column] > 0 for column, name in enumerate("ab")}
    return TaskSet.from_shared_inputs(inputs, targets).split(seed=0)


def test_components_are_those_of_the_training_rows() -> None:
    train, validation, test = parts()
    learned = OnComponents("pca", RIDGE, n_components=3).learn(train, validation, SETTINGS)
    rows = np.asarray(train.sources[0])
    axes = PCA(3, random_state=0).fit(rows[np.unique(train.rows)].astype(np.float64))
    sources = (as_source(axes.transform(rows.astype(np.float64)).astype(np.float32)),)
    by_hand = [replace(part, sources=sources) for part in (train, validation, test)]
    expected = RIDGE.learn(by_hand[0], by_hand[1], SETTINGS).predict(by_hand[2])
    for found, wanted in zip(learned.predict(test), expected, strict=True):
        assert_allclose(found, wanted, atol=1e-4)


def test_more_components_than_there_are_become_all() -> None:
    train, validation, test = parts()
    many = OnComponents("pca", RIDGE, n_components=99).learn(train, validation, SETTINGS)
    all_six = OnComponents("pca", RIDGE, n_components=6).learn(train, validation, SETTINGS)
    assert_allclose(many.predict(test)[0], all_six.predict(test)[0])


def test_the_last_layer_is_that_of_the_network_it_trains() -> None:
    train, validation, test = parts()
    network = Recipe("network", mlp)
    method = OnLastLayer("cnn", RIDGE, network=network)
    learned = method.learn(train, validation, SETTINGS)
    trained = network.learn(train, validation, SETTINGS).network
    features = [penultimate_features(trained, part) for part in (train, validation, test)]
    expected = RIDGE.learn(features[0], features[1], SETTINGS).predict(features[2])
    for found, wanted in zip(learned.predict(test), expected, strict=True):
        assert_allclose(found, wanted, atol=1e-6)


def test_numbers_and_curve_are_those_of_both_learners() -> None:
    train, validation, _ = parts()
    network = Recipe("network", mlp)
    learned = OnLastLayer("cnn", network, network=network).learn(
        train, validation, SETTINGS, watch=True
    )
    trained = network.learn(train, validation, SETTINGS)
    assert learned.n_parameters == trained.n_parameters + learned.learned.n_parameters
    assert len(learned.curve) > 0
    assert [row["step"] for row in learned.curve] == [row["step"] for row in trained.curve]
    assert list(learned.describe()["layers"]) == list(trained.describe()["layers"])
    components = OnComponents("pca", network, n_components=3).learn(train, validation, SETTINGS)
    assert components.n_parameters == components.learned.n_parameters
    assert components.describe() == components.learned.describe()


def test_features_without_a_network_are_refused() -> None:
    train, validation, _ = parts()
    with pytest.raises(TypeError, match="cnn: network must train a network, got ridge"):
        OnLastLayer("cnn", RIDGE, network=RIDGE).learn(train, validation, SETTINGS)


def test_there_are_no_more_components_than_training_rows() -> None:
    train, validation, test = parts()
    every = np.arange(len(train.rows))
    entries = np.concatenate([every[train.entries(number)][:3] for number in range(len(train))])
    few = train.select(np.sort(entries))
    n_rows = len(np.unique(few.rows))
    assert n_rows < 6
    method = OnComponents("pca", RIDGE)
    learned = method.learn(few, validation, SETTINGS)
    assert method.of(few, test).input_shape(0) == (n_rows,)
    assert np.isfinite(np.concatenate(learned.predict(test))).all()
