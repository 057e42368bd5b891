"""How batches lie, and which weights serve all tasks."""

from __future__ import annotations

import pytest
import torch

from softshare.network.execution.batch_layout import BatchLayout, is_one_for_all
from softshare.network.execution.noise import TaskNoise
from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.tied import Tied

STACK = torch.randn(2, 3, 4)


def layout_of(*, n_tasks: int = 2, one_copy: bool = False, in_chain: bool = True) -> BatchLayout:
    layout = BatchLayout(TaskNoise(range(n_tasks)))
    layout.n_tasks = n_tasks
    layout.one_copy, layout.apart, layout.in_chain = one_copy, not one_copy, in_chain
    return layout


def test_what_lies_apart_is_joined_without_moving() -> None:
    layout = layout_of()
    joined = layout.join(STACK)
    assert joined.tolist() == [*STACK[0].tolist(), *STACK[1].tolist()]
    assert joined.data_ptr() == STACK.data_ptr()
    assert not layout.apart
    assert layout.join(joined) is joined
    assert torch.equal(layout.separate(joined), STACK)


def test_one_copy_becomes_one_for_each_task() -> None:
    layout = layout_of(one_copy=True)
    rows = STACK[0]
    assert layout.join(rows) is rows
    assert torch.equal(layout.expand(rows), torch.cat([rows, rows]))
    assert not layout.one_copy


@pytest.mark.parametrize("in_chain", [True, False])
def test_only_a_chain_leaves_what_a_layer_makes_apart(in_chain: bool) -> None:
    layout = layout_of(in_chain=in_chain)
    left = layout.leave(STACK)
    assert left.shape == ((2, 3, 4) if in_chain else (6, 4))
    assert layout.apart == in_chain
    assert torch.equal(layout.separate(left), STACK)


def test_there_are_no_rows_outside_of_a_pass() -> None:
    layout = layout_of()
    layout.in_pass = False
    with pytest.raises(RuntimeError, match=r"own pass.*torch\.utils\.checkpoint"):
        layout.join(STACK)


def test_a_weight_is_one_for_all_where_no_factor_is_a_tasks() -> None:
    weights = {
        sharing: sharing.share({"layer": STACK})["layer"]
        for sharing in (Tied(), Independent(), LastAxisFlattening(rank=1))
    }
    told = [is_one_for_all(weight) for weight in weights.values()]
    assert told == [True, False, False]
