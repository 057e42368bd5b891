"""The papers' networks: their numbers of weights as the papers print them, and their modes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from math import prod

import numpy as np
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates import (
    blocks,
    bottleneck,
    convolutional,
    soft_layer_ordering,
    tensor_ring_nets,
)
from softshare.sharing.algebra.modes import check_modes, given_modes
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet


def weights_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Layer → the shape of its weight, biases left out as the papers count."""
    return {
        path.removesuffix(".weight"): tuple(value.shape)
        for path, value in network.named_parameters()
        if path.endswith(".weight")
    }


def n_weights(network: nn.Module) -> int:
    return sum(map(prod, weights_of(network).values()))


@pytest.mark.parametrize(
    ("n_weights_in_all", "hidden", "is_shared"),
    [(4_351_040, 128, False), (436_256, 128, True), (1_644_320, 512, True)],
    ids=["STL", "UD-MTL", "UD-MTL-Large"],
)
def test_lenet_has_the_papers_numbers_of_weights(
    n_weights_in_all: int, hidden: int, is_shared: bool
) -> None:
    network = convolutional.dmtrl_lenet((1, 28, 28), 1, hidden=hidden)
    n_own = prod(weights_of(network)["output"]) if is_shared else n_weights(network)
    n_shared = n_weights(network) - n_own
    assert 10 * n_own + n_shared == n_weights_in_all


