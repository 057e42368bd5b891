"""Tasks indexed by several factors: one task axis for each."""

from __future__ import annotations

from itertools import product

import pytest
import tensorly
import torch
from tensorly.decomposition import tensor_train, tucker
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import mlp
from softshare.sharing.algebra.trace_norms import tensor_trace_norms
from softshare.sharing.base import LayerShapes
from softshare.sharing.grid import TaskGrid
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.trace_norm import TraceNorm
from softshare.sharing.tucker import Tucker
from softshare.sharing.weights.factorised import FactorisedWeight
from softshare.tasks.task import Task

ASPECTS, CUSTOMERS = ("food", "service"), ("x", "y", "z")
NAMES = list(product(ASPECTS, CUSTOMERS))
MIXED = [NAMES[place] for place in (3, 0, 5, 1, 4, 2)]


def grid_tensor(names: list[tuple[str, str]], stack: Tensor) -> Tensor:
    """``(T, i, o)`` → ``(i, o, aspects, customers)``, cell by cell."""
    tensor = torch.empty(*stack.shape[1:], len(ASPECTS), len(CUSTOMERS), dtype=stack.dtype)
    for (aspect, customer), weight in zip(names, stack, strict=True):
        tensor[..., ASPECTS.index(aspect), CUSTOMERS.index(customer)] = weight
    return tensor


def on_grid(
    sharing: Tucker | TensorTrain | TraceNorm, names: list[tuple[str, str]]
) -> Tucker | TensorTrain | TraceNorm:
    return sharing.for_tasks(names)  # type: ignore[return-value]


def test_places_do_not_depend_on_the_order_of_the_tasks() -> None:
    grid = TaskGrid.of(MIXED)
    assert grid is not None
    assert grid.shape == (2, 3)
    assert [(ASPECTS[a], CUSTOMERS[c]) for a, c in grid.places] == MIXED
    assert [MIXED[number] for number in grid.order("layer", "Tucker")] == NAMES
    assert TaskGrid.of(["a", "b"]) is None
    with pytest.raises(ValueError, match="do not go together"):
        TaskGrid.of([("a", "b"), "c"])


def test_tucker_on_a_grid_equals_tensorlys_of_the_four_mode_tensor() -> None:
    stack = torch.randn(6, 5, 4, dtype=torch.float64)
    weight = on_grid(Tucker(ranks=(3, 4, 2, 2)), MIXED).share({"layer": stack})["layer"]
    full = grid_tensor(MIXED, stack).numpy()
    core, factors = tucker(full, rank=[3, 4, 2, 2], init="svd", n_iter_max=0)
    expected = torch.from_numpy(tensorly.tucker_to_tensor((core, factors)))
    torch.testing.assert_close(grid_tensor(MIXED, weight.stacked().detach()), expected)


def test_tensor_train_on_a_grid_equals_tensorlys_of_the_four_mode_tensor() -> None:
    stack = torch.randn(6, 5, 4, dtype=torch.float64)
    weight = on_grid(TensorTrain(ranks=(4, 5, 2)), MIXED).share({"layer": stack})["layer"]
    expected = tensor_train(grid_tensor(MIXED, stack).numpy(), rank=[1, 4, 5, 2, 1])
    torch.testing.assert_close(
        grid_tensor(MIXED, weight.stacked().detach()),
        torch.from_numpy(tensorly.tt_to_tensor(expected)),
    )


@pytest.mark.parametrize("sharing", [Tucker(ranks=1.0), TensorTrain(ranks=1.0)], ids=repr)
def test_full_ranks_are_exact_and_subsets_are_rows(sharing: Tucker | TensorTrain) -> None:
    stack = torch.randn(6, 5, 4, dtype=torch.float64)
    weight = on_grid(sharing, MIXED).share({"layer": stack})["layer"]
    torch.testing.assert_close(weight.stacked(), stack)
    chosen = torch.tensor([4, 1])
    torch.testing.assert_close(weight.stacked(chosen), stack[chosen])


@pytest.mark.parametrize("sharing", [Tucker(ranks=0.7), TensorTrain(ranks=0.7)], ids=repr)
def test_an_incomplete_grid_starts_at_random_and_is_refused_for_given_weights(
    sharing: Tucker | TensorTrain,
) -> None:
    names = MIXED[:5]
    placed = on_grid(sharing, names)
    weight = placed.draw({"layer": LayerShapes(((5, 4),), 0.1)}, RandomStreams(0, names))["layer"]
    whole = on_grid(sharing, MIXED).draw(
        {"layer": LayerShapes(((5, 4),), 0.1)}, RandomStreams(0, MIXED)
    )["layer"]
    torch.testing.assert_close(
        weight.stacked(), whole.stacked()[:5]
    )  # the sixth task has no part in the others' start
    with pytest.raises(
        ValueError, match=r"layer 'layer'.*6 in all, and there are 5: none is named \('food', 'z'\)"
    ):
        placed.share({"layer": torch.randn(5, 5, 4)})


