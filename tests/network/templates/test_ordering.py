"""Orders of shared layers in all tasks at once, against each task's own network run by hand."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from softshare.network.diagnostics import diagnostics, sweep_scale
from softshare.network.freezing import freeze
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_cnn, ordering_mlp, ordering_template_for
from softshare.sharing.base import Sharing
from softshare.sharing.fixed_order import FixedOrder
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.layer_scales import Gate
from softshare.sharing.soft_ordering import SoftOrdering, adapted
from softshare.sharing.tied import Tied
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit

TASKS = tuple(Task(name, "binary") for name in ("a", "b", "c"))
SCALES = "core.scales"
SHARINGS = {
    "soft": Tied(),
    "one order": {SCALES: Tied(), "*": Tied()},
    "permuted": {SCALES: FixedOrder("permuted"), "*": Tied()},
    "parallel": {SCALES: FixedOrder("parallel"), "*": Tied()},
    "own encoder": {"encoder": Independent(), "*": Tied()},
    "own biases": Tied(bias="own"),
    "factorised core": {"core.layers.*": LastAxisFlattening(rank=2)},
    "nothing shared": Independent(),
}
every_sharing = pytest.mark.parametrize("sharing", SHARINGS.values(), ids=SHARINGS)


def mlp_network(
    sharing: object = SHARINGS["soft"],
    *,
    tasks: tuple[Task, ...] = TASKS,
    seed: int = 0,
    gate: Gate = "softmax",
) -> MultiTaskNetwork:
    torch.manual_seed(0)
    network = MultiTaskNetwork(
        ordering_mlp((5,), 1, width=6, depth=3, gate=gate),
        tasks,
        sharing=sharing,
        seed=seed,
        initial="independent",
    )  # type: ignore[arg-type]
    return disturbed(network).double()


def disturbed(network: MultiTaskNetwork) -> MultiTaskNetwork:
    """Learned scales away from their equal start."""
    for parameter in network.layers[SCALES].parameters():
        if parameter.requires_grad:
            nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    return network


def by_definition(network: MultiTaskNetwork, rows: Tensor) -> Tensor:
    """Task by task, depth by depth, layer by layer: equation 7 on the composed weights of the
    network.
    """
    weights = {path: weight.stacked() for path, weight in network.shared_weights.items()}
    outputs = []
    for task in range(len(network.tasks)):
        own = {path: stack[task] for path, stack in weights.items()}
        x = torch.relu(rows[task] @ own["encoder.weight"] + own["encoder.bias"])
        for scales in torch.softmax(own[f"{SCALES}.weight"], -1):
            terms = [
                torch.relu(x @ own[f"core.layers.{j}.weight"] + own[f"core.layers.{j}.bias"])
                for j in range(3)
            ]
            x = sum(
                (scale * term for scale, term in zip(scales, terms, strict=True)), torch.zeros(())
            )
        outputs.append(x @ own["output.weight"] + own["output.bias"])
    return torch.stack(outputs)


@every_sharing
def test_values_and_gradients_are_those_of_the_definition(sharing: Sharing) -> None:
    network = mlp_network(sharing)
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    results = []
    for outputs in (network.run(rows), by_definition(network, rows)):
        gradients = torch.autograd.grad(outputs.square().sum(), parameters, allow_unused=True)
        results.append((outputs, *[torch.zeros(()) if g is None else g for g in gradients]))
    for fast, naive in zip(*results, strict=True):
        assert_close(fast, naive.expand_as(fast))


@every_sharing
def test_the_joint_output_equals_each_tasks_own_network(sharing: Sharing) -> None:
    network = mlp_network(sharing)
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    joint, same = network.run(rows), network.run(rows[0], one_input=True)
    chosen = torch.tensor([2, 0])
    assert_close(network.run(rows[chosen], tasks=chosen), joint[chosen])
    for number, task in enumerate(TASKS):
        assert_close(joint[number], network.task(task.name)(rows[number]))
        assert_close(same[number], network.task(task.name)(rows[0]))


@pytest.mark.parametrize(
    "sharing", [SHARINGS["soft"], SHARINGS["permuted"], SHARINGS["nothing shared"]], ids=repr
)
def test_convolutional_cores(sharing: Sharing) -> None:
    template = ordering_cnn((1, 9, 8), 2, channels=4, depth=3)
    tasks = [Task(name, "multiclass", 2) for name in ("a", "b")]
    network = disturbed(
        MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent")
    ).double()
    rows = torch.randn(2, 5, 1, 9, 8, dtype=torch.float64)
    joint = network.run(rows)
    assert joint.shape == (2, 5, 2)
    for number, task in enumerate(tasks):
        single = network.task(task.name)
        padded = nn.functional.pad(rows[number], (0, 0, 0, 0, 0, 3))
        assert_close(joint[number], single(rows[number]))
        assert_close(joint[number], single(padded))


def test_one_task() -> None:
    for name in ("soft", "permuted"):
        network = mlp_network(SHARINGS[name], tasks=TASKS[:1])
        rows = torch.randn(1, 7, 5, dtype=torch.float64)
        assert_close(network.run(rows), by_definition(network, rows))


@pytest.mark.parametrize("name", ["soft", "one order"])
def test_scales_set_in_the_template_are_where_all_tasks_start(name: str) -> None:
    template = ordering_mlp((5,), 1, width=6, depth=3)
    scales = template.get_submodule("core.scales")
    scales.set_scale(0, 1, 0.9)  # type: ignore[operator]
    started = (
        MultiTaskNetwork(template, TASKS, sharing=SHARINGS[name], initial="independent")
        .layers[SCALES]
        .stacked()
    )
    assert_close(started, scales.get_parameter("weight").expand(3, 3, 3))


def test_an_order_is_drawn_whatever_scales_the_template_has() -> None:
    template = ordering_mlp((5,), 1, width=6, depth=3)
    template.get_submodule("core.scales").set_scale(0, 1, 0.9)  # type: ignore[operator]
    scales = (
        MultiTaskNetwork(template, TASKS, sharing=SHARINGS["permuted"], initial="independent")
        .layers[SCALES]
        .stacked()
        .softmax(-1)
    )
    assert torch.equal(scales.sum(1), torch.ones(3, 3))


def test_one_hot_scales_equal_the_permuted_order() -> None:
    permuted = mlp_network(SHARINGS["permuted"])
    soft = permuted.with_sharing(SHARINGS["soft"])
    assert soft.layers[SCALES].get_parameter("factors.weight").requires_grad
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    assert_close(soft.run(rows), permuted.run(rows), rtol=0, atol=0)
    for number in range(3):
        x = permuted.task(TASKS[number].name)[:3](rows[number])
        for layer in permuted.layers[SCALES].of(number).argmax(-1).tolist():
            x = permuted.task(TASKS[number].name).core.layers[layer](x).relu()  # type: ignore[operator, union-attr, index]
        assert_close(permuted.run(rows)[number], permuted.task(TASKS[number].name).output(x))  # type: ignore[operator]


def test_parallel_order_is_a_chain_of_shared_layers() -> None:
    network = mlp_network(SHARINGS["parallel"])
    rows = torch.randn(7, 5, dtype=torch.float64)
    parts = network.task("b")
    chain = nn.Sequential(
        parts[:3], *[nn.Sequential(layer, nn.ReLU()) for layer in parts.core.layers], parts.output
    )  # type: ignore[index, union-attr, arg-type]
    assert_close(network.run(rows, one_input=True)[1], chain(rows))


def test_scales_are_each_tasks_own_unless_named() -> None:
    network = mlp_network(Tied())
    assert {layer for layer, sharing in network.sharing.items() if sharing == Independent()} == {
        SCALES,
        "output",
    }
    before = network.layers[SCALES].stacked().clone()
    assert before.shape == (3, 3, 3)
    network.run(
        torch.randn(2, 7, 5, dtype=torch.float64), tasks=torch.tensor([0, 2])
    ).sum().backward()
    gradient = network.layers[SCALES].get_parameter("factors.weight").grad
    assert gradient is not None
    assert gradient.flatten(1).any(1).tolist() == [True, False, True]
    assert (
        sum(
            p.numel()
            for p in mlp_network({SCALES: Tied(), "*": Tied()}).layers[SCALES].parameters()
        )
        == 9
    )


def test_permuting_the_tasks_permutes_the_results() -> None:
    rows = torch.randn(7, 5)
    for name in ("permuted", "own encoder"):
        torch.manual_seed(0)
        template = ordering_mlp((5,), 1, width=6, depth=3)
        forwards, backwards = (
            MultiTaskNetwork(template, tasks, sharing=SHARINGS[name], seed=3, initial="independent")
            for tasks in (TASKS, TASKS[::-1])
        )  # type: ignore[arg-type]
        assert_close(
            forwards.run(rows, one_input=True), backwards.run(rows, one_input=True).flip(0)
        )


class Pyramid(nn.Module):
    """Core layers of three widths, and one that is convolved."""

    def __init__(self) -> None:
        super().__init__()
        self.core = SoftOrdering(
            [nn.Linear(5, 5), adapted(nn.Linear(3, 5), 5), adapted(nn.Linear(5, 8), 5)]
        )
        self.output = nn.Linear(5, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.output(self.core(x))
        return out


@pytest.mark.parametrize(
    "sharing",
    [Tied(), {"core.layers.*.before": Independent(), "*": Tied()}],
    ids=["tied", "own adapters"],
)
def test_layers_of_different_widths(sharing: Sharing) -> None:
    network = disturbed(
        MultiTaskNetwork(Pyramid(), TASKS, sharing=sharing, initial="independent")
    ).double()
    assert "core.layers.1.before" in network.layers
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    for number, task in enumerate(TASKS):
        assert_close(network.run(rows)[number], network.task(task.name)(rows[number]))


def made_tasks(widths: tuple[int, ...] = (4, 6, 4)) -> TaskSet:
    generator = np.random.default_rng(0)
    data = {}
    for name, width in zip("abc", widths, strict=False):
        inputs = generator.normal(size=(24, width)).astype(np.float32)
        data[name] = (inputs, (inputs[:, 0] > 0).astype(int))
    return TaskSet.from_arrays(data, kinds="binary")


def test_tasks_of_different_inputs_share_the_core() -> None:
    tasks = made_tasks()
    network = MultiTaskNetwork(
        functools.partial(ordering_mlp, width=6, depth=3, dropout=0.2),
        tasks,
        sharing=Tied(),
        initial="independent",
    )
    assert sum(p.numel() for p in network.layers["core.layers.0"].parameters()) == 36
    assert sum(p.numel() for p in network.layers["encoder"].parameters()) == (4 + 6 + 4) * 6
    fit(network, tasks, steps=5)
    network.eval()
    for number, task in enumerate(tasks.tasks):
        inputs = tasks.examples(number)[0]
        assert_close(network({task.name: inputs})[task.name], network.task(task.name)(inputs))
    ((diagnostic,),) = diagnostics(network).values()
    assert (diagnostic.name, diagnostic.axes, diagnostic.values.shape) == (
        "ordering",
        ("depth", "layer"),
        (3, 3, 3),
    )
    assert_close(
        diagnostic.values,
        torch.stack([network.layers[SCALES].of(t).softmax(-1).detach() for t in range(3)]),
    )


class Encoded(nn.Module):
    """An encoder with running statistics before the core."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU())
        self.core = SoftOrdering([nn.Linear(6, 6) for _ in range(2)])
        self.output = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.output(self.core(self.encoder(x)))
        return out


