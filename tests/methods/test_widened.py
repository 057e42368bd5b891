"""Networks as large as those of another method."""

from __future__ import annotations

from dataclasses import replace

import pytest

from softshare.methods.named import NETWORKS, method_named
from softshare.methods.training import Trainer
from tests.methods.made_tasks import FAST, images_of, made_tasks, settings_of, size


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
