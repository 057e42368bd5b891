"""Networks as large as those of another method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from torch import nn

from softshare.methods.named import NETWORKS, method_named
from softshare.methods.training import Trainer
from softshare.methods.widened import _times
from softshare.network.templates.standard import mlp
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


@pytest.mark.parametrize("side", [28, 96])
def test_networks_for_images_of_any_size_are_widened_in_their_affine_layer(side: int) -> None:
    method, images = method_named("tied-wide"), images_of(side)
    assert method.unsuitable(images) is None
    decided = Trainer(method).decide(settings_of(method.name, as_many_as="independent"), images)
    target = size("independent", replace(FAST, method="independent"), images)
    assert size("tied-wide", decided, images) == pytest.approx(target, rel=0.12)
    assert decided.hidden > FAST.hidden


def test_a_network_of_fixed_widths_is_refused() -> None:
    def fixed(*_: object) -> Callable[[Sequence[int], int], nn.Module]:
        return lambda input_shape, n_outputs: mlp(input_shape, n_outputs, hidden=(3,))

    method = replace(method_named("tied-wide"), template=fixed)
    with pytest.raises(ValueError, match=r"does not grow with hidden=\(8, 8\)"):
        Trainer(method).decide(settings_of(method.name), made_tasks())


@pytest.mark.parametrize("other", ["tied-first-layers", "tied-wide", "tensor-trian"])
def test_a_method_of_no_certain_size_cannot_be_matched(other: str) -> None:
    method = method_named("tied-wide")
    with pytest.raises(
        ValueError,
        match=f"tied-wide: as_many_as must name another method .* got '{other}'; the methods are "
        "independent",
    ):
        Trainer(method).decide(settings_of(method.name, as_many_as=other), made_tasks())


@pytest.mark.parametrize("other", ["independent", "tensor-ring", "pooled"])
def test_no_other_width_has_a_nearer_size(other: str) -> None:
    method, tasks = method_named("tied-wide"), made_tasks()
    settings = settings_of(method.name, as_many_as=other)
    decided = Trainer(method).decide(settings, tasks)
    target = size(other, replace(FAST, method=other), tasks)
    found = abs(size(method.name, decided, tasks) - target)
    for width in range(1, 31):
        there = size(method.name, replace(settings, hidden=(width, width)), tasks)
        assert found <= abs(there - target)


def test_layers_are_widened_in_proportion_and_never_vanish() -> None:
    assert _times((8, 40), 16) == (8, 40)
    assert _times((8, 40), 24) == (12, 60)
    assert _times((8, 40), 1) == (1, 2)
