"""Networks to start from: their layers, shapes and refusals."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from softshare.network.templates.standard import lenet, mlp, omniglot_cnn, template_for


def layers_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {
        name.removesuffix(".weight"): tuple(value.shape)
        for name, value in network.named_parameters()
        if name.endswith(".weight")
    }


def test_a_perceptron_has_the_widths_asked_for() -> None:
    network = mlp((2, 3), 4, hidden=(5, 7))
    assert layers_of(network) == {"layers.0": (5, 6), "layers.1": (7, 5), "output": (4, 7)}
    assert network(torch.zeros(8, 2, 3)).shape == (8, 4)
    assert layers_of(mlp((3,), 2, hidden=())) == {"output": (2, 3)}


def test_dropout_follows_every_hidden_layer() -> None:
    network = mlp((3,), 1, hidden=(4, 4), dropout=0.25)
    kinds = [type(module).__name__ for module in network[1]]
    assert kinds == ["Linear", "ReLU", "Dropout"] * 2
    assert all(m.p == 0.25 for m in network.modules() if isinstance(m, nn.Dropout))
    assert not any(isinstance(m, nn.Dropout) for m in mlp((3,), 1).modules())


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 13)])
def test_lenet_halves_images_twice(shape: tuple[int, ...]) -> None:
    network = lenet(shape, 10)
    assert list(layers_of(network)) == ["conv0", "conv1", "hidden", "output"]
    pixels = (shape[1] // 4) * (shape[2] // 4)
    assert layers_of(network)["hidden"] == (128, 64 * pixels)
    assert network(torch.zeros(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize("shape", [(1, 105, 105), (2, 24, 31)])
def test_the_omniglot_network_takes_images_of_any_size_from_24_pixels(
    shape: tuple[int, ...],
) -> None:
    network = omniglot_cnn(shape, 20)
    windows = [tuple(layers_of(network)[f"conv{number}"]) for number in range(3)]
    assert windows == [(8, shape[0], 5, 5), (12, 8, 3, 3), (16, 12, 3, 3)]
    assert network(torch.zeros(2, *shape)).shape == (2, 20)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lenet, (28, 28), r"lenet: input_shape must be \(channels, height, width\)"),
        (lenet, (1, 3, 9), "3×9 images cannot be halved 2 times"),
        (omniglot_cnn, (1, 23, 40), r"at least 24 × 24 pixels, got \(1, 23, 40\)"),
        (omniglot_cnn, (), r"got \(\)"),
    ],
)
def test_inputs_that_are_no_such_images_are_refused(
    make: object, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make(shape, 2)


def test_the_default_network_fits_the_inputs() -> None:
    assert "layers.0" in layers_of(template_for((9,))((9,), 2))
    assert "conv1" in layers_of(template_for((1, 28, 28))((1, 28, 28), 2))
    assert "conv2" in layers_of(template_for((1, 105, 105))((1, 105, 105), 2))