def test_frozen_parts_stay_bit_for_bit() -> None:
    tasks = made_tasks(widths=(4, 4))
    network = MultiTaskNetwork(
        Encoded(), tasks, sharing={"encoder.*": Independent(), "*": Tied()}, initial="independent"
    )
    freeze(network, ["encoder.*", SCALES])
    before = copy.deepcopy(network.state_dict())
    fit(network, tasks, steps=4, optimizer=functools.partial(torch.optim.AdamW, weight_decay=0.5))
    changed = {
        name for name, value in network.state_dict().items() if not torch.equal(value, before[name])
    }
    assert not any("encoder" in name or "scales" in name for name in changed)
    assert {name.split(".")[1] for name in changed} == {
        f"{layer}/{part}"
        for layer in ("core/layers/0", "core/layers/1", "output")
        for part in ("weight", "bias")
    }
    with pytest.raises(ValueError, match=r"nothing matches 'decoder'.*'encoder\.0\.weight'"):
        freeze(network, "decoder")


def test_freezing_a_part_leaves_the_statistics_of_a_new_task_elsewhere_alone() -> None:
    tasks = made_tasks(widths=(4, 4, 4))
    network = MultiTaskNetwork(
        Encoded(), tasks.keep_tasks([0, 1]), sharing=Tied(), initial="independent"
    )
    network.add_task(tasks.keep_tasks([2]))
    freeze(network, SCALES)
    fit(network, tasks.keep_tasks([2]), steps=2)
    assert network.task("c").get_buffer("encoder.1.running_mean").any()
    freeze(network, "encoder.1")
    kept = network.task("c").get_buffer("encoder.1.running_mean")
    fit(network, tasks.keep_tasks([2]), steps=2)
    assert torch.equal(network.task("c").get_buffer("encoder.1.running_mean"), kept)