@pytest.mark.parametrize("side", [28, 32])
def test_lenets_even_window_is_a_same_convolution(side: int) -> None:
    """Its mirror image, by SAME's definition: as many outputs as inputs, zeros around."""
    network = convolutional.dmtrl_lenet((1, side, side), 1)
    maps = torch.randn(2, 32, side // 2, side // 2)
    conv = network.get_submodule("conv1")
    padded = nn.functional.pad(maps, (2, 1, 2, 1))
    same = nn.functional.conv2d(padded, conv.weight, conv.bias)  # type: ignore[arg-type]
    assert same.shape[2:] == maps.shape[2:]
    pooled = network.get_submodule("pool1")(conv(maps))
    assert_close(pooled, nn.functional.max_pool2d(same, 2))


def test_he_keeps_the_signal_of_every_layer() -> None:
    torch.manual_seed(0)
    network = convolutional.dmtrl_lenet((1, 28, 28), 1)
    for layer, shape in weights_of(network).items():
        weight = network.get_parameter(f"{layer}.weight")
        gain = 1 if layer == "output" else 2
        expected = (gain / prod(shape[1:])) ** 0.5
        assert weight.std().item() == pytest.approx(expected, rel=0.2)
        assert not network.get_parameter(f"{layer}.bias").any()


def test_levi_and_hassners_network_at_their_crops() -> None:
    network = convolutional.levi_hassner_cnn((3, 227, 227), 8)
    assert weights_of(network) == {
        "conv0": (96, 3, 7, 7),
        "conv1": (256, 96, 5, 5),
        "conv2": (384, 256, 3, 3),
        "hidden0": (512, 384 * 7 * 7),
        "hidden1": (512, 512),
        "output": (8, 512),
    }


def test_levi_and_hassners_network_takes_small_images() -> None:
    network = convolutional.levi_hassner_cnn((3, 35, 35), 2)
    assert network(torch.zeros(2, 3, 35, 35)).shape == (2, 2)
    assert convolutional.levi_hassner_cnn((3, 64, 64), 2)(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


def test_omniglots_features_are_the_papers() -> None:
    network = tensor_ring_nets.omniglot_cnn((1, 105, 105), 50)
    assert weights_of(network)["hidden0"] == (256, 23_328)


def test_cifars_features_are_the_papers() -> None:
    network = tensor_ring_nets.cifar10_cnn((3, 32, 32), 10)
    shapes = weights_of(network)
    assert [shapes[f"conv{k}"][:2] for k in range(4)] == [
        (64, 3),
        (128, 64),
        (256, 128),
        (512, 256),
    ]
    assert shapes["hidden0"] == (1024, 8192)
    assert shapes["hidden1"] == (512, 1024)
    assert set(tensor_ring_nets.CIFAR10_RINGS) < set(shapes)


def digits(sides: Mapping[str, tuple[int, ...]]) -> TaskSet:
    numbers = np.random.default_rng(0)
    arrays = {
        name: (numbers.random((4, *shape), dtype=np.float32), np.arange(4) % 2)
        for name, shape in sides.items()
    }
    return TaskSet.from_arrays(arrays, kinds="multiclass")


def ring_weights(network: MultiTaskNetwork) -> int:
    """Weights of all tasks, biases left out as the paper counts."""
    layers = [*network.layers.values()]
    return sum(value.numel() for layer in layers for value in layer.parameters())


@pytest.mark.parametrize(
    ("ranks", "n_heads", "expected"), [(4, 10, 13_760), (5, 0, 13_500)], ids=["heads", "none"]
)
def test_odd_and_even_digits_have_the_papers_13k_weights(
    ranks: int, n_heads: int, expected: int
) -> None:
    tasks = [Task(name, "multiclass", 10) for name in ("odd", "even")]
    template = tensor_ring_nets.digits_mlp((1, 28, 28), 10)
    ring = TensorRing(ranks, shared="420", modes=tensor_ring_nets.DIGITS_MODES)
    network = MultiTaskNetwork(template, tasks, sharing={"layers.*": ring}, initial="independent")
    of_heads = 2 * 256 * 10
    assert ring_weights(network) - of_heads + 2 * 256 * n_heads == expected
    assert 2 * n_weights(template) == 6_060_032


@pytest.mark.parametrize(
    ("modes", "n_inputs"),
    [
        (tensor_ring_nets.COLOUR_AND_GREY_MODES, (32 * 32 * 3, 32 * 32)),
        (tensor_ring_nets.UNEQUAL_SIZES_MODES, (16 * 32 * 3, 16 * 16 * 3, 32 * 32 * 3)),
    ],
    ids=["channels", "sizes"],
)
def test_modes_of_unequal_inputs_are_the_layers(
    modes: tensor_ring_nets.LayerModes, n_inputs: tuple[int, ...]
) -> None:
    for n_in in n_inputs:
        widths = (n_in, *tensor_ring_nets.UNEQUAL_WIDTHS)
        for number, sizes in enumerate(pairwise(widths)):
            layer = f"layers.{number}"
            check_modes(layer, modes[layer])
            given_modes(layer, modes[layer], *sizes)


@pytest.mark.parametrize(
    ("n_blocks", "modes", "shapes"),
    [
        (32, tensor_ring_nets.COLOUR_AND_GREY_MODES, [(3, 32, 32), (1, 32, 32)]),
        (16, tensor_ring_nets.UNEQUAL_SIZES_MODES, [(3, 16, 32), (3, 16, 16), (3, 32, 32)]),
    ],
    ids=["channels", "sizes"],
)
def test_shared_cores_see_the_same_part_of_unequal_images(
    n_blocks: int, modes: tensor_ring_nets.LayerModes, shapes: list[tuple[int, int, int]]
) -> None:
    of_tasks = []
    for shape in shapes:
        _, height, width = shape
        channel, row, column = np.indices(shape)
        block = row // (height // n_blocks) * n_blocks + column // (width // n_blocks)
        image = torch.tensor(block * 3 + channel if n_blocks == 16 else block)
        flat = blocks.InBlocks(n_blocks)(image[None])[0]
        assert sorted(flat.tolist()) == sorted(image.flatten().tolist())
        inputs, _ = given_modes("layers.0", modes["layers.0"], prod(shape), 6144)
        # All but the last core are shared: what they see must not differ along its mode.
        seen = flat.reshape(-1, inputs[-1])
        assert (seen == seen[:, :1]).all()
        of_tasks.append(seen[:, 0])
    for other in of_tasks[1:]:
        assert_close(other, of_tasks[0])


def test_unequal_images_need_equal_blocks() -> None:
    template = tensor_ring_nets.unequal_inputs_mlp
    with pytest.raises(ValueError, match=r"images of 32 × 24 pixels have no 16 equal blocks"):
        template((3, 32, 24), 4, blocks=16, hidden=(2,))
    with pytest.raises(ValueError, match=r"input_shape must be \(channels, height, width\)"):
        template((3072,), 4, blocks=16, hidden=(2,))
    network = template((3, 32, 32), 4, blocks=16, hidden=(8, 6))
    assert list(weights_of(network)) == ["layers.0", "layers.1", "output"]
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 4)


def test_omniglots_modes_are_its_layers() -> None:
    shapes = weights_of(tensor_ring_nets.omniglot_cnn((1, 105, 105), 50))
    assert list(tensor_ring_nets.OMNIGLOT_MODES) == ["conv1", "conv2", "hidden0"]
    for layer, modes in tensor_ring_nets.OMNIGLOT_MODES.items():
        n_out, n_in = shapes[layer][:2]
        given_modes(layer, modes, n_in, n_out)


def test_omniglot_and_mnist_share_the_cores_that_are_alike() -> None:
    for n_in, widths in tensor_ring_nets.OMNIGLOT_MNIST_WIDTHS.items():
        sizes = (n_in, *widths)
        for number, (before, after) in enumerate(pairwise(sizes)):
            layer = f"layers.{number}"
            inputs, outputs = given_modes(
                layer, tensor_ring_nets.OMNIGLOT_MNIST_MODES[layer], before, after
            )
            assert (inputs[0], inputs[1], outputs[0]) == (7, 7, 7 if number < 2 else 2)
    mnist = tensor_ring_nets.omniglot_mnist_mlp((1, 28, 28), 10)
    assert weights_of(mnist)["layers.2"] == (16, 1225)
    with pytest.raises(ValueError, match="105 × 105 or 28 × 28 pixels, got \\(1, 30, 30\\)"):
        tensor_ring_nets.omniglot_mnist_mlp((1, 30, 30), 10)


EVERY_TEMPLATE: dict[str, tuple[Callable[..., nn.Module], tuple[int, ...], int]] = {
    "dmtrl_lenet": (convolutional.dmtrl_lenet, (1, 8, 8), 2),
    "levi_hassner_cnn": (convolutional.levi_hassner_cnn, (3, 35, 35), 2),
    "digits_mlp": (tensor_ring_nets.digits_mlp, (4,), 2),
    "cifar10_cnn": (tensor_ring_nets.cifar10_cnn, (3, 8, 8), 2),
    "omniglot_cnn": (tensor_ring_nets.omniglot_cnn, (1, 9, 9), 2),
    "random_labels_network": (soft_layer_ordering.random_labels_network, (6,), 2),
    "digit_pairs_network": (soft_layer_ordering.digit_pairs_network, (6,), 2),
    "uci_network": (soft_layer_ordering.uci_network, (6,), 2),
    "omniglot_network": (soft_layer_ordering.omniglot_network, (1, 16, 16), 2),
    "attributes_network": (soft_layer_ordering.attributes_network, (6,), 2),
    "brightness_network": (soft_layer_ordering.brightness_network, (2,), 1),
    "bottleneck": (bottleneck.bottleneck, (6,), 2),
}


@pytest.mark.parametrize("name", EVERY_TEMPLATE)
def test_two_tasks_together_are_each_tasks_own_network(name: str) -> None:
    make, shape, n_outputs = EVERY_TEMPLATE[name]
    kind = "multiclass" if n_outputs == 2 else "regression"
    tasks = [Task(task, kind, n_outputs) for task in ("a", "b")]
    network = MultiTaskNetwork(make(shape, n_outputs), tasks, sharing=Tied()).eval()
    rows = torch.randn(2, 3, *shape)
    together = network.run(rows)
    for number, task in enumerate(tasks):
        own = network.task(task.name, own_units=False)(rows[number])
        assert_close(together[number], own, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (convolutional.dmtrl_lenet, (28, 28), "dmtrl_lenet: .* at least 4 × 4 pixels, got"),
        (convolutional.levi_hassner_cnn, (3, 34, 40), "at least 35 × 35 pixels"),
        (tensor_ring_nets.cifar10_cnn, (3, 7, 32), "cifar10_cnn: .* at least 8 × 8 pixels"),
        (tensor_ring_nets.omniglot_cnn, (1, 3, 3), "omniglot_cnn: .* at least 4 × 4 pixels"),
        (soft_layer_ordering.brightness_network, (2,), "n_outputs must be 1, .* got 2"),
    ],
)
def test_what_a_network_cannot_take_is_refused(
    make: Callable[..., nn.Module], shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(shape, 2)


def test_a_core_of_linear_layers_is_linear() -> None:
    network = soft_layer_ordering.random_labels_network((5,), 1).double()
    x, y = torch.randn(2, 4, 5, dtype=torch.float64)
    zero = network(torch.zeros_like(x))
    assert_close(network(x + y) - zero, network(x) + network(y) - 2 * zero)
    rectified = soft_layer_ordering.random_labels_network((5,), 1, activation="relu").double()
    at_zero = rectified(torch.zeros_like(x))
    assert not torch.allclose(rectified(x + y) - at_zero, rectified(x) + rectified(y) - 2 * at_zero)


def test_only_scales_distinguish_brightness_tasks() -> None:
    tasks = [Task(name, "regression") for name in ("a", "b")]
    template = soft_layer_ordering.brightness_network((2,))
    network = MultiTaskNetwork(template, tasks, sharing=Tied(bias="tied"))
    own = {
        path: weight.own_values(0)
        for path, weight in network.shared_weights.items()
        if list(weight.own_values(0))
    }
    assert list(own) == ["core.scales.weight"]


def test_frozen_random_encoders_are_each_tasks_own_and_stay() -> None:
    sharing: dict[str, Sharing] = {"encoder": Independent(), "*": Tied()}
    train = digits({"a": (1, 4, 4), "b": (1, 4, 4)})
    network = MultiTaskNetwork(soft_layer_ordering.digit_pairs_network, train, sharing=sharing)
    freeze(network, "encoder")
    encoder = network.layers["encoder"]
    assert not any(value.requires_grad for value in encoder.parameters())
    first, second = encoder.stacked()
    assert not torch.equal(first, second)
