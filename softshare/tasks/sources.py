"""Sources: what the inputs of a task set are read from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

Source = Any
"""What inputs are read from: anything with a length and a shape that an integer array can index in
dim 0 — a tensor, a NumPy array or memory map — or a data frame whose columns are not numbers yet."""


def as_source(inputs: Any) -> Source:
    """Inputs as something that rows can be taken from: arrays and nested lists become tensors, the rest stays.

    Raises:
        ValueError: an array holds something else than numbers.
    """
    if isinstance(inputs, pd.DataFrame):
        return inputs.reset_index(drop=True).rename(columns=str)
    if not isinstance(inputs, np.ndarray | list | tuple) or isinstance(inputs, np.memmap):
        return inputs
    array = np.asarray(inputs)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"inputs must be numbers, got an array of {array.dtype}; hand columns of text in as a pandas data frame")
    return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float64 else np.require(array, requirements=["C", "W"]))


def take(source: Source, rows: np.ndarray) -> Tensor:
    """These rows of a source as one tensor ``(len(rows), *shape)``.

    Raises:
        ValueError: the source is a data frame, whose columns are not numbers yet.
    """
    if isinstance(source, Tensor):
        return source[torch.from_numpy(np.ascontiguousarray(rows))]
    if isinstance(source, pd.DataFrame):
        raise ValueError("the inputs are still the columns of a table; TaskSet.split(seed=...) turns them into numbers")
    return torch.as_tensor(np.asarray(source[rows]))


def merge(sources: Sequence[Source]) -> tuple[list[Source], np.ndarray, np.ndarray]:
    """In-memory sources of one form stacked, so that their tasks run as one group.

    Returns:
        The merged sources, and for every old source its new number and its first row there.
    """
    members: dict[Any, list[int]] = {}
    for number, source in enumerate(sources):
        form = (tuple(source.shape[1:]), source.dtype) if isinstance(source, Tensor) else number
        members.setdefault(form, []).append(number)
    merged: list[Source] = []
    number_of, start_of = np.zeros((2, len(sources)), dtype=np.int64)
    for olds in members.values():
        number_of[olds] = len(merged)
        start_of[olds] = np.cumsum([0] + [len(sources[old]) for old in olds[:-1]])
        merged.append(torch.cat([sources[old] for old in olds]) if len(olds) > 1 else sources[olds[0]])
    return merged, number_of, start_of


def update_digest(digest: hashlib.blake2b, source: Source) -> None:
    """Add the content of a source to a digest."""
    if isinstance(source, pd.DataFrame):
        digest.update(repr(list(source.columns)).encode())
        content = pd.util.hash_pandas_object(source, index=False).to_numpy()
    else:
        content = source.detach().cpu().contiguous().numpy() if isinstance(source, Tensor) else np.ascontiguousarray(source)
        digest.update(repr((content.shape, str(content.dtype))).encode())
    digest.update(np.ascontiguousarray(content).tobytes())
