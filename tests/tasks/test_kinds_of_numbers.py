"""Inputs of every kind of number: right to the last digit that matters, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from torch.utils.data import TensorDataset

from softshare.data.datasets import from_datasets
from softshare.data.table import read_table
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import ROUNDING_OF_SINGLE, Scaled, Vectors

N_ROWS = 60
SECONDS = 1.7e9 + np.random.default_rng(0).uniform(0, 60, (N_ROWS, 1))
"""Seconds since 1970 of one minute: one number in float32, whose step there is 128."""

LABELS = np.tile([0, 1], N_ROWS // 2)


def on_disk(folder: Path, array: np.ndarray) -> np.ndarray:
    path = folder / "inputs.npy"
    np.save(path, array)
    return np.load(path, mmap_mode="r")


def table(folder: Path) -> pd.DataFrame:
    return pd.DataFrame({"when": SECONDS[:, 0], "task": "a", "y": LABELS})


def large_table(folder: Path) -> TaskSet:
    table(folder).to_csv(folder / "t.csv", index=False)
    return read_table(folder / "t.csv", task="task", target="y", chunk_rows=7)


WAYS: dict[str, Callable[[Path], TaskSet]] = {
    "from_arrays": lambda _: TaskSet.from_arrays({"a": (SECONDS, LABELS)}),
    "several arrays": lambda _: TaskSet.from_arrays(
        {"a": (SECONDS[:30], LABELS[:30]), "b": (SECONDS[30:], LABELS[30:])}
    ),
    "lists": lambda _: TaskSet.from_arrays({"a": (SECONDS.tolist(), LABELS)}),
    "from_shared_inputs": lambda _: TaskSet.from_shared_inputs(SECONDS, {"a": LABELS}),
    "from_task_column": lambda _: TaskSet.from_task_column(SECONDS, LABELS, ["a"] * N_ROWS),
    "a tensor": lambda _: TaskSet.from_shared_inputs(torch.from_numpy(SECONDS), {"a": LABELS}),
    "a memory map": lambda folder: TaskSet.from_shared_inputs(
        on_disk(folder, SECONDS), {"a": LABELS}
    ),
    "from_datasets": lambda _: from_datasets(
        {"a": TensorDataset(torch.from_numpy(SECONDS), torch.from_numpy(LABELS))}
    ),
    "a data frame": lambda folder: read_table(table(folder), task="task", target="y"),
    "a large table": large_table,
}


@pytest.mark.parametrize("way", WAYS)
def test_small_differences_of_large_numbers_survive(way: str, tmp_path: Path) -> None:
    train = WAYS[way](tmp_path).split(seed=0)[0]
    source = train.sources[0]
    scaled = torch.cat([torch.as_tensor(source[np.arange(len(source))])])
    training = SECONDS[train.source_rows(), 0]
    if way == "several arrays":
        training = SECONDS[np.unique(train.rows), 0]
    expected = (SECONDS[:, 0] - training.mean()) / training.std()
    assert scaled.dtype == torch.float32
    np.testing.assert_allclose(scaled[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("way", ["in memory", "on disk"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_column_that_is_constant_but_for_rounding_is_constant(
    way: str, dtype: type, tmp_path: Path
) -> None:
    column = np.full(N_ROWS, 0.1, dtype=dtype)
    column[::3] = np.nextafter(dtype(0.1), dtype(1))
    column[-1] = 0.9  # beside rows that varied by 1e-17, this one would be 1e16
    inputs = np.stack([column, np.arange(N_ROWS, dtype=dtype)], axis=1)
    if way == "on disk":
        inputs = on_disk(tmp_path, inputs)
    parts = np.array(["train"] * (N_ROWS - 2) + ["validation", "test"], dtype=object)
    tasks = TaskSet.from_shared_inputs(inputs, {"a": np.arange(N_ROWS) / 7}, parts=parts)
    train, _, test = tasks.split(seed=0)
    assert abs(test.examples(0)[0][0, 0]) == pytest.approx(0.8)
    assert abs(train.examples(0)[0][:, 0]).max() < 1e-6


def test_steps_of_single_precision_beyond_rounding_are_values() -> None:
    rows = np.float32(1.7e9) + np.float32(128) * np.arange(20, dtype=np.float32)[:, None]
    fitted = Vectors.fit(rows.astype(np.float64), ["when"], rounding=ROUNDING_OF_SINGLE)
    assert fitted.std[0] == pytest.approx(rows.astype(np.float64).std())


@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int32", "int64", "float16"]
)
@pytest.mark.parametrize("place", ["in memory", "on disk"])
def test_every_kind_of_number_gives_the_same_features(
    dtype: str, place: str, tmp_path: Path
) -> None:
    whole = np.random.default_rng(1).integers(0, 2, (N_ROWS, 3))
    inputs = whole.astype(dtype)
    if place == "on disk":
        inputs = on_disk(tmp_path, inputs)
    found = TaskSet.from_arrays({"a": (inputs, LABELS)}).split(seed=0)
    expected = TaskSet.from_arrays({"a": (whole.astype(float), LABELS)}).split(seed=0)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.examples(0)[0], other.examples(0)[0])


@pytest.mark.parametrize("dtype", ["bool", "uint16", "int32", "int64", "float16", "float64"])
@pytest.mark.parametrize("place", ["in memory", "on disk"])
def test_images_of_any_numbers_reach_the_network_in_single_precision(
    dtype: str, place: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, 2, (N_ROWS, 1, 4, 4)).astype(dtype)
    inputs = on_disk(tmp_path, pixels) if place == "on disk" else pixels
    train, *_ = TaskSet.from_arrays({"a": (inputs, LABELS)}).split(seed=0)
    images = train.examples(0)[0]
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images, pixels[train.source_rows()].astype(np.float32))


def test_bytes_are_divided_and_masks_are_not() -> None:
    random = np.random.default_rng(1)
    for highest, divisor in ((255, 255), (2, 255), (1, 1)):
        pixels = random.integers(0, highest + 1, (N_ROWS, 1, 4, 4)).astype(np.uint8)
        pixels[0, 0, 0, 0] = highest
        train, *_ = TaskSet.from_arrays({"a": (pixels, LABELS)}).split(seed=0)
        expected = pixels[train.source_rows()].astype(np.float32) / np.float32(divisor)
        np.testing.assert_allclose(train.examples(0)[0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "largest", "divisor"),
    [("uint16", 4000, 4095), ("uint16", 65535, 65535), ("int64", 255, 255), ("int32", 16, 31)],
)
@pytest.mark.parametrize("place", ["in memory", "on disk"])
def test_whole_numbers_of_images_are_divided_by_what_their_bits_hold(
    dtype: str, largest: int, divisor: int, place: str, tmp_path: Path
) -> None:
    pixels = np.random.default_rng(1).integers(0, largest + 1, (N_ROWS, 1, 4, 4)).astype(dtype)
    pixels[:, 0, 0, 0] = largest
    inputs = on_disk(tmp_path, pixels) if place == "on disk" else pixels
    train, *_ = TaskSet.from_arrays({"a": (inputs, LABELS)}).split(seed=0)
    expected = pixels[train.source_rows()].astype(np.float32) / np.float32(divisor)
    np.testing.assert_allclose(train.examples(0)[0], expected, rtol=1e-6)
    assert train.preprocessing[0] == Scaled(divisor)


def test_whole_numbers_below_zero_are_no_pixels() -> None:
    heights = np.random.default_rng(1).integers(-9, 9, (N_ROWS, 1, 4, 4))
    train, *_ = TaskSet.from_arrays({"a": (heights, LABELS)}).split(seed=0)
    np.testing.assert_array_equal(train.examples(0)[0], heights[train.source_rows()])


def test_columns_of_several_levels_and_of_complex_numbers() -> None:
    levels = pd.MultiIndex.from_product([["a", "b"], [1, 2]])
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(N_ROWS, 4)), columns=levels)
    train, *_ = TaskSet.from_arrays({"a": (frame, LABELS)}).split(seed=0)
    assert train.examples(0)[0].shape[1] == 4
    with pytest.raises(ValueError, match=r"task 'a': column .* real numbers, got complex128"):
        TaskSet.from_arrays({"a": (frame.astype(complex), LABELS)})


def test_tokens_stay_whole_numbers_without_standardising() -> None:
    for shape in ((N_ROWS, 5), (N_ROWS, 2, 5)):
        tokens = np.random.default_rng(1).integers(0, 99, shape)
        train, *_ = TaskSet.from_arrays({"a": (tokens, LABELS)}).split(seed=0, standardise=False)
        assert train.examples(0)[0].dtype == torch.int64


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_masked_values_are_missing(dtype: type) -> None:
    values = np.random.default_rng(1).integers(0, 9, (N_ROWS, 3)).astype(dtype)
    mask = np.random.default_rng(2).random((N_ROWS, 3)) < 0.3
    masked = TaskSet.from_arrays({"a": (np.ma.masked_array(values, mask), LABELS)})
    gaps = TaskSet.from_arrays({"a": (np.where(mask, np.nan, values), LABELS)})
    train, expected = masked.split(seed=0)[0], gaps.split(seed=0)[0]
    torch.testing.assert_close(train.examples(0)[0], expected.examples(0)[0])
    whole = TaskSet.from_arrays({"a": (np.ma.masked_array(values), LABELS)})
    assert whole.split(seed=0)[0].examples(0)[0].shape[1] == 3


def test_masked_labels_are_missing() -> None:
    labels = np.ma.masked_array(LABELS, np.arange(N_ROWS) < 10)
    assert TaskSet.from_arrays({"a": (SECONDS, labels)}).n_examples.tolist() == [N_ROWS - 10]


def test_tensors_of_other_kinds() -> None:
    values = torch.randn(N_ROWS, 3, generator=torch.Generator().manual_seed(0))
    expected = TaskSet.from_arrays({"a": (values, LABELS)}).split(seed=0)[0].examples(0)[0]
    trained = values.clone().requires_grad_()
    found = TaskSet.from_arrays({"a": (trained, LABELS)}).split(seed=0)[0].examples(0)[0]
    torch.testing.assert_close(found, expected)
    half = TaskSet.from_arrays({"a": (values.bfloat16(), LABELS)}).split(seed=0)[0].examples(0)[0]
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, expected, atol=0.05, rtol=0.05)
    big = values.numpy().astype(">f8")  # bytes in another order
    found = TaskSet.from_arrays({"a": (big, LABELS)}).split(seed=0)[0].examples(0)[0]
    torch.testing.assert_close(found, expected)


GAPS = np.where(np.arange(N_ROWS * 16).reshape(N_ROWS, 1, 4, 4) % 7 == 3, np.nan, 1.0)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (scipy.sparse.eye(N_ROWS, format="csr"), r"must be dense, .* hand in its toarray\(\)"),
        (torch.eye(N_ROWS).to_sparse(), r"must be dense, .* hand in its to_dense\(\)"),
        (SECONDS[:, 0], r"shape \(N, D\), got shape \(60,\); reshape one feature"),
        (pd.Series(SECONDS[:, 0]), r"shape \(N, D\), got shape \(60,\)"),
        (GAPS, r"have 137 missing \(NaN\) or infinite value\(s\)"),
        (torch.from_numpy(GAPS).float(), r"have 137 missing \(NaN\)"),
        (np.ma.masked_array(GAPS * 0, np.isnan(GAPS)), r"have 137 missing \(NaN\)"),
        (SECONDS.astype(complex), "must be real numbers, got an array of complex128"),
        (SECONDS.astype(str), "must be real numbers.*columns of text in as a pandas data frame"),
        ([[1, 2], [3]] * 30, "must have rows of one shape"),
        (None, "must be an array, .* got NoneType"),
        ({"x": [1]}, "must be an array, .* got dict"),
        ("table.csv", "must be an array, .* got str"),
        ((row for row in SECONDS), "must be an array, .* got generator"),
        (np.zeros((N_ROWS, 0)), r"must have features, got rows of shape \(0,\)"),
        (
            torch.zeros(N_ROWS, 2, device="meta"),
            r"must be a plain tensor, got one that is empty \(meta\)",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_tasks_name(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^task 'a': inputs .*{message}"):
        TaskSet.from_arrays({"a": (inputs, LABELS)})


def test_gaps_in_images_on_disk_are_found_when_they_are_read(tmp_path: Path) -> None:
    train, *_ = TaskSet.from_arrays({"a": (on_disk(tmp_path, GAPS), LABELS)}).split(seed=0)
    with pytest.raises(ValueError, match=r"missing \(NaN\) or infinite"):
        train.examples(0)
