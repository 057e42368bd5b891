"""Every way of running T networks as one, against the networks one by one: outputs, gradients and
statistics.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from softshare.network.execution import task_module, task_sequential
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

TASKS = tuple(Task(name, "binary") for name in "abc")
SHARINGS = (
    Independent(),
    Tied(),
    Tied(bias="own"),
    LastAxisFlattening(rank=2),
    Tucker(ranks=0.5),
    TensorTrain(ranks=0.5),
    TensorRing(2, cores=2),
    TraceNorm(),
)


class Gated(nn.Module):
    """A module of no type that is known: a parameter and a layer of its own."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.linspace(-1, 1, width))
        self.inner = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) * torch.sigmoid(self.gate)


class Branching(Gated):
    """What vmap cannot do: a branch on values."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if x.sum() > 0 else x + self.gate


def images(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), *layers, nn.Flatten(), nn.LazyLinear(1))


TEMPLATES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "mlp": (lambda: mlp((5,), 1, hidden=(6, 4)), (5,)),
    "tokens": (lambda: nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 1)), (3, 5)),
    "lenet": (lambda: lenet((1, 8, 8), 1, channels=(3, 4), hidden=5), (1, 8, 8)),
    "pooled convolutions": (
        lambda: images(nn.ReLU(), nn.Conv2d(4, 3, 2, stride=2), nn.MaxPool2d(2)),
        (2, 8, 6),
    ),
    "grouped, dilated, reflecting": (
        lambda: images(
            nn.Conv2d(4, 6, 3, groups=2, dilation=2),
            nn.Tanh(),
            nn.Conv2d(6, 2, 3, padding=1, padding_mode="reflect"),
        ),
        (2, 8, 6),
    ),
    "one-dimensional": (
        lambda: nn.Sequential(nn.Conv1d(2, 3, 3), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(9, 1)),
        (2, 8),
    ),
    "affine before convolution": (
        lambda: nn.Sequential(
            nn.Linear(6, 5), nn.Tanh(), nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(18, 1)
        ),
        (2, 4, 6),
    ),
    "softmax between": (
        lambda: nn.Sequential(
            nn.Linear(5, 6), nn.Sequential(nn.Softmax(1), nn.Linear(6, 4)), nn.Linear(4, 1)
        ),
        (5,),
    ),
    "layer norm": (lambda: nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), nn.Linear(6, 1)), (5,)),
    "layer norm of tokens": (
        lambda: nn.Sequential(
            nn.Linear(5, 6), nn.LayerNorm((3, 6)), nn.Flatten(), nn.Linear(18, 1)
        ),
        (3, 5),
    ),
    "group norm": (lambda: images(nn.GroupNorm(2, 4), nn.ReLU()), (2, 4, 4)),
    "batch norm": (
        lambda: nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Linear(6, 1)),
        (5,),
    ),
    "batch norm of images": (
        lambda: images(nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
        (2, 4, 4),
    ),
    "batch norm without affine": (
        lambda: nn.Sequential(nn.BatchNorm1d(5, affine=False), nn.Linear(5, 1)),
        (5,),
    ),
    "cumulative batch norm": (
        lambda: nn.Sequential(nn.BatchNorm1d(5, momentum=None), nn.Linear(5, 1)),
        (5,),
    ),
    "any module": (lambda: nn.Sequential(Gated(5), nn.Linear(5, 1)), (5,)),
}


def made(
    name: str, sharing: Sharing | Mapping[str, Sharing], tasks: tuple[Task, ...] = TASKS
) -> tuple[MultiTaskNetwork, Tensor]:
    make, shape = TEMPLATES[name]
    torch.manual_seed(0)
    template = make()
    rows = torch.randn(len(tasks), 7, *shape, dtype=torch.float64)
    template(rows[0].float())
    return MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent").double(), rows


def one_by_one(network: MultiTaskNetwork, rows: Tensor) -> Tensor:
    """The oracle: each task's plain module with its weights as they are composed, gradients and
    all.
    """
    outputs = []
    for number, task in enumerate(network.tasks):
        module = network.task(task.name).train(network.training)
        places = network._parameters_of_template
        state = {
            path: places[path].to_torch(network.shared_weight(path).of(number)) for path in places
        }
        outputs.append(functional_call(module, state, (rows[number],)))
    return torch.stack(outputs)


def assert_same(network: MultiTaskNetwork, rows: Tensor, *, one_input: bool = False) -> None:
    """Outputs and the gradients of every parameter and of the inputs."""
    names, parameters = zip(*network.named_parameters(), strict=True)
    given = rows[0].clone().requires_grad_() if one_input else rows.clone().requires_grad_()
    expected = one_by_one(
        network, given.expand(len(network.tasks), *given.shape) if one_input else given
    )
    weights = torch.randn_like(expected)
    wanted = torch.autograd.grad(
        (expected * weights).sum(), (given, *parameters), allow_unused=True
    )
    outputs = network.run(given, one_input=one_input)
    torch.testing.assert_close(outputs, expected, rtol=1e-5, atol=1e-9)
    found = torch.autograd.grad((outputs * weights).sum(), (given, *parameters), allow_unused=True)
    for name, gradient, right in zip(("inputs", *names), found, wanted, strict=True):
        torch.testing.assert_close(
            gradient,
            right,
            rtol=1e-5,
            atol=1e-9,
            msg=lambda text, name=name: f"gradient of {name}: {text}",
        )


@pytest.mark.parametrize("one_input", [False, True], ids=["own rows", "same rows"])
@pytest.mark.parametrize("sharing", SHARINGS, ids=lambda sharing: type(sharing).__name__)
@pytest.mark.parametrize("name", TEMPLATES)
def test_every_layer_equals_the_loop_over_the_tasks(
    name: str, sharing: Sharing, one_input: bool
) -> None:
    network, rows = made(name, sharing)
    assert_same(network, rows, one_input=one_input)


@pytest.mark.parametrize("one_input", [False, True], ids=["own rows", "same rows"])
@pytest.mark.parametrize(
    "name",
    [
        "lenet",
        "pooled convolutions",
        "grouped, dilated, reflecting",
        "affine before convolution",
        "batch norm of images",
    ],
)
def test_one_grouped_convolution_for_all_tasks_equals_the_loop(
    name: str, one_input: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        task_sequential.TaskSequential, "_task_by_task", task_sequential.TaskSequential._grouped
    )
    network, rows = made(name, Independent())
    assert_same(network, rows, one_input=one_input)


@pytest.mark.parametrize("name", ["lenet", "pooled convolutions"])
def test_shared_convolutions_on_a_few_rows_at_a_time_equal_the_loop(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_sequential, "IN_CACHE", 4 << 10)
    network, rows = made(name, Tied())
    assert "in 1 portion" not in network.plan(rows)[0].way
    assert_same(network, rows)


@pytest.mark.parametrize("module", [Gated, Branching])
def test_a_module_of_any_kind_is_mapped_over_the_tasks_or_looped(
    module: type[nn.Module], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_module, "MAPPED_FROM", 2)
    monkeypatch.setitem(
        TEMPLATES, "made", (lambda: nn.Sequential(module(5), nn.Linear(5, 1)), (5,))
    )
    network, rows = made("made", Independent())
    assert network.plan(rows)[0].way == (
        "task by task" if module is Branching else "mapped over the tasks (vmap)"
    )
    assert_same(network, rows)


def test_an_error_in_a_module_is_the_modules_own() -> None:
    class Broken(Gated):
        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("no such luck")

    network = MultiTaskNetwork(
        nn.Sequential(Broken(5), nn.Linear(5, 1)),
        [Task(str(n), "binary") for n in range(12)],
        initial="independent",
    )
    with pytest.raises(RuntimeError, match="no such luck"):
        network.run(torch.randn(12, 3, 5))


@pytest.mark.parametrize("tasks", [None, [2, 0]], ids=["all", "some"])
@pytest.mark.parametrize(
    "name",
    ["batch norm", "batch norm of images", "batch norm without affine", "cumulative batch norm"],
)
def test_running_statistics_are_each_tasks_own(name: str, tasks: list[int] | None) -> None:
    network, rows = made(name, Tied())
    rows = rows * torch.tensor([1.0, 2.0, 3.0]).view(-1, *[1] * (rows.ndim - 1)) + 1
    chosen = tasks or [0, 1, 2]
    singles = [network.task(task.name).train() for task in TASKS]
    for _ in range(2):
        joint = network.run(rows[chosen], tasks=None if tasks is None else torch.tensor(tasks))
        for place, task in enumerate(chosen):
            torch.testing.assert_close(joint[place], singles[task](rows[task]))
    for number, task in enumerate(TASKS):
        for path, value in singles[number].named_buffers():
            torch.testing.assert_close(network.task(task.name).get_buffer(path), value)
    network.eval()
    torch.testing.assert_close(network.run(rows)[1], singles[1].eval()(rows[1]))


def test_heads_of_different_width_are_one_product() -> None:
    tasks = [Task("a", "multiclass", 3), Task("b", "multiclass", 5), Task("c", "binary")]

    def template(shape: tuple[int, ...], n_outputs: int) -> nn.Module:
        return mlp((5,), n_outputs, hidden=(4,))

    data = {
        task.name: (torch.randn(6, 5).numpy(), [n % max(task.n_outputs, 2) for n in range(6)])
        for task in tasks
    }
    network = MultiTaskNetwork(
        template,
        TaskSet.from_arrays(data, kinds={"a": "multiclass", "b": "multiclass"}),
        initial="independent",
    ).double()
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    joint = network.run(rows)
    assert joint.shape == (3, 7, 5)
    assert len([decision for decision in network.plan(rows) if decision.layer == "output"]) == 1
    for number, task in enumerate(tasks):
        torch.testing.assert_close(
            joint[number, :, : task.n_outputs], network.task(task.name)(rows[number])
        )


def test_the_plan_counts_what_joining_and_composing_take() -> None:
    network = MultiTaskNetwork(
        mlp((200,), 1, hidden=(300,)),
        TASKS,
        sharing=TensorTrain(ranks=(8, 2)),
        initial="independent",
    )
    plan = network.plan(torch.randn(3, 64, 200))
    assert plan[0].multiply_adds == 3 * 64 * (200 * 8 + 8 * 300) + 3 * 8 * 300 * 2
    assert (
        f"{3 * 64 * 200 * 300 + 3 * 8 * 300 * 2 + 3 * 200 * 8 * 300:,} multiply-adds"
        in plan[0].instead
    )
    assert "the input joins the factors" in str(plan)


def test_the_plan_tells_the_way_not_taken_where_weights_are_composed() -> None:
    network = MultiTaskNetwork(
        mlp((20,), 1, hidden=(30,)),
        TASKS,
        sharing=LastAxisFlattening(rank=2),
        initial="independent",
    )
    first, *_ = network.plan(torch.randn(3, 16, 20))
    assert first.multiply_adds == 3 * 16 * 20 * 30 + 3 * 2 * 20 * 30
    assert first.way.startswith("weights composed")
    assert (
        f"the input joins the factors: {3 * 16 * 20 * 2 + 3 * 16 * 20 * 2 * 30:,} multiply-adds"
        in first.instead
    )


def test_the_plan_adds_up_what_a_layer_does_in_several_turns() -> None:
    rows = torch.randn(3, 8, 20)
    tied = MultiTaskNetwork(
        ordering_mlp((20,), 1, width=10, depth=4), TASKS, sharing=Tied(), initial="independent"
    ).plan(rows)
    own = MultiTaskNetwork(
        ordering_mlp((20,), 1, width=10, depth=4),
        TASKS,
        sharing=Independent(),
        initial="independent",
    ).plan(rows)
    for plan in (tied, own):
        core = [decision for decision in plan if decision.layer.startswith("core.layers")]
        assert [decision.multiply_adds for decision in core] == [4 * 3 * 8 * 10 * 10] * 4


def test_the_plan_counts_convolutions_in_all_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_sequential, "IN_CACHE", 60 << 10)
    shared, own = (made("lenet", sharing) for sharing in (Tied(), Independent()))
    plans = [network.plan(rows) for network, rows in (shared, own)]
    assert [d.multiply_adds for d in plans[0]][:2] == [d.multiply_adds for d in plans[1]][:2]
    factorised, rows = made("lenet", Tucker(1.0))
    assert factorised.plan(rows)[1].multiply_adds > plans[1][1].multiply_adds


@pytest.mark.parametrize(
    "sharing", [Independent(), Tied()], ids=lambda sharing: type(sharing).__name__
)
def test_a_stretch_of_convolutions_runs_as_one(sharing: Sharing) -> None:
    network, rows = made("lenet", sharing)
    assert [decision.way.split(",")[0] for decision in network.plan(rows)][:2] == [
        "channels last",
        "channels last",
    ]


def test_planning_changes_nothing() -> None:
    network, rows = made("batch norm", Independent())
    frozen = next(
        module for module in network.bodies.modules() if isinstance(module, task_module.TaskModule)
    ).eval()
    before = copy.deepcopy(network.state_dict())
    network.plan(rows)
    assert network.training
    assert not frozen.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


# --- precision, devices, formats and compilation -----------------------------------------------


@pytest.mark.parametrize("sharing", SHARINGS, ids=lambda sharing: type(sharing).__name__)
@pytest.mark.parametrize("name", ["mlp", "lenet", "batch norm of images", "layer norm"])
def test_bfloat16_autocast_is_near(name: str, sharing: Sharing) -> None:
    network, rows = made(name, sharing)
    network, rows = network.float(), rows.float()
    exact = network.run(rows)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network.run(rows)
        loss = outputs.float().square().sum()
    loss.backward()
    torch.testing.assert_close(outputs.float(), exact, rtol=0.1, atol=0.1)
    assert all(
        torch.isfinite(parameter.grad).all()
        for parameter in network.parameters()
        if parameter.grad is not None
    )


@pytest.mark.parametrize("name", ["mlp", "lenet", "batch norm of images", "any module"])
def test_moving_to_a_device_moves_all(name: str) -> None:
    network, rows = made(name, TensorTrain(ranks=0.5))
    outputs = network.to("meta").run(rows.to("meta"))
    assert (outputs.device.type, outputs.shape) == ("meta", (3, 7, 1))


def test_channels_last_inputs_give_the_same() -> None:
    network, rows = made("pooled convolutions", Independent())
    turned = rows.movedim(2, -1).contiguous().movedim(-1, 2)
    assert not turned.is_contiguous()
    torch.testing.assert_close(network.run(turned), network.run(rows))


@pytest.mark.parametrize(
    ("name", "sharing"),
    [
        ("lenet", Tied()),
        ("batch norm", Tied()),
        ("any module", Independent()),
    ],
)
def test_compiling_gives_the_same(name: str, sharing: Sharing) -> None:
    network, rows = made(name, sharing)
    assert_compiles(network, rows, "aot_eager")


@pytest.mark.filterwarnings(
    "ignore:.torch.jit.script_method. is deprecated:DeprecationWarning"
)  # inductor's own, on import
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
def test_compiling_to_kernels_gives_the_same() -> None:
    network, rows = made("mlp", {"output": LastAxisFlattening(2), "*": TensorTrain(0.5)})
    assert_compiles(network, rows, "inductor")


def assert_compiles(network: MultiTaskNetwork, rows: Tensor, backend: str) -> None:
    torch._dynamo.reset()
    parameters = list(network.parameters())
    wanted = torch.autograd.grad(network.run(rows).square().sum(), parameters)
    compiled = torch.compile(network.run, backend=backend)
    found = torch.autograd.grad(compiled(rows).square().sum(), parameters)
    for gradient, right in zip(found, wanted, strict=True):
        torch.testing.assert_close(gradient, right, rtol=1e-5, atol=1e-9)
