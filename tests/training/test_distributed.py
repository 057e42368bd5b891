"""Two processes that share every step, against one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.trace_norm import TraceNorm
from softshare.tasks.batch import Batch
from softshare.tasks.batches import Batches
from softshare.tasks.task_set import TaskSet
from softshare.training.distributed import Processes
from softshare.training.fit import fit
from softshare.training.history import History
from softshare.training.lazy_adam import LazyAdam
from tests.training.two_processes import in_two_processes


def own_rows() -> TaskSet:
    generator = np.random.default_rng(0)
    rows = [generator.normal(size=(n, 5)).astype(np.float32) for n in (9, 20, 15)]
    return TaskSet.from_arrays(
        {name: (x, (x[:, 0] > 0).astype(int)) for name, x in zip("abc", rows, strict=True)},
        kinds="binary",
    )


def same_rows() -> TaskSet:
    """Tasks on the same rows, some labels missing."""
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(18, 5)).astype(np.float32)
    targets = {
        name: np.where(generator.random(18) < 0.8, inputs[:, column] * 2, np.nan)
        for column, name in enumerate("abc")
    }
    return TaskSet.from_shared_inputs(inputs, targets, kinds="regression")


def inputs_of_two_widths() -> TaskSet:
    generator = np.random.default_rng(2)
    rows = [generator.normal(size=(12, width)).astype(np.float32) for width in (5, 4, 5)]
    return TaskSet.from_arrays(
        {name: (x, x[:, 0]) for name, x in zip("abc", rows, strict=True)}, kinds="regression"
    )


fit_shortly = partial(fit, steps=6, batch_size=7, learning_rate=0.01, evaluate_every=2)
fit_some_tasks = partial(fit_shortly, steps=12, tasks_per_step=2, keep_best=True)

CASES = {
    "own rows": (
        own_rows,
        TensorTrain(ranks=0.5),
        False,
        partial(fit_shortly, keep_best=True, clip_norm=0.3),
    ),
    "dropout": (own_rows, TensorTrain(ranks=0.5), False, fit_shortly),
    "same rows": (same_rows, TraceNorm(gamma=0.1), False, partial(fit_shortly, keep_best=True)),
    "sparse rows": (
        own_rows,
        LastAxisFlattening(rank=2),
        True,
        partial(fit_some_tasks, optimizer=LazyAdam),
    ),
    # Of two draws some are of one task, whose rows a sparse gradient then holds twice.
    "sparse rows twice": (
        same_rows,
        LastAxisFlattening(rank=2),
        True,
        partial(fit_some_tasks, optimizer=LazyAdam, policy="proportional"),
    ),
    "sparse rows, two inputs": (
        inputs_of_two_widths,
        LastAxisFlattening(rank=2),
        True,
        partial(fit_some_tasks, optimizer=LazyAdam),
    ),
}


def trained(case: str) -> tuple[dict[str, torch.Tensor], History]:
    make_tasks, sharing, sparse_rows, train = CASES[case]
    tasks = make_tasks()
    template = partial(mlp, dropout=0.5) if case == "dropout" else mlp
    network = MultiTaskNetwork(template, tasks, sharing=sharing, seed=3, sparse_rows=sparse_rows)
    history = train(network, tasks, validation=tasks)
    return network.state_dict(), history


def without_times(history: History) -> list[dict[str, float | int | None]]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in history]


def process(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    torch.manual_seed(rank)  # another random state in each process must not matter
    for case in CASES:
        state, history = trained(case)
        torch.save((state, without_times(history)), f"{folder}/{case} {rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two processes have trained."""
    folder = tmp_path_factory.mktemp("processes")
    in_two_processes(process, folder)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_what_one_trains(case: str, folder: Path) -> None:
    state, history = trained(case)
    for rank in range(2):
        other_state, other_history = torch.load(folder / f"{case} {rank}.pt")
        for name, value in state.items():
            torch.testing.assert_close(other_state[name], value, rtol=1e-5, atol=1e-6)
        for row, other in zip(without_times(history), other_history, strict=True):
            assert other == pytest.approx(row, rel=1e-5)


def test_a_process_alone_takes_everything() -> None:
    processes = Processes()
    assert (processes.rank, processes.count) == (0, 1)
    batches = [object()]
    assert processes.share(batches) == batches  # type: ignore[arg-type, comparison-overlap]


def test_too_few_examples_for_the_processes_are_refused() -> None:
    processes = Processes()
    processes.count = 9
    (batch,) = next(iter(Batches(own_rows(), batch_size=7)))
    with pytest.raises(ValueError, match="7 examples of a task cannot be divided among 9 "):
        processes.share([batch])


def test_shares_are_the_whole_batch() -> None:
    (batch,) = next(iter(Batches(own_rows(), batch_size=7)))
    processes, parts = Processes(), []
    processes.count = 3
    for processes.rank in range(3):
        parts += processes.share([batch])
    assert [part.targets.shape[1] for part in parts] == [2, 2, 3]
    assert torch.equal(torch.cat([part.inputs for part in parts], 1), batch.inputs)
    assert torch.equal(
        sum(part.targets.shape[1] / part.divisors for part in parts) / 3, torch.ones(3)
    )


@pytest.mark.parametrize("one_input", [True, False])
def test_shares_keep_labels_and_weights_beside_their_rows(one_input: bool) -> None:
    present = torch.ones(2, 7, dtype=torch.bool)
    present[0, 4:] = False
    present[1] = False
    inputs = torch.arange(70.0).reshape(2, 7, 5)
    batch = Batch(
        torch.arange(2),
        inputs[0] if one_input else inputs,
        torch.arange(14.0).reshape(2, 7),
        present,
        one_input,
        weights=torch.arange(14.0).reshape(2, 7) / 6,
    )
    processes, parts = Processes(), []
    processes.count = 3
    for processes.rank in range(3):
        parts += processes.share([batch])
    assert [part.first_row for part in parts] == [0, 2, 4]
    assert torch.equal(torch.cat([part.inputs for part in parts], -2), batch.inputs)
    for name in ("targets", "present", "weights"):
        of_parts = [getattr(part, name) for part in parts]
        assert torch.equal(torch.cat(of_parts, 1), getattr(batch, name))
    # Of a task without labels there is nothing to divide by.
    assert all(part.divisors.tolist() == pytest.approx([4 / 3, 1 / 3]) for part in parts)
