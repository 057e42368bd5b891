"""Soft ordering against the sum it is defined by, and against the orders that it contains."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from softshare.sharing.layer_scales import Gate, LayerScales
from softshare.sharing.soft_ordering import SoftOrdering, adapted

GATES: tuple[Gate, ...] = ("softmax", "sigmoid")


def core(n_layers: int = 3, *, width: int = 4, **settings: object) -> SoftOrdering:
    return SoftOrdering([nn.Linear(width, width) for _ in range(n_layers)], **settings).double()  # type: ignore[arg-type]


def by_definition(module: SoftOrdering, x: Tensor, scales: Tensor) -> Tensor:
    """Equation 7, term by term."""
    for depth in range(scales.shape[0]):
        total = torch.zeros_like(x)
        for layer, weights in enumerate(module.layers):
            total = total + scales[depth, layer] * torch.relu(x @ weights.weight.T + weights.bias)  # type: ignore[operator, union-attr]
        x = total
    return x


@pytest.mark.parametrize("depth", [None, 1, 5])
@pytest.mark.parametrize("gate", GATES)
def test_it_is_the_sum_it_is_defined_by(gate: Gate, depth: int | None) -> None:
    module = core(3, gate=gate, depth=depth)
    nn.init.normal_(module.scales.weight)
    logits = module.scales.weight.detach()
    scales = (
        logits.exp() / logits.exp().sum(-1, keepdim=True)
        if gate == "softmax"
        else 1 / (1 + 2 * (-logits).exp())
    )
    x = torch.randn(7, 4, dtype=torch.float64)
    assert_close(module(x), by_definition(module, x, scales))


def test_gradients_equal_finite_differences() -> None:
    module = core(3, activation=nn.Tanh())
    nn.init.normal_(module.scales.weight)
    names = [name for name, _ in module.named_parameters()]
    x = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)

    def outputs(x: Tensor, *values: Tensor) -> Tensor:
        return torch.func.functional_call(module, dict(zip(names, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(
        outputs, (x, *(value.detach().clone().requires_grad_() for value in module.parameters()))
    )


@pytest.mark.parametrize("gate", GATES)
def test_scales_start_equal(gate: Gate) -> None:
    assert_close(
        core(4, gate=gate).scales(torch.zeros(2, 4)),
        torch.full((1, 4, 4), 0.25, dtype=torch.float64),
    )


def test_softmax_scales_sum_to_one() -> None:
    scales = LayerScales(3, 5)
    nn.init.normal_(scales.weight, std=3)
    assert_close(scales(torch.zeros(2, 1)).sum(-1), torch.ones(1, 3))


@pytest.mark.parametrize("gate", GATES)
def test_certain_scales_are_an_order(gate: Gate) -> None:
    module, order = core(3, gate=gate), (2, 0, 1)
    for depth, chosen in enumerate(order):
        for layer in range(3):
            module.scales.set_scale(depth, layer, 0.0)
        module.scales.set_scale(depth, chosen, 1.0)
    x = torch.randn(7, 4, dtype=torch.float64)
    expected = x
    for chosen in order:
        expected = module.layers[chosen](expected).relu()
    assert_close(
        module(x), expected, rtol=1e-14, atol=1e-15
    )  # one product of all layers rounds otherwise than one of each
    with torch.no_grad():  # where nothing is learned, layers that no scale uses are left out
        assert_close(module(x), expected, rtol=0, atol=0)


def test_a_layer_of_scale_zero_is_not_run_where_nothing_is_learned() -> None:
    module = core(2)
    with torch.no_grad():
        module.scales.weight.copy_(torch.tensor([[1000.0, -1000.0], [1000.0, -1000.0]]))
        module.layers[1].weight.fill_(torch.nan)  # type: ignore[union-attr, operator]
        assert module(torch.ones(1, 4, dtype=torch.float64)).isfinite().all()


def test_scales_that_are_all_zero_give_zero() -> None:
    module = core(2, gate="sigmoid", depth=1)
    for layer in range(2):
        module.scales.set_scale(0, layer, 0.0)
    x = torch.randn(3, 4, dtype=torch.float64)
    with torch.no_grad():
        assert torch.equal(module(x), torch.zeros_like(x))


def test_equal_layers_are_one_layer() -> None:
    module = core(3, depth=2)
    nn.init.normal_(module.scales.weight)
    for layer in module.layers:
        layer.load_state_dict(module.layers[0].state_dict())
    x = torch.randn(7, 4, dtype=torch.float64)
    assert_close(module(x), module.layers[0](module.layers[0](x).relu()).relu())


def test_convolutions_that_pool() -> None:
    layers = [nn.Conv2d(3, 3, 3, padding=1) for _ in range(2)]
    module = SoftOrdering(layers, activation=nn.Sequential(nn.MaxPool2d(2), nn.ReLU()))
    nn.init.normal_(module.scales.weight)
    x = torch.randn(5, 3, 8, 8)
    expected = x
    for scales in module.scales.weight.softmax(-1):
        expected = sum(
            s * nn.functional.max_pool2d(layer(expected).relu(), 2)
            for s, layer in zip(scales, layers, strict=True)
        )  # type: ignore[assignment]
    assert module(x).shape == (5, 3, 2, 2)
    assert_close(module(x), expected)


def test_dropout_follows_each_depth() -> None:
    module = core(2, dropout=0.5)
    seen: list[Tensor] = []
    module.dropout.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    module(torch.randn(3, 4, dtype=torch.float64))
    assert len(seen) == 2


def test_layers_of_other_widths_go_through_adapters() -> None:
    layers = [
        nn.Linear(4, 4),
        adapted(nn.Linear(2, 9), 4),
        adapted(nn.Linear(4, 3), 4, activation=nn.Tanh()),
    ]
    assert [[name for name, _ in layer.named_children()] for layer in layers[1:]] == [
        ["before", "layer", "activation", "after"],
        ["layer", "activation", "after"],
    ]
    module = SoftOrdering(layers)
    x = torch.randn(5, 4)
    expected = x
    for _ in range(3):
        expected = sum(layer(expected).relu() for layer in layers) / 3  # type: ignore[assignment]
    assert_close(module(x), expected)
    for layer, window in (
        (nn.Conv1d(2, 3, 3, padding=1), (5,)),
        (nn.Conv3d(2, 3, 3, padding=1), (5, 5, 5)),
    ):
        inputs = torch.randn(2, 4, *window)
        assert adapted(layer, 4)(inputs).shape == inputs.shape
    for other in (nn.LSTM(4, 4), nn.ConvTranspose2d(4, 4, 3)):
        with pytest.raises(
            ValueError, match=f"layer must be an nn.Linear, .* got {type(other).__name__}"
        ):
            adapted(other, 4)  # type: ignore[arg-type]
    convolution = adapted(nn.Conv2d(2, 3, 3, padding=1), 4)
    assert convolution(torch.randn(1, 4, 6, 6)).shape == (1, 4, 6, 6)
    assert nn.Sequential(adapted(nn.Linear(4, 4), 4))(x).shape == x.shape


@pytest.mark.parametrize("gate", GATES)
def test_setting_one_scale(gate: Gate) -> None:
    scales = LayerScales(2, 3, gate=gate).double()
    nn.init.normal_(scales.weight)
    before = scales.scales(scales.weight.detach())
    for value in (0.0, 0.3, 0.5, 1.0):
        changed = copy.deepcopy(scales)
        changed.set_scale(1, 2, value)
        after = changed.scales(changed.weight.detach())
        assert_close(after[1, 2].item(), value)
        assert_close(after[0], before[0])
        left = 1.0 if gate == "sigmoid" else (1 - value) / (1 - before[1, 2])
        assert_close(after[1, :2], before[1, :2] * left)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one layer"):
        SoftOrdering([])
    with pytest.raises(ValueError, match="depth=0"):
        core(2, depth=0)
    with pytest.raises(ValueError, match=r"\{0: \(4, 4\), 1: \(4, 5\)\}.*ss\.adapted"):
        SoftOrdering([nn.Linear(4, 4), nn.Linear(4, 5)])
    with pytest.raises(ValueError, match="gate must be 'softmax' or 'sigmoid', got 'hard'"):
        core(gate="hard")
    with pytest.raises(ValueError, match="depth must be below 2 and layer below 3"):
        LayerScales(2, 3).set_scale(2, 0, 0.5)
    with pytest.raises(ValueError, match="only layer"):
        LayerScales(2, 1).set_scale(0, 0, 0.5)


@pytest.mark.parametrize("n_layers", [2, 3, 7])
@pytest.mark.parametrize("gate", GATES)
def test_scales_start_as_equal_parts_of_one(gate: Gate, n_layers: int) -> None:
    scales = LayerScales(3, n_layers, gate=gate)(torch.zeros(5, 2))
    assert_close(scales, torch.full((1, 3, n_layers), 1 / n_layers))
