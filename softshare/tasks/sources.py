"""Sources: what the inputs of a task set are read from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

Source = Any
"""What inputs are read from: anything with a length and a shape that an integer array can index in
dim 0 — a tensor, a NumPy array or memory map — or a data frame whose columns are not numbers
yet."""


DIGESTED_AT_ONCE = 4096
"""Rows of a source outside memory that are read at a time for its digest."""


def as_source(inputs: Any) -> Source:
    """Inputs as something that rows can be taken from: arrays and nested lists become tensors, the
    rest stays.

    Raises:
        ValueError: an array, in memory or on disk, holds something else than real numbers, or two
            columns of a frame have one name.
    """
    if isinstance(inputs, pd.DataFrame):
        frame = inputs.reset_index(drop=True).rename(columns=str)
        if not frame.columns.is_unique:
            raise ValueError(
                f"two columns are called {frame.columns[frame.columns.duplicated()][0]!r}; "
                "every column needs a name of its own"
            )
        return frame
    array = np.asarray(inputs) if isinstance(inputs, list | tuple) else inputs
    dtype = getattr(array, "dtype", None)
    if (
        dtype.is_complex
        if isinstance(dtype, torch.dtype)
        else isinstance(dtype, np.dtype) and dtype.kind not in "biuf"
    ):
        raise ValueError(
            f"inputs must be real numbers, got an array of {dtype}; hand columns of text "
            "in as a pandas data frame"
        )
    if not isinstance(array, np.ndarray) or isinstance(array, np.memmap):
        return array
    return torch.from_numpy(
        array.astype(np.float32)
        if array.dtype == np.float64
        else np.require(array, requirements=["C", "W"])
    )


class Transformed:
    """Rows of a source, transformed only when they are taken: images stay bytes in memory, or on
    disk.

    Args:
        source: what rows are read from.
        transform: ``(B, *shape)`` → ``(B, *shape)``, or ``(B, C)`` → ``(B, width)``.
        width: features of a transformed row, where the transformation changes their number.
    """

    def __init__(
        self, source: Source, transform: Callable[[Tensor], Tensor], *, width: int | None = None
    ) -> None:
        self._source, self._transform = source, transform
        self.may_draw = may_draw(source)
        self.shape = tuple(source.shape) if width is None else (len(source), width)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        return self._transform(take(self._source, rows))


class Joined:
    """Sources of one form, one after the other, each read only where its rows are asked for.

    Args:
        sources: with inputs of one shape and type.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = list(sources)
        self._begins = np.cumsum([0, *(len(source) for source in sources[:-1])])
        self.shape = (sum(len(source) for source in sources), *sources[0].shape[1:])
        self.dtype = getattr(sources[0], "dtype", None)
        self.may_draw = any(map(may_draw, sources))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        which = np.searchsorted(self._begins, rows, side="right") - 1
        order = np.argsort(which, kind="stable")
        numbers = np.unique(which) if len(rows) else [0]  # no rows have a shape too
        taken = [
            take(self._sources[number], rows[which == number] - self._begins[number])
            for number in numbers
        ]
        return torch.cat(taken)[torch.from_numpy(np.argsort(order))]


def may_draw(source: Source) -> bool:
    """Whether reading rows may draw random numbers, from the generators that all code shares: their
    attribute ``may_draw``.
    """
    return bool(getattr(source, "may_draw", False))


def take(source: Source, rows: np.ndarray) -> Tensor:
    """These rows of a source as one tensor ``(len(rows), *shape)``.

    Raises:
        ValueError: the source is a data frame, whose columns are not numbers yet.
    """
    if isinstance(source, Tensor):
        return source[torch.from_numpy(np.ascontiguousarray(rows))]
    if isinstance(source, pd.DataFrame):
        raise ValueError(
            "the inputs are still the columns of a table; TaskSet.split(seed=...) turns "
            "them into numbers"
        )
    return torch.as_tensor(np.asarray(source[rows]))


def merge(sources: Sequence[Source]) -> tuple[list[Source], np.ndarray, np.ndarray]:
    """Sources of one form made one, so that their tasks run as one group: stacked in memory, else
    joined.

    Returns:
        The merged sources, and for every old source its new number and its first row there.
    """
    members: dict[Any, list[int]] = {}
    for number, source in enumerate(sources):
        form = (
            number
            if isinstance(source, pd.DataFrame)
            else (isinstance(source, Tensor), *_form(source))
        )
        members.setdefault(form, []).append(number)
    merged: list[Source] = []
    number_of, start_of = np.zeros((2, len(sources)), dtype=np.int64)
    for olds in members.values():
        number_of[olds] = len(merged)
        start_of[olds] = np.cumsum([0] + [len(sources[old]) for old in olds[:-1]])
        own = [sources[old] for old in olds]
        merged.append(
            own[0]
            if len(own) == 1
            else torch.cat(own)
            if isinstance(own[0], Tensor)
            else Joined(own)
        )
    return merged, number_of, start_of


def rows_before_merging(
    sources: Sequence[Source], number_of: np.ndarray
) -> tuple[np.ndarray | None, ...]:
    """For every source that :func:`merge` made the number that each row had before, in the source
    it came from; None where that was the only one.

    Args:
        sources: as they were handed to :func:`merge`.
        number_of: the new number of each.
    """
    members: list[list[np.ndarray]] = [[] for _ in range(int(number_of.max()) + 1)]
    for source, new in zip(sources, number_of, strict=True):
        members[new].append(np.arange(len(source)))
    # two sources of 3 and 2 rows: 0 1 2 0 1
    return tuple(np.concatenate(own) if len(own) > 1 else None for own in members)


def _form(source: Source) -> tuple[Any, ...]:
    return tuple(source.shape[1:]), str(getattr(source, "dtype", None))


def digest_of(*contents: str | Source) -> str:
    """A digest of texts and sources, equal for equal ones."""
    digest = hashlib.blake2b(digest_size=16)
    for content in contents:
        if isinstance(content, str):
            digest.update(content.encode())
            continue
        if isinstance(content, pd.DataFrame):
            digest.update(repr(list(content.columns)).encode())
            content = pd.util.hash_pandas_object(content, index=False).to_numpy()
        if (columns := getattr(content, "columns", None)) is not None:
            digest.update(repr(columns).encode())
        parts = _parts(content)
        first = next(parts)
        digest.update(repr((tuple(content.shape), first.dtype.str)).encode())
        for part in chain([first], parts):
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def _parts(content: Source) -> Iterator[np.ndarray]:
    """All rows of a source, some at a time where they are not in memory."""
    if isinstance(content, Tensor | np.ndarray):
        yield np.asarray(content.detach().cpu() if isinstance(content, Tensor) else content)
        return
    for begin in range(0, max(1, len(content)), DIGESTED_AT_ONCE):
        yield take(content, np.arange(begin, min(begin + DIGESTED_AT_ONCE, len(content)))).numpy()
