"""What a module's forward leaves in its buffers."""

from __future__ import annotations

import pytest
import torch

from softshare.network.execution.buffers import assigned_rows, with_rows


def test_only_what_was_assigned_is_told() -> None:
    changed_in_place, assigned = torch.zeros(2), torch.zeros(2)
    before = {0: {"mean": changed_in_place}, 4: {"mean": assigned}}
    changed_in_place.add_(1)
    new = assigned + 2
    after = {0: {"mean": changed_in_place}, 4: {"mean": new}}
    rows = assigned_rows(before, after, "mean")
    assert list(rows) == [4]
    assert rows[4] is new


def test_rows_go_into_a_new_tensor_without_gradients() -> None:
    whole = torch.zeros(3, 2)
    value = torch.ones(2, requires_grad=True) * 2
    changed = with_rows(whole, {1: value}, layer="norm", name="mean")
    assert changed.tolist() == [[0, 0], [2, 2], [0, 0]]
    assert not whole.any()
    assert not changed.requires_grad


def test_a_row_of_another_shape_is_refused() -> None:
    message = r"norm: .*'mean' the shape \(3,\) instead of \(2,\)"
    with pytest.raises(RuntimeError, match=message):
        with_rows(torch.zeros(3, 2), {1: torch.zeros(3)}, layer="norm", name="mean")
