"""How often what is expensive is done."""

from __future__ import annotations

import pytest

from softshare.methods.named import method_named
from softshare.methods.training import Trainer
from tests.methods.made_tasks import images_of, settings_of, tasks_of_sizes


@pytest.mark.parametrize(
    ("name", "options", "interval"),
    [
        ("trace-norm-tucker", {}, 10),
        ("trace-norm-tt", {}, 10),
        ("tensor-normal-mrn", {"layers": "all"}, 100),
    ],
)
def test_what_is_expensive_in_wide_layers_is_done_at_longer_intervals(
    name: str, options: dict[str, str], interval: int
) -> None:
    method, images = method_named(name), images_of(28)
    decided = Trainer(method).decide(settings_of(name, **options), images)
    assert decided.method_options == {**options, "every": interval}
    for settings, tasks in (
        (settings_of(name, every=3, **options), images),
        (settings_of(name, **options), tasks_of_sizes(512, 512)),
    ):
        assert Trainer(method).decide(settings, tasks) is settings


def test_a_wide_layer_without_a_prior_sets_no_interval() -> None:
    for name, options in (("trace-norm-tt", {"every": 10}), ("tensor-normal-mrn", {})):
        method = method_named(name)
        assert (
            Trainer(method).decide(settings_of(name), tasks_of_sizes(513, 513)).method_options
            == options
        )
