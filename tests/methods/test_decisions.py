"""What the training part decides before a run: layers tied, cores shared, width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from softshare.evaluation.jobs.run import run
from softshare.methods.named import NETWORKS, method_named
from softshare.methods.settings import RunSettings
from softshare.methods.training import Trainer
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tied import Tied
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

FAST = RunSettings("made", "independent", 1.0, 0, steps=40, hidden=(8, 8), learning_rate=0.02)


def made_tasks(*, alike: bool = True, rows: int = 40) -> TaskSet:
    """Two tasks that depend on their inputs in one way, or in opposite ways."""
    generator = np.random.default_rng(0)
    weights, data = generator.normal(size=6), {}
    for name, sign in (("a", 1), ("b", 1 if alike else -1)):
        inputs = generator.normal(size=(rows, 6)).astype(np.float32)
        data[name] = (inputs, (sign * inputs @ weights > 0).astype(int))
    return TaskSet.from_arrays(data, kinds="binary")


def images_of(side: int) -> TaskSet:
    return TaskSet.from_arrays(
        {name: (np.zeros((4, 1, side, side), dtype=np.float32), np.arange(4) % 2) for name in "ab"}
    )


def settings_of(name: str, **options: int | str) -> RunSettings:
    return replace(FAST, method=name, method_options=options)


def size(name: str, settings: RunSettings, tasks: TaskSet) -> int:
    return sum(
        parameter.numel()
        for parameter in Trainer(method_named(name)).start(settings, tasks).parameters()
    )


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


def test_cross_validation_decides_the_pattern() -> None:
    method, tasks = method_named("tensor-ring"), made_tasks(rows=20)
    decided = Trainer(method).decide(
        replace(settings_of(method.name, shared="cv", cores=2, ranks=2), steps=10), tasks
    )
    pattern = decided.method_options["shared"]
    assert isinstance(pattern, str)
    assert len(pattern) == 2
    assert "2" >= pattern[0] >= pattern[1]
    Trainer(method).train(replace(decided, steps=3), tasks, tasks)


@pytest.mark.parametrize(
    "other",
    [method.name for method in NETWORKS if method.name not in ("tied-first-layers", "tied-wide")],
)
def test_the_wide_network_has_as_many_parameters_as_the_method_that_is_named(other: str) -> None:
    method, tasks = method_named("tied-wide"), made_tasks()
    settings = settings_of(method.name, as_many_as=other)
    decided = Trainer(method).decide(settings, tasks)
    target = size(other, replace(FAST, method=other), tasks)
    assert size("tied-wide", decided, tasks) == pytest.approx(target, rel=0.12)
    assert decided.hidden is not None
    assert decided.hidden[0] == decided.hidden[1]


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


def test_a_network_that_cannot_be_made_wider_is_refused_before_and_when_it_runs() -> None:
    method, images = method_named("tied-wide"), images_of(96)
    assert "fixed widths" in str(method.unsuitable(images))
    assert method.unsuitable(images_of(28)) is None
    with pytest.raises(ValueError, match=r"does not grow with hidden=\(8, 8\)"):
        Trainer(method).decide(settings_of(method.name), images)


@pytest.mark.parametrize("other", ["tied-first-layers", "tied-wide", "tensor-trian"])
def test_a_method_of_no_certain_size_cannot_be_matched(other: str) -> None:
    method = method_named("tied-wide")
    with pytest.raises(
        ValueError,
        match=f"tied-wide: as_many_as must name another method .* got '{other}'; the methods are "
        "independent",
    ):
        Trainer(method).decide(settings_of(method.name, as_many_as=other), made_tasks())


def tasks_of_sizes(*sizes: int) -> TaskSet:
    generator = np.random.default_rng(0)
    data = {
        f"of {size}": (generator.normal(size=(20, size)).astype(np.float32), np.arange(20) % 2)
        for size in sizes
    }
    return TaskSet.from_arrays(data, kinds="binary")


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


@pytest.mark.parametrize(
    ("sizes", "pattern"), [((6, 6), 2), ((4, 6), 2), ((4, 25), "12"), ((4, 27), "02")]
)
def test_rings_of_tasks_of_several_sizes_share_what_they_have_in_common(
    sizes: tuple[int, ...], pattern: int | str
) -> None:
    method, tasks = method_named("tensor-ring"), tasks_of_sizes(*sizes)
    decided = Trainer(method).decide(settings_of(method.name), tasks)
    network = Trainer(method).start(decided, tasks)
    assert {**method.options, **decided.method_options}["shared"] == pattern
    assert [type(network.sharing[layer]) for layer in network.layers] == [
        TensorRing,
        TensorRing,
        Independent,
    ]


def test_cross_validation_tries_patterns_of_all_rings_where_tasks_differ_in_size() -> None:
    method, tasks = method_named("tensor-ring"), tasks_of_sizes(4, 6)
    decided = Trainer(method).decide(
        replace(settings_of(method.name, shared="cv", ranks=2), steps=5), tasks
    )
    assert len(str(decided.method_options["shared"])) == 2
    Trainer(method).train(replace(decided, steps=2), tasks, tasks)


def test_a_pattern_written_as_a_number_is_a_pattern() -> None:
    network = Trainer(method_named("tensor-ring")).start(
        settings_of("tensor-ring", shared=21), made_tasks()
    )
    assert network.sharing["layers.1"] == TensorRing(8, shared="21", cores=3, common_start=True)


@pytest.mark.parametrize(
    ("name", "interval"),
    [("trace-norm-tucker", 10), ("trace-norm-tt", 10), ("tensor-normal-mrn", 100)],
)
def test_what_is_expensive_in_wide_layers_is_done_at_longer_intervals(
    name: str, interval: int
) -> None:
    method, images = method_named(name), images_of(28)
    assert Trainer(method).decide(settings_of(name), images).method_options == {"every": interval}
    for settings, tasks in (
        (settings_of(name, every=3), images),
        (settings_of(name), tasks_of_sizes(512, 512)),
    ):
        assert Trainer(method).decide(settings, tasks) is settings


def test_a_wide_layer_without_a_prior_sets_no_interval() -> None:
    for name, options in (("trace-norm-tt", {"every": 10}), ("tensor-normal-mrn", {})):
        method = method_named(name)
        assert (
            Trainer(method).decide(settings_of(name), tasks_of_sizes(513, 513)).method_options
            == options
        )
