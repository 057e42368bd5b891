"""T networks run as one, against the T networks run one by one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import lenet, mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet

TASKS = tuple(Task(name, "binary") for name in ("a", "b", "c"))
SHARINGS = (
    Independent(),
    Tied(),
    Tied(bias="own"),
    LastAxisFlattening(rank=2),
    Tucker(ranks=0.5),
    TensorTrain(ranks=0.5),
)


class Residual(nn.Module):
    """A template with everything that a chain of layers is not: a skip connection, norms, dropout,
    a parameter of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.wide = nn.Linear(36, 6)
        self.scaled = Scaled(6)
        self.output = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.drop(self.norm(self.conv(x)).relu()).flatten(1)
        h = self.wide(h)
        return self.output(h + self.scaled(h))


class Scaled(nn.Module):
    """A parameter that belongs to no layer that PyTorch knows."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, width))
        self.inner = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * self.inner(x).tanh()


def templates() -> dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]]:
    return {
        "mlp": (lambda: mlp((5,), 1, hidden=(6, 4)), (5,)),
        "mlp with dropout": (lambda: mlp((5,), 1, hidden=(6, 4), dropout=0.3), (5,)),
        "linear": (lambda: nn.Linear(5, 1), (5,)),
        "sequence": (lambda: nn.Sequential(nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 1)), (3, 5)),
        "lenet": (lambda: lenet((1, 8, 8), 1, channels=(3, 4), hidden=5), (1, 8, 8)),
        "residual": (Residual, (1, 3, 3)),
    }


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
@pytest.mark.parametrize("name", templates())
def test_the_joint_output_equals_each_tasks_own_network(name: str, sharing: Sharing) -> None:
    make, shape = templates()[name]
    network = MultiTaskNetwork(make(), TASKS, sharing=sharing, initial="independent").eval()
    rows = torch.randn(3, 7, *shape)
    # Without a task set the shape of an input is unknown: run() is told what its inputs are.
    own = network.run(rows)
    same = network.run(rows[0], one_input=True)
    for number, task in enumerate(TASKS):
        single = network.task(task.name)
        torch.testing.assert_close(own[number], single(rows[number]), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(same[number], single(rows[0]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["mlp", "lenet", "residual"])
def test_gradients_equal_those_of_separate_networks(name: str) -> None:
    make, shape = templates()[name]
    network = (
        MultiTaskNetwork(make(), TASKS, sharing=Independent(), initial="independent")
        .double()
        .eval()
    )
    rows = torch.randn(3, 7, *shape, dtype=torch.float64)
    network.run(rows).square().sum().backward()
    for number, task in enumerate(TASKS):
        single = network.task(task.name)
        single(rows[number]).square().sum().backward()
        for path, parameter in single.named_parameters():
            weight = network.shared_weight(path)
            joint = next(iter(weight.parameters())).grad[number]
            torch.testing.assert_close(
                network._parameters_of_template[path].to_torch(joint), parameter.grad
            )


def test_a_loop_of_modules_in_training_mode_has_the_same_batch_statistics() -> None:
    network = MultiTaskNetwork(
        nn.Sequential(nn.BatchNorm1d(5), nn.Linear(5, 1)),
        TASKS,
        sharing=Tied(),
        initial="independent",
    )
    singles = {task.name: network.task(task.name).train() for task in TASKS}
    rows = torch.randn(3, 7, 5) * torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    joint = network.run(rows)
    for number, task in enumerate(TASKS):
        torch.testing.assert_close(joint[number], singles[task.name](rows[number]))
        torch.testing.assert_close(
            network.task(task.name)[0].running_var, singles[task.name][0].running_var
        )
    assert len({float(network.task(task.name)[0].running_var[0]) for task in TASKS}) == 3


def test_dropout_differs_between_tasks_on_the_same_rows() -> None:
    template = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 1))
    network = MultiTaskNetwork(
        template, TASKS, sharing={"*": Independent(), "2": Tied()}, initial="common"
    )
    outputs = network.run(torch.ones(4, 64), one_input=True)
    assert not torch.equal(outputs[0], outputs[1])


def heterogeneous() -> TaskSet:
    generator = torch.Generator().manual_seed(0)
    return TaskSet.from_arrays(
        {
            "iris": (torch.randn(9, 4, generator=generator), [0, 1, 2] * 3),
            "wine": (torch.randn(6, 7, generator=generator), [0, 1, 2, 3, 4, 4]),
            "cancer": (torch.randn(8, 4, generator=generator), [0, 1] * 4),
        },
        kinds={"iris": "multiclass", "wine": "multiclass"},
    )


@pytest.mark.parametrize(
    ("sharing", "tolerance"),
    [(Independent(), 0.1), (TensorRing(6), 0.4)],
    ids=["independent", "ring"],
)
def test_every_task_starts_with_the_size_of_its_own_initialiser(
    sharing: Sharing, tolerance: float
) -> None:
    labels = [0, 1] * 3
    tasks = TaskSet.from_arrays(
        {name: (torch.randn(6, width), labels) for name, width in (("narrow", 4), ("wide", 400))},
        kinds="binary",
    )
    network = MultiTaskNetwork(mlp, tasks, sharing={"layers.0": sharing})
    for number, width in enumerate((4, 400)):
        expected = (3 * width) ** -0.5  # nn.Linear's own: uniform between ±1/√in
        assert network.layers["layers.0"].of(number).std().item() == pytest.approx(
            expected, rel=tolerance
        )


def test_some_tasks_numbers_are_where_their_inputs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = []
    run = MultiTaskNetwork.run

    def spy(
        self: MultiTaskNetwork,
        inputs: Tensor,
        *,
        tasks: Tensor | None = None,
        one_input: bool = False,
    ) -> Tensor:
        devices.append((inputs.device.type, tasks.device.type if tasks is not None else None))
        return run(self, inputs, tasks=tasks, one_input=one_input)

    monkeypatch.setattr(MultiTaskNetwork, "run", spy)
    network = MultiTaskNetwork(
        mlp((5,), 1), TASKS, sharing=LastAxisFlattening(rank=2), initial="independent"
    ).to("meta")
    outputs = network(
        {"a": torch.zeros(4, 5, device="meta"), "c": torch.zeros(4, 5, device="meta")}
    )
    assert {name: rows.device.type for name, rows in outputs.items()} == {"a": "meta", "c": "meta"}
    assert devices == [("meta", "meta")]


def test_tasks_of_different_inputs_and_outputs() -> None:
    tasks = heterogeneous()
    network = MultiTaskNetwork(mlp, tasks, sharing=Tied()).eval()
    inputs = {task.name: tasks.examples(number)[0] for number, task in enumerate(tasks.tasks)}
    outputs = network(inputs)
    assert {name: tuple(rows.shape) for name, rows in outputs.items()} == {
        "iris": (9, 3),
        "wine": (6, 5),
        "cancer": (8, 1),
    }
    for name, rows in inputs.items():
        torch.testing.assert_close(outputs[name], network.task(name)(rows))
    sizes = {"layers.0": 64 * (4 + 7 + 4), "layers.1": 64 * 64, "output": 64 * (3 + 5 + 1)}
    assert {
        layer: sum(p.numel() for p in weight.parameters())
        for layer, weight in network.layers.items()
    } == sizes
    with pytest.raises(ValueError, match="mapping"):
        network(torch.zeros(3, 4))


@pytest.mark.parametrize(
    "sharing",
    [Independent(), Tied(), LastAxisFlattening(rank=2), Tucker(ranks=0.5), TensorTrain(ranks=0.5)],
    ids=repr,
)
def test_permuting_the_tasks_permutes_the_results(sharing: Sharing) -> None:
    rows = torch.randn(7, 5)
    forwards = MultiTaskNetwork(mlp((5,), 1), TASKS, sharing=sharing, seed=3, initial="independent")
    torch.manual_seed(0)
    template = mlp((5,), 1)
    forwards = MultiTaskNetwork(template, TASKS, sharing=sharing, seed=3, initial="independent")
    backwards = MultiTaskNetwork(
        template, TASKS[::-1], sharing=sharing, seed=3, initial="independent"
    )
    torch.testing.assert_close(
        forwards.run(rows, one_input=True), backwards.run(rows, one_input=True).flip(0)
    )


@pytest.mark.parametrize(
    "sharing", [LastAxisFlattening(rank=1.0), Tucker(ranks=1.0), TensorTrain(ranks=1.0)], ids=repr
)
def test_a_full_rank_factorisation_equals_independent_networks(sharing: Sharing) -> None:
    independent = MultiTaskNetwork(
        mlp((5,), 1, hidden=(6, 4)), TASKS, sharing=Independent(), initial="independent"
    ).double()
    factorised = independent.with_sharing(sharing)
    rows = torch.randn(3, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(factorised.run(rows), independent.run(rows), rtol=0, atol=1e-6)


def test_laf_of_rank_one_with_equal_columns_is_hard_sharing() -> None:
    laf = MultiTaskNetwork(
        mlp((5,), 1), TASKS, sharing=LastAxisFlattening(rank=1), initial="independent"
    )
    with torch.no_grad():
        for weight in laf.layers.values():
            for name in weight.task_parameters():
                if laf.layers["output"] is not weight:
                    weight.get_parameter(name).fill_(1.0)
    tied = laf.with_sharing(Tied(bias="own"))
    rows = torch.randn(7, 5)
    torch.testing.assert_close(laf.run(rows, one_input=True), tied.run(rows, one_input=True))


@pytest.mark.parametrize("sharing", SHARINGS, ids=repr)
def test_a_task_absent_from_a_batch_gets_no_gradient_of_its_own(sharing: Sharing) -> None:
    network = MultiTaskNetwork(mlp((5,), 1), TASKS, sharing=sharing, initial="independent")
    network.run(torch.randn(2, 7, 5), tasks=torch.tensor([2, 0])).sum().backward()
    for weight in network.shared_weights.values():
        for name in weight.task_parameters():
            gradient = weight.get_parameter(name).grad
            assert not gradient[1].any()
    heads = network.layers["output"]
    assert heads.get_parameter("factors.weight").grad[[0, 2]].any()


def test_running_a_subset_equals_picking_from_all() -> None:
    for sharing in SHARINGS:
        network = MultiTaskNetwork(mlp((5,), 1), TASKS, sharing=sharing, initial="independent")
        rows = torch.randn(3, 7, 5)
        chosen = torch.tensor([2, 0])
        torch.testing.assert_close(
            network.run(rows[chosen], tasks=chosen), network.run(rows)[chosen]
        )


def test_with_sharing_keeps_the_function_and_the_original() -> None:
    network = MultiTaskNetwork(Residual(), TASKS, sharing=Tied(), initial="common")
    network.run(torch.randn(3, 7, 1, 3, 3))  # moves the running statistics
    before = copy.deepcopy(network.state_dict())
    rows = torch.randn(3, 7, 1, 3, 3)
    moved = network.with_sharing(Independent()).eval()
    torch.testing.assert_close(moved.run(rows), network.eval().run(rows))
    with torch.no_grad():
        for parameter in moved.parameters():
            parameter.zero_()
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_same_seed_same_bits_other_seed_other_weights() -> None:
    def state(seed: int) -> dict[str, Tensor]:
        return MultiTaskNetwork(mlp, heterogeneous(), sharing=Independent(), seed=seed).state_dict()

    assert all(torch.equal(value, state(1)[name]) for name, value in state(1).items())
    assert not torch.equal(
        state(1)["weights.layers/1/weight.factors.weight"],
        state(2)["weights.layers/1/weight.factors.weight"],
    )


def test_common_start_gives_all_tasks_the_templates_weights() -> None:
    template = mlp((5,), 1)
    network = MultiTaskNetwork(template, TASKS, sharing=Independent(), initial="common")
    rows = torch.randn(7, 5)
    for task in TASKS:
        torch.testing.assert_close(network.task(task.name)(rows), template(rows))


PATTERNS: list[tuple[Mapping[str, Sharing], dict[str, type]]] = [
    ({"*": Tied()}, {"layers.0": Tied, "layers.1": Tied, "output": Independent}),
    ({"layers.0": Tied()}, {"layers.0": Tied, "layers.1": Independent, "output": Independent}),
    (
        {"layers.1": Tucker(ranks=0.5), "layers.*": Tied()},
        {"layers.0": Tied, "layers.1": Tucker, "output": Independent},
    ),
    (
        {"out*": Tied(bias="own"), "*": LastAxisFlattening(rank=2)},
        {"layers.0": LastAxisFlattening, "layers.1": LastAxisFlattening, "output": Tied},
    ),
]


@pytest.mark.parametrize(("patterns", "expected"), PATTERNS)
def test_the_first_matching_pattern_wins(
    patterns: Mapping[str, Sharing], expected: dict[str, type]
) -> None:
    network = MultiTaskNetwork(mlp((5,), 1), TASKS, sharing=patterns, initial="independent")
    assert {layer: type(sharing) for layer, sharing in network.sharing.items()} == expected


def test_tied_biases_are_one_for_all_and_own_biases_are_not() -> None:
    counts = {}
    for bias in ("tied", "own"):
        network = MultiTaskNetwork(
            mlp((5,), 1, hidden=(4,)), TASKS, sharing=Tied(bias=bias), initial="independent"
        )  # type: ignore[arg-type]
        counts[bias] = sum(
            parameter.numel() for parameter in network.shared_weight("layers.0.bias").parameters()
        )
    assert counts == {"tied": 4, "own": 12}


def test_what_cannot_be_built_is_refused_by_name() -> None:
    with pytest.raises(
        ValueError,
        match=r"no layer matches 'layer\.0'; the layers are 'layers\.0', 'layers\.1', 'output'",
    ):
        MultiTaskNetwork(mlp((5,), 1), TASKS, sharing={"layer.0": Tied()}, initial="independent")
    with pytest.raises(TypeError, match="must be a sharing"):
        MultiTaskNetwork(mlp((5,), 1), TASKS, sharing={"*": "tied"}, initial="independent")  # type: ignore[dict-item]
    with pytest.raises(
        ValueError, match=r"task 'm' needs 3 output\(s\), the template's output layer has 1"
    ):
        MultiTaskNetwork(mlp((5,), 1), [*TASKS, Task("m", "multiclass", 3)], initial="independent")
    with pytest.raises(ValueError, match="needs a TaskSet"):
        MultiTaskNetwork(mlp, TASKS)
    with pytest.raises(ValueError, match="no parameters"):
        MultiTaskNetwork(nn.ReLU(), TASKS, initial="independent")
    with pytest.raises(KeyError, match="no task 'z'"):
        MultiTaskNetwork(mlp((5,), 1), TASKS, initial="independent").task("z")
    with pytest.raises(ValueError, match=r"layer 'layers\.0': Tied needs one shape"):
        MultiTaskNetwork(mlp, heterogeneous(), sharing={"layers.0": Tied()})


def test_gradcheck_through_the_whole_network() -> None:
    network = MultiTaskNetwork(
        mlp((3,), 1, hidden=(4,)), TASKS, sharing=Tucker(ranks=0.7), initial="independent"
    ).double()
    rows = torch.randn(3, 2, 3, dtype=torch.float64)
    names = [name for name, _ in network.named_parameters()]

    def outputs(*values: Tensor) -> Tensor:
        state = dict(zip(names, values, strict=True))
        return torch.func.functional_call(
            Runner(network), {f"network.{name}": value for name, value in state.items()}, (rows,)
        )

    assert torch.autograd.gradcheck(
        outputs, [parameter.detach().clone().requires_grad_() for parameter in network.parameters()]
    )


class Runner(nn.Module):
    """Calls ``run`` where a module's forward is needed."""

    def __init__(self, network: MultiTaskNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, rows: Tensor) -> Tensor:
        return self.network.run(rows)


def test_layers_of_equal_sharings_are_one_group_whichever_patterns_name_them() -> None:
    tasks = [Task(name, "binary") for name in "ab"]
    one = MultiTaskNetwork(
        mlp((5,), 1, hidden=(4, 4)),
        tasks,
        sharing={
            "output": TensorNormal(shared_covariance=True),
            "layers.1": TensorNormal(shared_covariance=True),
            "*": Tied(),
        },
        initial="independent",
    )
    covariances = {
        layer: one.layers[layer].get_submodule("covariances.task")
        for layer in ("layers.1", "output")
    }
    assert covariances["layers.1"] is covariances["output"]
    ring = TensorRing(2, shared="21", cores=3)
    network = MultiTaskNetwork(
        mlp((5,), 1, hidden=(4, 4)),
        tasks,
        sharing={"layers.1": ring, "layers.0": ring},
        initial="independent",
    )
    assert [len(network.layers[layer].task_parameters()) for layer in ("layers.0", "layers.1")] == [
        1,
        2,
    ]
