"""The rank report against counts and errors by hand."""

from __future__ import annotations

import re

import pytest
import torch

from softshare.sharing.independent import Independent
from softshare.sharing.last_axis_flattening import LastAxisFlattening
from softshare.sharing.rank_report import rank_report
from softshare.sharing.tensor_train import TensorTrain
from softshare.sharing.tied import Tied
from softshare.sharing.tucker import Tucker


@pytest.mark.parametrize(
    ("sharing", "ranks", "parameters"),
    [
        (Independent(), (), 4 * 35),
        (Tied(), (), 35),
        (LastAxisFlattening(2), (2,), 2 * 35 + 2 * 4),
        (Tucker((4, 3, 2)), (4, 3, 2), 4 * 3 * 2 + 4 * 7 + 3 * 5 + 2 * 4),
        (TensorTrain((4, 3)), (4, 3), 7 * 4 + 4 * 5 * 3 + 3 * 4),
    ],
)
def test_ranks_parameters_and_error(sharing: Tied, ranks: tuple[int, ...], parameters: int) -> None:
    stack = torch.randn(4, 7, 5)
    weights = sharing.share({"fc": stack})
    (row,) = rank_report(weights, {"fc": stack})
    assert (row.layer, row.n_tasks, row.ranks) == ("fc", 4, ranks)
    assert (row.parameters, row.independent_parameters) == (parameters, 4 * 35)
    assert row.error == pytest.approx(
        float((stack - weights["fc"].stacked()).norm().detach() / stack.norm()), rel=1e-5, abs=1e-7
    )
    assert row.warning == ""
    assert rank_report(weights)[0].error is None


def test_tasks_of_different_shapes_are_counted_by_task() -> None:
    stacks = {"fc": [torch.randn(3, 2), torch.randn(5, 2), torch.randn(3, 2)]}
    (row,) = rank_report(Independent().share(stacks), stacks)
    assert (row.parameters, row.independent_parameters, row.error, row.warning) == (22, 22, 0, "")


def test_zero_weights_have_no_error() -> None:
    stack = torch.zeros(3, 4, 5)
    assert rank_report(Tucker(0.5).share({"fc": stack}), {"fc": stack})[0].error == 0


@pytest.mark.parametrize(
    ("sharing", "message"),
    [
        (LastAxisFlattening(1.0), "layer 'fc', ranks .4,.: its task rank 4 is the number of tasks"),
        (Tucker((7, 5, 3)), "it has 191 parameters where independent learning has 140"),
        (
            TensorTrain(1.0),
            "its task rank 4 is the number of tasks.*, and it has .* parameters where",
        ),
    ],
)
def test_a_warning_where_nothing_is_shared(sharing: Tucker, message: str) -> None:
    (row,) = rank_report(sharing.share({"fc": torch.randn(4, 7, 5)}))
    assert re.search(message, row.warning)


def test_no_warning_where_something_is_shared_or_nothing_should_be() -> None:
    stacks = {"fc": torch.randn(4, 7, 5)}
    for sharing in (Independent(), Tied(), TensorTrain((3, 2))):
        assert [row.warning for row in rank_report(sharing.share(stacks))] == [""]