def test_what_a_trace_norm_can_do_on_an_incomplete_grid_is_no_other_start() -> None:
    with pytest.raises(
        ValueError, match=r'TraceNorm needs a task for every combination .* or take the norm "laf"'
    ) as error:
        on_grid(TraceNorm("tucker"), MIXED[:5]).share({"layer": torch.randn(5, 5, 4)})
    assert "independent" not in str(error.value)


def test_tasks_of_one_aspect_share_its_row() -> None:
    weight = on_grid(Tucker(ranks=0.7), NAMES).draw(
        {"layer": LayerShapes(((5, 4),), 0.1)}, RandomStreams(0, NAMES)
    )["layer"]
    weight.stacked(torch.tensor([0])).sum().backward()  # food × x
    aspects, customers = (
        weight.get_parameter("factors.task_1").grad,
        weight.get_parameter("factors.task_2").grad,
    )
    assert aspects[0].any()
    assert not aspects[1].any()
    assert customers[0].any()
    assert not customers[1:].any()
    assert weight.task_parameters() == []


def test_the_tasks_rows_are_where_the_factors_are() -> None:
    weight = on_grid(Tucker(ranks=0.7), MIXED).share({"layer": torch.randn(6, 5, 4)})["layer"]
    assert isinstance(weight, FactorisedWeight)
    factors = {name: values.to("meta") for name, values in weight.factors.items()}
    rows = {"task_1": [0, 1], "task_2": [1, 0]}
    moved = FactorisedWeight(weight.equation, factors, shape=(5, 4), n_tasks=2, rows=rows)
    assert {buffer.device.type for buffer in moved.buffers()} == {"meta"}


@pytest.mark.parametrize("norm", ["tucker", "tt"])
def test_trace_norms_on_a_grid_are_those_of_the_four_mode_tensor(norm: str) -> None:
    stack = torch.randn(6, 5, 4, dtype=torch.float64)
    weight = on_grid(TraceNorm(norm, gamma=1.0), MIXED).share({"layer": stack})["layer"]  # type: ignore[arg-type]
    expected = tensor_trace_norms(grid_tensor(MIXED, stack), (norm,))[norm]  # type: ignore[arg-type,index]
    torch.testing.assert_close(weight.penalty(torch.ones(6)), expected)


@pytest.mark.parametrize(
    ("norm", "gamma"), [("tucker", (0.0, 0.0, 1.0, 1.0)), ("tt", (0.0, 1.0, 1.0))]
)
def test_unfoldings_by_the_tasks_factors_are_evaluated_at_every_step(
    norm: str, gamma: tuple[float, ...]
) -> None:
    stacks = torch.randn(2, 6, 5, 4, dtype=torch.float64)
    weight, changed = (
        on_grid(TraceNorm(norm, gamma=gamma, every=every), NAMES).share({"layer": stack})["layer"]  # type: ignore[arg-type]
        for stack, every in zip(stacks, (5, 1), strict=True)
    )
    weight.penalty(torch.ones(6))
    weight.after_step()
    weight.load_state_dict(changed.state_dict(), strict=False)
    torch.testing.assert_close(weight.penalty(torch.ones(6)), changed.penalty(torch.ones(6)))


def test_the_missing_cell_of_a_large_grid_is_found_without_going_through_it() -> None:
    grid = TaskGrid.of(
        [(f"user {n:05}", f"item {n:05}") for n in range(20_000)]
    )  # of 400 million cells
    assert grid is not None
    with pytest.raises(ValueError, match="none is named \\('user 00000', 'item 00001'\\)"):
        grid.order("layer", "Tucker")


def test_names_span_a_grid_only_where_a_sharing_uses_one() -> None:
    tasks = [Task(name, "binary") for name in (("f", "x"), "y")]
    template = mlp((5,), 1, hidden=(4,))
    for sharing in (Independent(), Tied(), LastAxisFlattening(rank=1), TraceNorm("laf")):
        MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent")
    for sharing in (Tucker(ranks=0.7), TraceNorm("tucker")):
        with pytest.raises(ValueError, match="do not go together"):
            MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent")


@pytest.mark.parametrize(
    "sharing",
    [Tucker(ranks=0.7), TensorTrain(ranks=0.7), LastAxisFlattening(rank=2), TraceNorm("tucker")],
    ids=repr,
)
def test_a_network_of_tasks_with_tuple_names_uses_the_grid(sharing: Tucker) -> None:
    tasks = [Task(name, "binary") for name in MIXED]
    network = MultiTaskNetwork(
        mlp((5,), 1, hidden=(4,)), tasks, sharing=sharing, initial="independent"
    ).eval()
    rows = torch.randn(3, 5)
    joint = network.run(rows, one_input=True)
    for number, task in enumerate(tasks):
        torch.testing.assert_close(network.task(task.name)(rows), joint[number])
    own = [name for name, _ in network.layers["layers.0"].named_parameters() if "task" in name]
    assert own == {"LastAxisFlattening": ["factors.task"], "TraceNorm": []}.get(
        type(sharing).__name__, ["factors.task_1", "factors.task_2"]
    )
