"""Two processes that divide the tasks, against one that has them all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.distributed as dist
from torch import nn

from softshare.data.table import read_table
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.ordering import ordering_mlp
from softshare.network.templates.standard import mlp
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_normal import TensorNormal
from softshare.sharing.tensor_ring import TensorRing
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.tasks.batch import Batch
from softshare.tasks.batches import Batches
from softshare.tasks.task import Task
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fit
from softshare.training.history import History
from softshare.training.lazy_adam import LazyAdam
from softshare.training.sharded import ShardedNetwork
from softshare.training.task_processes import TaskProcesses
from tests.training.two_processes import in_two_processes

NAMES = "abcde"  # of which the first process keeps two and the second three


def own_rows() -> TaskSet:
    generator = np.random.default_rng(0)
    rows = {
        name: generator.normal(size=(8 + number, 6)).astype(np.float32)
        for number, name in enumerate(NAMES)
    }
    return TaskSet.from_arrays(
        {name: (x, x[:, number]) for number, (name, x) in enumerate(rows.items())},
        kinds="regression",
    )


def diverging(name: str) -> TaskSet:
    tasks = own_rows()
    tasks.sources[0][tasks.rows[tasks.entries(tasks.index(name))]] = torch.inf
    return tasks


def same_rows() -> TaskSet:
    """Tasks on the same rows, some labels missing."""
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(18, 6)).astype(np.float32)
    targets = {
        name: np.where(generator.random(18) < 0.8, inputs[:, column] > 0, np.nan)
        for column, name in enumerate(NAMES)
    }
    return TaskSet.from_shared_inputs(inputs, targets, kinds="binary")


def normed(input_shape: tuple[int, ...], n_outputs: int) -> nn.Module:
    """The layer before batch norm has no bias: nothing but rounding would move it."""
    first = [nn.Linear(input_shape[0], 8, bias=False), nn.BatchNorm1d(8), nn.ReLU()]
    return nn.Sequential(*first, nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, n_outputs))


fit_shortly = partial(
    fit, steps=8, batch_size=4, learning_rate=0.01, evaluate_every=2, keep_best=True
)
fit_single_tasks = partial(
    fit_shortly, tasks_per_step=1
)  # one of the processes has no task in the step
fit_rows = partial(
    fit_shortly,
    steps=12,
    tasks_per_step=3,
    policy="proportional",
    optimizer=LazyAdam,
    clip_norm=0.3,
)

CASES: dict[str, tuple[Any, Any, Sharing, bool, Any]] = {
    "factorised": (
        own_rows,
        mlp,
        LastAxisFlattening(0.7),
        False,
        partial(fit_shortly, patience=1, clip_norm=0.3),
    ),
    "some tasks a step": (own_rows, mlp, TensorTrain(0.5), False, fit_single_tasks),
    "lazy": (own_rows, mlp, LastAxisFlattening(3), True, fit_rows),
    "lazy, single tasks": (
        own_rows,
        mlp,
        Tucker(0.5),
        True,
        partial(fit_single_tasks, optimizer=LazyAdam),
    ),
    "same rows, tied": (same_rows, mlp, Tied(), False, fit_shortly),
    "batch norm, ring by budget": (
        own_rows,
        normed,
        TensorRing(parameters=0.5, cores=2),
        False,
        fit_shortly,
    ),
    "soft ordering": (
        own_rows,
        partial(ordering_mlp, width=8),
        Tied(bias="own"),
        False,
        fit_shortly,
    ),
    "nothing shared": (own_rows, mlp, Independent(), False, fit_shortly),
}


def network(case: str, kind: type[MultiTaskNetwork]) -> MultiTaskNetwork:
    make_tasks, template, sharing, sparse_rows, _ = CASES[case]
    return kind(template, make_tasks(), sharing=sharing, seed=3, sparse_rows=sparse_rows)


def train(case: str, learner: MultiTaskNetwork) -> list[dict[str, float | int | None]]:
    tasks = CASES[case][0]()
    history: History = CASES[case][-1](learner, tasks, validation=tasks)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    found: dict[str, Any] = {}
    for case in CASES:
        shard = network(case, ShardedNetwork)
        start = shard.whole_state()
        history = train(case, shard)
        found[case] = {
            "start": start,
            "history": history,
            "end": shard.whole_state(),
            "parameters": n_parameters(shard),
        }
    try:
        fit(network("factorised", ShardedNetwork), diverging("d"), steps=1)
    except FloatingPointError as error:
        found["error"] = str(error)
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def in_process(monkeypatch: pytest.MonkeyPatch, *, rank: int, of: int) -> None:
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_rank", lambda: rank)
    monkeypatch.setattr(dist, "get_world_size", lambda: of)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes has seen."""
    folder: Path = tmp_path_factory.mktemp("processes")
    in_two_processes(process, folder)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("case", CASES)
