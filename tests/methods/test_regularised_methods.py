"""The recipes of trace norm and tensor normal prior, and what their runs record."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import softshare as ss
from softshare.methods.describe import describe_sharing
from softshare.methods.named import method_named
from softshare.methods.options import read_options, wrong_options
from softshare.sharing.tensor_normal import TensorNormal

LAYERS = ["layers.0", "layers.1", "output"]


def tasks_with(*n_classes: int) -> ss.TaskSet:
    numbers = np.random.default_rng(0)
    data = {
        f"task {k}": (numbers.normal(size=(30, 4)), np.arange(30) % classes)
        for k, classes in enumerate(n_classes)
    }
    return ss.TaskSet.from_arrays(data, kinds="multiclass")


@pytest.mark.parametrize("norm", ["laf", "tucker", "tt"])
def test_trace_norm_methods_penalise_all_layers_but_the_output(norm: str) -> None:
    method = method_named(f"trace-norm-{norm}")
    sharing = method.sharing(LAYERS, {**method.options, "gamma": 0.3})
    assert sharing == {"*": ss.TraceNorm(norm, gamma=0.3)}  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "modes"), [("drn", ("task",)), ("mrn", ("in", "out", "task"))])
def test_tensor_normal_methods_tie_the_lower_layers_and_start_the_upper_ones_apart(
    name: str, modes: tuple[str, ...]
) -> None:
    method = method_named(f"tensor-normal-{name}")
    sharing = method.sharing(LAYERS, {**method.options, "scale": 0.5})
    network = ss.MultiTaskNetwork(ss.mlp, tasks_with(3, 3), sharing=sharing, initial=method.initial)
    assert [type(network.sharing[layer]).__name__ for layer in LAYERS] == [
        "Tied",
        "Tied",
        "TensorNormal",
    ]
    assert network.sharing["output"] == TensorNormal(
        modes, scale=0.5, epsilon=method.options["epsilon"], warm_up=0
    )
    first, second = network.layers["output"].stacked()
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("wanted", "under_prior"),
    [
        ("last", ["output"]),
        ("all", LAYERS),
        ("layers.1, output", ["layers.1", "output"]),
        ("layers.0", ["layers.0"]),
    ],
)
def test_the_layers_under_the_prior_and_its_warm_up_are_options(
    wanted: str, under_prior: list[str]
) -> None:
    method = method_named("tensor-normal-drn")
    options, wrong = read_options(
        [f"tensor-normal-drn.layers={wanted}", "tensor-normal-drn.warm_up=50"]
    )
    assert not wrong
    assert not wrong_options(options, [method])
    sharing = method.sharing(LAYERS, {**method.options, **options["tensor-normal-drn"]})
    network = ss.MultiTaskNetwork(ss.mlp, tasks_with(3, 3), sharing=sharing)
    priors = {name: of for name, of in network.sharing.items() if isinstance(of, TensorNormal)}
    assert list(priors) == under_prior
    assert {prior.warm_up for prior in priors.values()} == {50}


def test_a_layer_that_there_is_not_is_told() -> None:
    method = method_named("tensor-normal-mrn")
    with pytest.raises(ValueError, match=r"no layer 'hidden'; the layers are layers\.0, layers\.1"):
        method.sharing(LAYERS, {**method.options, "layers": "hidden,output"})


def test_the_prior_suits_tasks_of_one_width_of_output() -> None:
    method = method_named("tensor-normal-drn")
    assert method.unsuitable(tasks_with(3, 3)) is None
    assert "differ in width" in str(method.unsuitable(tasks_with(3, 4)))


def test_a_record_holds_the_mean_of_the_layers_correlations() -> None:
    tasks = tasks_with(3, 3, 3)
    prior = ss.TensorNormal(warm_up=0, every=1)
    network = ss.MultiTaskNetwork(
        ss.mlp, tasks, sharing={"layers.1": prior, "output": prior, "*": ss.Tied()}
    )
    network.after_step()
    correlations = [network.layers[layer].task_correlation() for layer in ("layers.1", "output")]
    assert np.allclose(
        describe_sharing(network)["task_correlation"], sum(correlations).detach() / 2, atol=1e-4
    )
    assert describe_sharing(ss.MultiTaskNetwork(ss.mlp, tasks))["task_correlation"] is None
