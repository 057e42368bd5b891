"""Random factors: the composed weights have the size that is wanted, whatever the seed."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.drawn_factors import draw_factors

STD = 0.3

SMALL_RANKS: list[Sharing] = [
    LastAxisFlattening(1),
    Tucker(0.5, task_rank=0.01),
    TensorTrain(0.5, task_rank=0.01),
    TensorRing(1, cores=3),
    TensorRing(2, cores=3, shared=0),
    TensorRing(2, cores=3, shared=3),
    TensorRing(2, cores=3, shared=1, common_start=True),
]

GREY_IMAGES, LINEAR = (3, 3, 1, 8), (12, 10)


def drawn(sharing: Sharing, shape: tuple[int, ...], names: list[object], seed: int) -> SharedWeight:
    layers = {"layer": LayerShapes((shape,), STD)}
    return sharing.draw(layers, RandomStreams(seed, names))["layer"]


def sizes(weight: SharedWeight) -> Tensor:
    return weight.stacked().detach().double().flatten(1).square().mean(1).sqrt()


@pytest.mark.parametrize("sharing", SMALL_RANKS, ids=repr)
@pytest.mark.parametrize("shape", [GREY_IMAGES, LINEAR])
@pytest.mark.parametrize("n_tasks", [1, 2, 5])
def test_every_tasks_weight_has_the_size_wanted(
    sharing: Sharing, shape: tuple[int, ...], n_tasks: int
) -> None:
    for seed in range(5):
        weight = drawn(sharing, shape, list(range(n_tasks)), seed)
        assert_close(sizes(weight), torch.full((n_tasks,), STD).double(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("sharing", [Tucker(0.5), TensorTrain(0.5)], ids=repr)
def test_tasks_on_a_whole_grid_have_the_size_together(sharing: Sharing) -> None:
    names = list(product("ab", "xyz"))
    for seed in range(5):
        weight = drawn(sharing.for_tasks(names), GREY_IMAGES, list(names), seed)
        assert float(sizes(weight).square().mean().sqrt()) == pytest.approx(STD, rel=1e-5)


def test_the_order_of_tasks_on_a_grid_does_not_matter() -> None:
    names = list(product("ab", "xyz"))
    weight = drawn(Tucker(0.5).for_tasks(names), LINEAR, list(names), 0)
    turned = drawn(Tucker(0.5).for_tasks(names[::-1]), LINEAR, list(names[::-1]), 0)
    assert torch.equal(weight.task_vectors().flip(0), turned.task_vectors())
    assert_close(weight.stacked().flip(0), turned.stacked())


@pytest.mark.parametrize(
    "sharing",
    [
        LastAxisFlattening(2),
        Tucker((2, 2, 2)),
        TensorTrain((2, 2)),
        TensorRing(2),
        TensorRing(2, shared=0),
    ],
    ids=repr,
)
def test_a_task_starts_at_the_same_weight_whichever_others_there_are(sharing: Sharing) -> None:
    together = drawn(sharing, LINEAR, ["a", "b", "c", "d"], 0)
    some = drawn(sharing, LINEAR, ["c", "a"], 0)
    assert torch.equal(some.task_vectors(), together.task_vectors()[[2, 0]])
    assert_close(some.stacked(), together.stacked()[[2, 0]])


@pytest.mark.parametrize("shared", [0, 1, 2])
@pytest.mark.parametrize("common_start", [False, True])
def test_rings_of_unequal_shapes_have_the_size_of_each(shared: int, common_start: bool) -> None:
    modes = {"layer": [((4, 4, 2), (2, 3, 2)), ((4, 4), (2, 3))]}
    sharing = TensorRing(2, shared=shared, modes=modes, common_start=common_start)
    shapes, stds = ((32, 12), (16, 6), (32, 12)), (0.5, 0.2, 0.5)
    for seed in range(5):
        weight = sharing.draw({"layer": LayerShapes(shapes, stds)}, RandomStreams(seed, range(3)))[
            "layer"
        ]
        for task, std in enumerate(stds):
            size = float(weight.of(task).detach().square().mean().sqrt())
            assert size == pytest.approx(std, rel=1e-5)


def test_every_shared_factor_has_one_size() -> None:
    # A factor of one number, such as a grey image's channel has, would be near zero for some seeds.
    weight = drawn(Tucker(1.0), GREY_IMAGES, [0, 1, 2], 0)
    shared = [factor for name, factor in weight.factors.items() if name != "task"]
    root_mean_squares = torch.stack([factor.detach().square().mean().sqrt() for factor in shared])
    assert_close(root_mean_squares, root_mean_squares[:1].expand(len(shared)))


def test_directions_of_the_tasks_weights_are_not_biased() -> None:
    # The mean of many tasks' weights is as near zero as that of vectors of random directions.
    equation, sizes_of = "ABC,aA,bB,tC->tab", {"a": 6, "b": 5, "A": 3, "B": 4, "C": 4}
    factors = draw_factors(
        equation,
        sizes_of,
        ["core", "left", "right", "task"],
        std=STD,
        streams=RandomStreams(0, range(4000)),
        layer="layer",
    )
    composed = torch.einsum(equation, *factors.values()).flatten(1)
    assert float(composed.mean(0).square().mean().sqrt()) < 3 * STD / 4000**0.5


def test_weights_of_size_zero_are_zero() -> None:
    layer = {"layer": LayerShapes((LINEAR,), 0.0)}
    weight = Tucker(0.5).draw(layer, RandomStreams(0, range(3)))["layer"]
    assert not weight.stacked().any()