def test_a_new_task_learns_its_scales_and_head_alone() -> None:
    tasks = made_tasks(widths=(4, 4, 4))
    network = MultiTaskNetwork(
        functools.partial(ordering_mlp, width=6, depth=3),
        tasks.keep_tasks([0, 1]),
        sharing=Tied(),
        initial="independent",
    )
    fit(network, tasks.keep_tasks([0, 1]), steps=3)
    rows = torch.randn(7, 4)
    before = {name: network.task(name)(rows) for name in "ab"}
    network.add_task(tasks.keep_tasks([2]))
    fit(network, tasks.keep_tasks([2]), steps=3)
    assert all(torch.equal(network.task(name)(rows), outputs) for name, outputs in before.items())
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == 3 * 3 + 6 + 1
    assert_close(network({"c": rows})["c"], network.task("c")(rows))


def test_a_sweep_changes_one_scale_of_one_task() -> None:
    network = mlp_network(gate="sigmoid").eval()
    before = copy.deepcopy(network.state_dict())
    rows = torch.randn(7, 5, dtype=torch.float64)
    swept = sweep_scale(network, "b", rows, depth=1, layer=2, values=[0.0, 0.25, 1.0])
    assert swept.shape == (3, 7, 1)
    assert not torch.equal(swept[0], swept[2])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    ((diagnostic,),) = diagnostics(network).values()
    own = sweep_scale(
        network, "b", rows, depth=1, layer=2, values=[float(diagnostic.values[1, 1, 2])]
    )
    assert_close(own[0], network.task("b")(rows))
    with pytest.raises(ValueError, match="one SoftOrdering, found 0"):
        sweep_scale(
            MultiTaskNetwork(nn.Linear(5, 1), TASKS, initial="independent"),
            "b",
            rows,
            depth=0,
            layer=0,
            values=[0.5],
        )


