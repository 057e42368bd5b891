"""Which cores of a ring are shared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softshare.methods.named import method_named
from softshare.methods.training import Trainer
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_ring import TensorRing
from tests.methods.made_tasks import made_tasks, settings_of, tasks_of_sizes


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