def test_every_process_draws_what_one_draws_for_its_tasks(
    case: str, found: list[dict[str, Any]]
) -> None:
    whole, joined = network(case, MultiTaskNetwork).state_dict(), found[0][case]["start"]
    assert list(joined) == list(whole)
    for name, value in whole.items():
        rounding = (
            2e-7 if case == "same rows, tied" and name.endswith("bias.factors.weight") else 0.0
        )  # a tied bias is a mean over tasks
        torch.testing.assert_close(joined[name], value, rtol=rounding, atol=0.0)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_what_one_trains(case: str, found: list[dict[str, Any]]) -> None:
    learner = network(case, MultiTaskNetwork)
    history = train(case, learner)
    for name, value in learner.state_dict().items():
        torch.testing.assert_close(found[0][case]["end"][name], value, rtol=1e-5, atol=1e-6)
    for rank in range(2):
        for row, other in zip(history, found[rank][case]["history"], strict=True):
            assert other == pytest.approx(row, rel=1e-5)
    assert found[1][case]["end"] is None


@pytest.mark.parametrize("case", CASES)
def test_every_process_has_only_its_tasks_parameters(
    case: str, found: list[dict[str, Any]]
) -> None:
    whole = network(case, MultiTaskNetwork)
    of_tasks = sum(
        weight.get_parameter(name).numel()
        for weight in whole.shared_weights.values()
        for name in weight.task_parameters()
    )
    shared = n_parameters(whole) - of_tasks
    assert [part[case]["parameters"] for part in found] == [
        shared + of_tasks * n_own // len(NAMES) for n_own in (2, 3)
    ]


def test_all_processes_stop_where_one_diverges(found: list[dict[str, Any]]) -> None:
    # Only the process that has the task's rows can tell that its inputs are to blame.
    assert len(found) == 2
    for part in found:
        assert part["error"].startswith("the loss of task 'd' became nan at step 1; ")


def test_a_shard_takes_its_tasks_from_the_state_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, tasks = network("batch norm, ring by budget", MultiTaskNetwork), own_rows()
    fit(whole, tasks, steps=2)
    in_process(monkeypatch, rank=1, of=2)
    shard = network("batch norm, ring by budget", ShardedNetwork)
    shard.load_whole_state(whole.state_dict())
    inputs = torch.randn(4, 6)
    for name in "cde":
        torch.testing.assert_close(shard.eval().task(name)(inputs), whole.eval().task(name)(inputs))
    with pytest.raises(KeyError, match="no task 'a'"):
        shard.task("a")


def test_alone_it_is_an_ordinary_network() -> None:
    shard, tasks = network("factorised", ShardedNetwork), own_rows()
    assert train("factorised", shard) == train(
        "factorised", whole := network("factorised", MultiTaskNetwork)
    )
    state = shard.whole_state()
    assert state is not None
    assert all(torch.equal(state[name], value) for name, value in whole.state_dict().items())
    assert shard.tasks == tasks.tasks


@pytest.mark.parametrize("sharing", [TraceNorm(), TensorNormal()])
def test_a_penalty_that_joins_all_tasks_is_refused(sharing: Sharing) -> None:
    with pytest.raises(
        ValueError, match=r"layer 'layers.0': \w+ needs all tasks' weights in one place"
    ):
        ShardedNetwork(mlp, own_rows(), sharing=sharing)


def test_tasks_that_cannot_be_divided_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    unlike = [Task("a", "regression"), Task("b", "multiclass", n_outputs=3)]
    with pytest.raises(
        ValueError, match=r"inputs of one shape and one number of outputs, found .*3"
    ):
        ShardedNetwork(nn.Linear(2, 1), unlike)
    with pytest.raises(ValueError, match=r"grid of factors, such as \('a', 'x'\)"):
        ShardedNetwork(
            nn.Linear(2, 1), [Task(("a", "x"), "regression"), Task(("b", "x"), "regression")]
        )
    in_process(monkeypatch, rank=0, of=6)
    with pytest.raises(ValueError, match="5 cannot be divided among 6 processes"):
        ShardedNetwork(mlp, own_rows())


