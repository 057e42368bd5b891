"""Hard sharing of some layers: how many, and where it cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.methods.named import method_named
from softshare.methods.training import Trainer
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task_set import TaskSet
from tests.methods.made_tasks import made_tasks, settings_of, tasks_of_sizes


@pytest.mark.parametrize("first", [0, 1, 2])
def test_as_many_first_layers_are_tied_as_told(first: int) -> None:
    network = Trainer(method_named("tied-first-layers")).start(
        settings_of("tied-first-layers", first=first),
        made_tasks(),
    )
    assert [isinstance(sharing, Tied) for sharing in network.sharing.values()].count(True) == first
    assert all(isinstance(network.sharing[layer], Tied) for layer in list(network.layers)[:first])


def test_more_layers_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="first must be 'cv' or from 0 to 2 layers, got 3"):
        Trainer(method_named("tied-first-layers")).start(
            settings_of("tied-first-layers", first=3),
            made_tasks(),
        )


def test_cross_validation_decides_how_many_layers_are_tied() -> None:
    method, tasks = method_named("tied-first-layers"), made_tasks()
    seen: list[int] = []

    def watch(layers: object, options: dict[str, int]) -> object:
        seen.append(options["first"])
        return method.sharing(layers, options)  # type: ignore[arg-type]

    decided = Trainer(replace(method, sharing=watch)).decide(settings_of(method.name), tasks)  # type: ignore[arg-type]
    assert sorted(seen) == [1] * 5 + [2] * 5
    assert decided.method_options["first"] in (1, 2)
    given = settings_of(method.name, first=1)
    assert Trainer(method).decide(given, tasks) is given


@pytest.mark.parametrize(
    ("name", "option"), [("tied-first-layers", "first"), ("tensor-ring", "shared")]
)
def test_a_task_of_one_group_may_be_held_out_whole(name: str, option: str) -> None:
    random = np.random.default_rng(0)
    task = np.array(["a", "b"] * 20 + ["c"] * 2)
    inputs = random.normal(size=(len(task), 6))
    groups = np.array([*range(40), 40, 40])
    tasks = TaskSet.from_task_column(inputs, inputs[:, 0], task, groups=groups)
    settings = replace(settings_of(name, **{option: "cv"}), steps=4)
    decided = Trainer(method_named(name)).decide(settings, tasks)
    assert decided.method_options[option] != "cv"


def test_first_layers_that_differ_in_shape_stay_apart() -> None:
    network = Trainer(method_named("tied-first-layers")).start(
        settings_of("tied-first-layers", first=2),
        tasks_of_sizes(4, 6),
    )
    assert [type(network.sharing[layer]) for layer in network.layers] == [
        Independent,
        Tied,
        Independent,
    ]


def test_pooled_tasks_differ_in_the_bias_of_the_output_alone() -> None:
    network = Trainer(method_named("pooled")).start(settings_of("pooled"), made_tasks())
    own = [path for path, weight in network.shared_weights.items() if weight.task_parameters()]
    *_, output = network.layers
    assert own == [f"{output}.bias"]
