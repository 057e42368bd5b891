"""States as JSON and tensors: what goes in comes out, and nothing that needs code goes in."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from softshare.training.plain_tree import flattened, joined


def again(tree: Any) -> Any:
    plain, tensors = flattened(tree, "a part")
    return joined(json.loads(json.dumps(plain)), tensors)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        True,
        3,
        "text",
        0.1,
        math.inf,
        -math.inf,
        [1, [2, "a"], []],
        (1, (2.5, None), ()),
        {"a": 1, 3: [2], (1, 2): {"b": (None,)}, True: {}},
    ],
    ids=repr,
)
def test_a_state_comes_out_as_it_went_in(tree: Any) -> None:
    found = again(tree)
    assert found == tree
    assert repr(found) == repr(tree)


def test_numbers_of_numpy_are_numbers_and_what_is_no_number_stays_so() -> None:
    found = again([np.float32(0.5), np.int64(3), np.bool_(True), math.nan])
    assert found[:3] == [0.5, 3, True]
    assert [type(value) for value in found[:3]] == [float, int, bool]
    assert math.isnan(found[3])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.long])
def test_tensors_come_out_in_order_and_share_no_memory(dtype: torch.dtype) -> None:
    first, second = torch.arange(6).to(dtype), torch.arange(4).to(dtype).reshape(2, 2).T
    tree = {"first": first, "second": [second, second]}
    plain, tensors = flattened(tree, "a part")
    assert len({tensor.data_ptr() for tensor in tensors.values()}) == 3
    assert all(tensor.is_contiguous() for tensor in tensors.values())
    expected = first.clone()
    first.zero_()
    found = joined(plain, tensors)
    assert torch.equal(found["first"], expected)
    assert found["second"][0].dtype == dtype
    assert torch.equal(found["second"][1], second)


@pytest.mark.parametrize("dtype", ["bool", "int32", "uint8", "float64"])
def test_arrays_come_out_as_arrays(dtype: str) -> None:
    array = np.array([[0, 1, 2], [3, 4, 5]], dtype=dtype)
    found = again([array])[0]
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_a_parameter_is_kept_without_its_graph() -> None:
    values = torch.ones(3, requires_grad=True)
    assert not again({"of": values})["of"].requires_grad


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (print, "builtin_function_or_method"),
        ({1, 2}, "set"),
        (np.array(["a"]), "ndarray"),
        (torch.eye(2).to_sparse(), "Tensor"),
        (b"bytes", "bytes"),
    ],
)
def test_what_cannot_be_written_down_is_named(value: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"checkpoint: the part keeps a {kind}, which cannot be"):
        flattened({"a": [value]}, "the part")


@pytest.mark.parametrize(
    ("plain", "message"),
    [({}, "no state"), ({"a": 1, "b": 2}, "no state"), ({"set": [1]}, "'set', which is no part")],
)
def test_json_that_is_no_state_is_refused(plain: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        joined([plain], {})