def test_examples_of_some_tasks_only_are_refused() -> None:
    shard = network("factorised", ShardedNetwork)
    with pytest.raises(ValueError, match="examples are of 2 tasks, all processes together have 5"):
        fit(shard, own_rows().keep_tasks([0, 1]), steps=1)


def test_what_takes_all_tasks_at_once_is_refused() -> None:
    shard = network("factorised", ShardedNetwork)
    with pytest.raises(ValueError, match="only some of the tasks' weights"):
        shard.with_sharing(Tied())
    with pytest.raises(ValueError, match="MultiTaskNetwork of all tasks"):
        shard.add_task(Task("f", "regression"))


def test_shares_of_a_step_are_its_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = own_rows()
    (batch,) = next(iter(Batches(tasks, batch_size=3)))
    parts = []
    for rank in range(2):
        in_process(monkeypatch, rank=rank, of=2)
        (part,) = TaskProcesses(network("factorised", ShardedNetwork), tasks).share([batch])  # type: ignore[arg-type]
        parts.append(part)
    assert [part.tasks.tolist() for part in parts] == [[0, 1], [0, 1, 2]]
    assert torch.equal(torch.cat([part.inputs for part in parts]), batch.inputs)
    assert torch.equal(torch.cat([part.targets for part in parts]), batch.targets)


def test_only_a_factorisation_of_given_values_needs_all_tasks() -> None:
    template = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
    for sharing in (Tied(), Independent()):
        shard = ShardedNetwork(template, own_rows(), sharing={"0": sharing, "*": sharing})
        torch.testing.assert_close(shard.task("b")[0].weight, template[0].weight)
    with pytest.raises(ValueError, match="layer '0': its given values would be factorised"):
        ShardedNetwork(template, own_rows(), sharing=LastAxisFlattening(0.5))


def test_the_state_of_all_suffices_to_predict_in_the_targets_units(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(0)
    x = random.normal(60, 9, 90)
    frame = pd.DataFrame({"x": x, "shop": list("abc") * 30, "sales": 500 + 50 * (x - 60) / 9})
    train, *_ = read_table(frame, task="shop", target="sales").split(seed=0)
    first = ShardedNetwork(mlp, train, sharing=Tied())
    state = first.whole_state()
    assert state is not None
    later = MultiTaskNetwork(mlp((1,), 1), train.tasks, sharing=Tied())
    later.load_state_dict(state)
    new = later.preprocessing[0].transform(pd.DataFrame({"x": [50.0, 70.0]}))
    torch.testing.assert_close(later.task("b")(new), first.task("b")(new))
    # And a shard that takes it, of some tasks and from their names alone.
    in_process(monkeypatch, rank=1, of=2)
    shard = ShardedNetwork(mlp((1,), 1), train.tasks, sharing=Tied())
    shard.load_whole_state(state)
    again = shard.preprocessing[0].transform(pd.DataFrame({"x": [50.0, 70.0]}))
    torch.testing.assert_close(shard.task("c")(again), first.task("c")(new))


@pytest.mark.parametrize("one_input", [True, False])
def test_shares_keep_labels_and_weights_beside_their_tasks(
    one_input: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = torch.tensor([3, 0, 4])
    present = torch.rand(3, 4, generator=torch.Generator().manual_seed(0)) < 0.5
    inputs = torch.arange(72.0).reshape(3, 4, 6)
    batch = Batch(
        numbers,
        inputs[0] if one_input else inputs,
        torch.arange(12.0).reshape(3, 4),
        present,
        one_input,
        weights=torch.arange(12.0).reshape(3, 4) / 6,
    )
    for rank, (tasks, rows) in enumerate([([0], [1]), ([1, 2], [0, 2])]):
        in_process(monkeypatch, rank=rank, of=2)
        processes = TaskProcesses(network("factorised", ShardedNetwork), own_rows())  # type: ignore[arg-type]
        (part,) = processes.share([batch])
        assert part.tasks.tolist() == tasks
        assert torch.equal(part.inputs, batch.inputs if one_input else inputs[rows])
        for name in ("targets", "present", "weights"):
            assert torch.equal(getattr(part, name), getattr(batch, name)[rows])
        assert processes.own(own_rows()).tasks == own_rows().tasks[2 * rank : 2 + 3 * rank]
    in_process(monkeypatch, rank=0, of=2)
    processes = TaskProcesses(network("factorised", ShardedNetwork), own_rows())  # type: ignore[arg-type]
    others = Batch(torch.tensor([4]), inputs[:1], torch.zeros(1, 4))
    assert processes.share([others]) == []
