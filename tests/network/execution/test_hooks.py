"""Hooks of a template's modules act in the joint pass as in each task's own network."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, spectral_norm

from softshare.network.execution.hooks import has_hooks
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task


def tasks_of(n_tasks: int) -> list[Task]:
    return [Task(str(number), "binary") for number in range(n_tasks)]


def assert_same(network: MultiTaskNetwork, rows: Tensor) -> None:
    """Outputs and the inputs' gradients, against the tasks' own networks."""
    given = rows.clone().requires_grad_()
    singles = [network.task(task.name) for task in network.tasks]
    alone = torch.stack([single(own) for single, own in zip(singles, given, strict=True)])
    together = network.run(given)
    torch.testing.assert_close(together, alone)
    wanted, found = (torch.autograd.grad(y.square().sum(), given)[0] for y in (alone, together))
    torch.testing.assert_close(found, wanted)


def over_the_batch(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """A forward hook that looks at all the rows that it is shown."""
    return output - output.mean(0)


def before(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (inputs[0] * inputs[0].std(),)


def halved(module: nn.Module, into: tuple[Tensor, ...], out: tuple[Tensor, ...]) -> tuple:
    return (into[0] / 2,)


def doubled(module: nn.Module, out: tuple[Tensor, ...]) -> tuple:
    return (out[0] * 2,)


REGISTER: dict[str, Callable[[nn.Module], object]] = {
    "forward": lambda module: module.register_forward_hook(over_the_batch),
    "forward pre": lambda module: module.register_forward_pre_hook(before),
    "backward": lambda module: module.register_full_backward_hook(halved),
    "backward pre": lambda module: module.register_full_backward_pre_hook(doubled),
}

TEMPLATES: dict[str, Callable[[], nn.Sequential]] = {
    "linear": lambda: nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1)),
    "convolution": lambda: nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(4, 1)),
    "norm": lambda: nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 1)),
    "activation": lambda: nn.Sequential(nn.Tanh(), nn.Linear(4, 1)),
    "container": lambda: nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU()), nn.Flatten(), nn.Linear(8, 1)
    ),
}
"""The first module gets the hook."""

SHAPES = {"convolution": (1, 4), "container": (1, 2, 2)}


@pytest.mark.parametrize("sharing", [Independent(), Tied()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", REGISTER)
@pytest.mark.parametrize("name", TEMPLATES)
def test_hooks_act_on_each_tasks_rows(name: str, kind: str, sharing: Sharing) -> None:
    template = TEMPLATES[name]()
    REGISTER[kind](template[0])
    network = MultiTaskNetwork(template, tasks_of(2), sharing=sharing)
    assert_same(network, torch.randn(2, 5, *SHAPES.get(name, (4,))))


def test_a_hook_sees_tensors_of_its_own_with_many_tasks_too() -> None:
    seen: list[Tensor] = []
    template = nn.Sequential(nn.Bilinear(3, 3, 2), nn.Linear(2, 1))

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(3, 3), nn.RNNCell(3, 2))
            self.inner[0].register_forward_hook(lambda module, inputs, y: seen.append(y.detach()))

        def forward(self, x: Tensor) -> Tensor:
            return self.inner(x)

    template[0] = Twice()
    network = MultiTaskNetwork(template, tasks_of(12))
    network.run(torch.randn(12, 5, 3))
    assert [tuple(y.shape) for y in seen] == [(5, 3)] * 12


def test_hooks_of_the_whole_template_act() -> None:
    template = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
    template.register_forward_hook(over_the_batch)
    assert_same(MultiTaskNetwork(template, tasks_of(2)), torch.randn(2, 5, 4))


def test_a_modules_hooks_are_found() -> None:
    for register in REGISTER.values():
        module = nn.Linear(2, 2)
        assert not has_hooks(module)
        register(module)
        assert has_hooks(module)


NORMED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "spectral_norm by hooks": spectral_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "weight_norm": parametrizations.weight_norm,
    "orthogonal": parametrizations.orthogonal,
}


@pytest.mark.parametrize("n_tasks", [2, 11])
@pytest.mark.parametrize("sharing", [Independent(), Tied()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("layer", [nn.Linear(4, 4), nn.Conv1d(1, 2, 3)], ids=["linear", "conv"])
@pytest.mark.parametrize("name", NORMED)
def test_reparametrised_weights_are_each_tasks_own(
    name: str, layer: nn.Module, sharing: Sharing, n_tasks: int
) -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # spectral_norm by hooks is deprecated
        normed = NORMED[name](type(layer)(*_sizes(layer)))
    template = nn.Sequential(normed, nn.Flatten(), nn.Linear(4, 1))
    shape = (1, 4) if isinstance(layer, nn.Conv1d) else (4,)
    network = MultiTaskNetwork(template, tasks_of(n_tasks), sharing=sharing)
    rows = torch.randn(n_tasks, 5, *shape)
    singles = [network.task(task.name).train() for task in network.tasks]
    for _ in range(2):  # the power iterations of a spectral norm go on from pass to pass
        alone = torch.stack([single(own) for single, own in zip(singles, rows, strict=True)])
        torch.testing.assert_close(network.run(rows), alone)
    for single, task in zip(singles, network.tasks, strict=True):
        torch.testing.assert_close(network.task(task.name).state_dict(), single.state_dict())


def _sizes(layer: nn.Module) -> tuple[int, ...]:
    return (1, 2, 3) if isinstance(layer, nn.Conv1d) else (4, 4)