def test_state_copies_and_types() -> None:
    network = mlp_network(SHARINGS["soft"])
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    expected = network.run(rows)
    assert torch.equal(copy.deepcopy(network).run(rows), expected)
    other = mlp_network(SHARINGS["soft"], seed=5)
    assert not torch.equal(other.run(rows), expected)
    other.load_state_dict(network.state_dict())
    assert torch.equal(other.run(rows), expected)
    assert_close(network.float().run(rows.float()), expected.float(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["soft", "permuted"])
def test_one_tasks_network_can_be_exported_and_compiled(name: str) -> None:
    network = mlp_network(SHARINGS[name]).eval()
    rows = torch.randn(7, 5, dtype=torch.float64)
    single = network.task("b")
    with torch.no_grad():
        expected = single(rows)
        assert_close(torch.export.export(single, (rows,)).module()(rows), expected)
        assert_close(torch.compile(single, backend="aot_eager", fullgraph=True)(rows), expected)
    torch._dynamo.reset()


@pytest.mark.parametrize(
    "template",
    [ordering_mlp((5,), 1, width=4), ordering_cnn((5, 8, 8), 1, channels=6, depth=2)],
    ids=["dense", "images"],
)
def test_batches_of_an_exported_network_may_be_of_any_size(template: nn.Module) -> None:
    shape = (5, 8, 8) if isinstance(template[0], SoftOrdering) else (5,)
    dynamic = torch.export.export(
        template, (torch.randn(3, *shape),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    rows = torch.randn(8, *shape)
    assert_close(dynamic.module()(rows), template(rows))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: ordering_cnn((1, 9, 7), 1, depth=3),
            r"at least 8 × 8 pixels, which 3 layers halve 3 times; got \(1, 9, 7\)",
        ),
        (lambda: ordering_cnn((4, 8, 8), 1, channels=3, depth=1), "at most 3 channels"),
        (lambda: ordering_cnn((8,), 1), r"got \(8,\)"),
        (lambda: mlp_network({"scales": Tied()}), r"no layer matches 'scales'.*'core\.scales'"),
        (
            lambda: mlp_network({"core.*": FixedOrder()}),
            r"layer 'core\.layers\.0': FixedOrder is for the scales",
        ),
        (
            lambda: mlp_network(Tied()).with_sharing({"core.layers.1": FixedOrder()}),
            r"layer 'core\.layers\.1': FixedOrder is for the scales",
        ),
    ],
)
def test_what_cannot_be_built_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_default_template_fits_its_inputs() -> None:
    assert ordering_template_for((9,), width=5, depth=3)((9,), 2)(torch.zeros(4, 9)).shape == (4, 2)
    image = ordering_template_for((1, 9, 12), width=5, depth=7)((1, 9, 12), 2)
    assert image(torch.zeros(4, 1, 9, 12)).shape == (4, 2)
    assert len(image.core.layers) == 3  # type: ignore[arg-type, union-attr]
