"""Sources that are read where they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from softshare.tasks.sources import Joined, Transformed, as_source, digest_of, merge, take


class Lazy:
    """An array that is neither tensor nor NumPy array."""

    def __init__(self, array: np.ndarray) -> None:
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self._array[rows]


@pytest.mark.parametrize(
    "dtype",
    [np.complex64, "<U3", "datetime64[s]", np.dtype([("a", "f4")])],
    ids=["complex", "text", "dates", "records"],
)
def test_what_holds_no_real_numbers_is_refused_in_memory_and_on_disk(
    dtype: Any, tmp_path: Path
) -> None:
    mapped = np.memmap(tmp_path / "array", dtype=dtype, mode="w+", shape=(6, 2))
    for inputs in (mapped, np.array(mapped), Lazy(mapped)):
        with pytest.raises(ValueError, match="inputs must be real numbers, got an array of"):
            as_source(inputs)
    with pytest.raises(ValueError, match=r"real numbers, got an array of torch\.complex64"):
        as_source(torch.zeros(6, 2, dtype=torch.complex64))


def arrays() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(0, 255, (size, 2, 3), dtype=np.uint8) for size in (4, 1, 6)]


def test_joined_sources_are_read_as_one() -> None:
    whole = np.concatenate(arrays())
    joined = Joined([Lazy(array) for array in arrays()])
    assert joined.shape == whole.shape
    for rows in (np.array([10, 0, 4, 4, 5, 3]), np.array([7]), np.empty(0, dtype=np.int64)):
        assert np.array_equal(take(joined, rows).numpy(), whole[rows])


def test_sources_of_one_form_are_merged_and_others_are_not() -> None:
    tensors = [torch.from_numpy(array) for array in arrays()]
    lazy = [Lazy(array) for array in arrays()]
    other = Lazy(np.zeros((2, 5)))
    merged, number_of, start_of = merge([lazy[0], tensors[0], lazy[1], other, tensors[2], lazy[2]])
    assert [type(source) for source in merged] == [Joined, torch.Tensor, Lazy]
    assert number_of.tolist() == [0, 1, 0, 2, 1, 0]
    assert start_of.tolist() == [0, 0, 4, 0, 4, 5]


def test_a_digest_is_of_content_whatever_holds_it() -> None:
    whole = np.concatenate(arrays())
    digests = {
        digest_of(source)
        for source in (
            whole,
            torch.from_numpy(whole),
            Lazy(whole),
            Joined([Lazy(array) for array in arrays()]),
        )
    }
    assert len(digests) == 1
    assert digest_of(Lazy(whole[:, ::-1])) not in digests


def test_a_transformed_source_may_change_its_width() -> None:
    doubled = Transformed(
        Lazy(np.ones((5, 2), dtype=np.float32)),
        lambda rows: torch.cat([rows, rows], dim=1),
        width=4,
    )
    assert doubled.shape == (5, 4)
    assert take(doubled, np.array([1, 2])).shape == (2, 4)
