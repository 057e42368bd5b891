"""What the table says of torch's modules, held against what they do."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import activation

from softshare.network.execution.known_modules import KNOWN, can_map, facts_of, paper_axes
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.elementwise import ELEMENTWISE, is_elementwise
from softshare.sharing.independent import Independent
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

OPTIONS = {
    nn.Threshold: (0.5, 0.25),
    nn.Unflatten: (1, (2, 2)),
    nn.PixelShuffle: (2,),
    nn.PixelUnshuffle: (2,),
    nn.Upsample: (None, 2),
    nn.Linear: (4, 3),
    nn.Bilinear: (4, 4, 3),
    nn.Embedding: (9, 3),
    nn.LayerNorm: (4,),
    nn.RMSNorm: (4,),
    nn.GroupNorm: (2, 4),
    nn.LocalResponseNorm: (2,),
    nn.Softmax: (1,),
    nn.Softmin: (1,),
    nn.LogSoftmax: (1,),
}
"""What else is needed to make a module of a kind."""

LARGER_THAN_AN_ELEMENT = {nn.GLU, nn.PReLU, nn.Softmax, nn.Softmin, nn.Softmax2d, nn.LogSoftmax}

NOT_ZERO_AT_ZERO = {nn.Sigmoid, nn.Hardsigmoid, nn.LogSigmoid, nn.Softplus, nn.Threshold}


def made(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    if kind in OPTIONS:
        return kind(*OPTIONS[kind])
    name = kind.__name__
    if name.startswith("ConvTranspose") or name.startswith("Conv"):
        return kind(4, 3, 2)
    if name.startswith("Adaptive"):
        return kind(2)
    if name.startswith("LPPool"):
        return kind(2, 2)
    if name.startswith("ConstantPad"):
        return kind(1, 0.5)
    return kind(1) if "Pad" in name else kind(2) if "Pool" in name else kind()


def rows_for(kind: type[nn.Module]) -> Tensor:
    """Six rows of four channels or features."""
    torch.manual_seed(1)
    if kind is nn.Embedding:
        return torch.randint(9, (6, 5))
    if kind in (nn.Linear, nn.Bilinear, nn.LayerNorm, nn.RMSNorm, nn.Unflatten):
        return torch.randn(6, 4)
    n_window = next((n for n in (1, 2, 3) if kind.__name__.endswith(f"{n}d")), 2)
    return torch.randn(6, 4, *[6] * n_window)


def called(module: nn.Module, x: Tensor) -> Tensor:
    return module(x, x) if isinstance(module, nn.Bilinear) else module(x)


BY_ROW = [kind for kind, facts in KNOWN.items() if facts.is_by_row and not facts.is_random]


@pytest.mark.parametrize("kind", BY_ROW, ids=lambda kind: kind.__name__)
def test_what_is_by_row_gives_every_row_what_it_gives_it_alone(kind: type[nn.Module]) -> None:
    module, x = made(kind), rows_for(kind)
    alone = torch.cat([called(module, row) for row in x.split(1)])
    torch.testing.assert_close(called(module, x), alone)


BY_CHANNEL = [kind for kind in BY_ROW if KNOWN[kind].reach in ("element", "channel")]


@pytest.mark.parametrize("kind", BY_CHANNEL, ids=lambda kind: kind.__name__)
def test_what_is_by_channel_may_have_channels_among_the_rows(kind: type[nn.Module]) -> None:
    module, x = made(kind), rows_for(kind)
    alone = torch.stack([module(channel.unsqueeze(1)) for channel in x.unbind(1)], 1)
    torch.testing.assert_close(module(x), alone.squeeze(2))


@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_what_is_elementwise_takes_every_element_by_itself(kind: type[nn.Module]) -> None:
    module, x = made(kind), 3 * rows_for(kind)
    alone = torch.stack([module(element) for element in x.flatten()])
    torch.testing.assert_close(module(x), alone.view_as(x))


def test_every_activation_of_torch_is_known() -> None:
    kinds = {getattr(activation, name) for name in activation.__all__}
    attention = {nn.MultiheadAttention}
    random = {nn.RReLU}
    assert kinds <= KNOWN.keys()
    assert kinds - LARGER_THAN_AN_ELEMENT - attention - random == set(ELEMENTWISE) - {nn.Identity}


@pytest.mark.parametrize("kind", ELEMENTWISE, ids=lambda kind: kind.__name__)
def test_tasks_of_unequal_width_may_have_any_activation(kind: type[nn.Module]) -> None:
    """Zeros fill up the narrower task; what an activation makes of these meets weights of zero."""
    assert (float(made(kind)(torch.zeros(()))) != 0) == (kind in NOT_ZERO_AT_ZERO)
    data = {
        "narrow": (torch.randn(6, 5).numpy(), [0, 1, 2] * 2),
        "wide": (torch.randn(6, 5).numpy(), [0, 1, 2, 3, 4, 0]),
    }

    def template(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
        hidden = 2 * n_outputs
        return nn.Sequential(nn.Linear(5, hidden), made(kind), nn.Linear(hidden, n_outputs))

    network = MultiTaskNetwork(
        template, TaskSet.from_arrays(data, kinds="multiclass"), initial="independent"
    )
    rows = torch.randn(2, 7, 5)
    outputs = network.run(rows)
    torch.testing.assert_close(outputs[0, :, :3], network.task("narrow")(rows[0]))
    torch.testing.assert_close(outputs[1], network.task("wide")(rows[1]))


@pytest.mark.parametrize("kind", [nn.Mish, nn.Hardswish, nn.CELU, nn.GELU, nn.Softsign])
def test_rows_that_all_tasks_see_stay_one_copy_through_activations(kind: type[nn.Module]) -> None:
    counts = []
    for chosen in (nn.ReLU, kind):
        template = nn.Sequential(nn.Linear(5, 4), chosen(), nn.Linear(4, 4), chosen())
        tasks = [Task(str(number), "binary") for number in range(12)]
        template.append(nn.Linear(4, 1))
        network = MultiTaskNetwork(template, tasks, sharing=Tied(), initial="independent")
        plan = network.plan(torch.randn(7, 5), one_input=True)
        counts.append([decision.multiply_adds for decision in plan])
    assert counts[0] == counts[1]
    assert counts[0][:2] == [7 * 5 * 4, 7 * 4 * 4]  # once for all 12 tasks


def test_a_subclass_counts_as_its_kind_while_it_keeps_the_forward() -> None:
    class Named(nn.GELU):
        pass

    class Noisy(nn.GELU):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + torch.randn_like(x)

    class Scaled(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * super().forward(x)

    assert is_elementwise(Named())
    assert facts_of(Named()).is_elementwise
    assert not is_elementwise(Noisy())
    assert facts_of(Noisy()).reach is None
    assert facts_of(Scaled(1, 2, 3)).reach is None
    assert paper_axes(Scaled(1, 2, 3), "weight", 4) == (2, 3, 1, 0)
    assert facts_of(nn.LSTM(2, 2)).reach == "whole"


@pytest.mark.parametrize(
    "module", [nn.Softmax(0), nn.Flatten(0), nn.LogSoftmax(None), nn.BatchNorm1d(4)], ids=str
)
def test_options_that_mix_rows_are_told(module: nn.Module) -> None:
    assert facts_of(module).reach == "batch"


@pytest.mark.parametrize("make", [functools.partial(nn.Softmax, 0), functools.partial(nn.GLU, 0)])
def test_what_mixes_rows_keeps_to_each_tasks_own(make: functools.partial[nn.Module]) -> None:
    template = nn.Sequential(nn.Linear(5, 4), make(), nn.Linear(4, 1))
    network = MultiTaskNetwork(
        template, [Task(name, "binary") for name in "ab"], initial="independent"
    )
    rows = torch.randn(2, 6, 5)
    wanted = torch.stack([network.task(name)(own) for name, own in zip("ab", rows, strict=True)])
    torch.testing.assert_close(network.run(rows), wanted)


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        (nn.Linear(2, 3), (1, 0)),
        (nn.Conv1d(2, 3, 4), (2, 1, 0)),
        (nn.ConvTranspose2d(2, 3, 4), (2, 3, 0, 1)),
        (nn.Embedding(2, 3), (0, 1)),
    ],
    ids=str,
)
def test_weights_axes_end_with_inputs_and_outputs(
    module: nn.Module, wanted: tuple[int, ...]
) -> None:
    assert paper_axes(module, "weight", len(wanted)) == wanted
    assert paper_axes(module, "bias", 1) == (0,)


def test_what_vmap_would_not_keep_is_not_mapped() -> None:
    assert can_map(nn.Embedding(3, 2))
    assert not can_map(nn.Embedding(3, 2, padding_idx=0))
    assert not can_map(nn.ConvTranspose1d(1, 1, 2))


def test_a_transposed_convolution_that_all_tasks_share_runs_once() -> None:
    template = nn.Sequential(nn.ConvTranspose1d(2, 3, 2), nn.Flatten(), nn.Linear(15, 1))
    tasks = [Task(name, "binary") for name in "abc"]
    rows = torch.randn(3, 5, 2, 4)
    for sharing, way in ((Tied(), "once on the folded batch"), (Independent(), "task by task")):
        network = MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent")
        assert network.plan(rows)[0].way.startswith(way)
        wanted = [network.task(name)(own) for name, own in zip("abc", rows, strict=True)]
        torch.testing.assert_close(network.run(rows), torch.stack(wanted))
