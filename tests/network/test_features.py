"""What reaches output layers, against the layers run by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from softshare.network.features import penultimate_features
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet


def test_features_times_the_output_layer_are_the_outputs() -> None:
    numbers = np.random.default_rng(0)
    tasks = TaskSet.from_shared_inputs(
        numbers.normal(size=(50, 6)), {name: numbers.integers(2, size=50) for name in "ab"}
    )
    train, validation, _ = tasks.split(seed=0)
    network = MultiTaskNetwork(mlp, train, sharing=Tied())
    for part in (train, validation):
        features = penultimate_features(network, part)
        assert features.input_shape(0) == (64,)
        assert features.n_examples.tolist() == part.n_examples.tolist()
        for number, task in enumerate(part.tasks):
            inputs, targets = part.examples(number)
            found, same_targets = features.examples(number)
            assert_close(same_targets, targets)
            with torch.no_grad():
                module = network.task(task.name, own_units=False)
                expected = module(inputs)
                output = module.get_submodule("output")
                assert_close(output(found), expected)


def test_tasks_of_images_of_several_sizes() -> None:
    numbers = np.random.default_rng(0)
    arrays = {
        name: (numbers.random((6, 1, side, side), dtype=np.float32), np.arange(6) % 2)
        for name, side in (("large", 12), ("small", 8))
    }
    tasks = TaskSet.from_arrays(arrays, kinds="binary")
    features = penultimate_features(MultiTaskNetwork(lenet, tasks), tasks)
    assert [features.input_shape(number) for number in range(2)] == [(128,), (128,)]
    other = tasks.renamed("other ")
    with pytest.raises(KeyError, match="no task 'other large'"):
        penultimate_features(MultiTaskNetwork(lenet, tasks), other)
