"""Sources: what the inputs of a task set are read from."""

from __future__ import annotations

import hashlib
from array import array as array_of_numbers
from collections.abc import Callable, Iterator, Mapping, Sequence
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


_WIDER: Mapping[str, type] = {"uint16": np.int32, "uint32": np.int64, "uint64": np.int64}
"""Whole numbers that PyTorch can hardly compute with, and what holds the same values."""


def as_source(inputs: Any) -> Source:
    """Inputs as something that rows can be taken from: arrays and nested lists become tensors, the
    rest stays.

    Numbers keep their precision, which is what scaling them needs: seconds since 1970 of one minute
    are one number in float32. Masked values of an array become missing ones (NaN).

    Raises:
        ValueError: it is no array, nor anything like one; it holds something else than real
            numbers, is sparse, or has no features; a number of an image or sequence is missing or
            infinite; two columns of a frame have one name.
    """
    if isinstance(inputs, pd.DataFrame):
        return _frame(inputs)
    array = _array_of(inputs)
    if isinstance(array, np.ma.MaskedArray):
        array = _unmasked(array)
    _check_form(array)
    if isinstance(array, Tensor):
        array = array.detach().cpu()
        is_short = array.is_floating_point() and array.element_size() < 4
        return _finite(array.float() if is_short else array)
    if not isinstance(array, np.ndarray) or isinstance(array, np.memmap):
        return array
    return _finite(_tensor_of(array))


def _array_of(inputs: Any) -> Any:
    """Nested lists and buffers as arrays; what rows can be taken from already as it is."""
    if isinstance(inputs, Tensor):
        return inputs
    if isinstance(inputs, list | tuple | pd.Series | memoryview | array_of_numbers):
        try:
            return np.asarray(inputs)
        except ValueError:
            raise ValueError("inputs must have rows of one shape, got some of several") from None
    rows_can_be_taken = hasattr(inputs, "shape") and hasattr(inputs, "__getitem__")
    if not rows_can_be_taken and not hasattr(inputs, "tocsr"):
        raise ValueError(
            "inputs must be an array, a tensor, a list of rows or a pandas data frame, got "
            f"{type(inputs).__name__}"
        )
    return inputs


def _unmasked(array: Any) -> np.ndarray:
    """A masked array as a plain one, NaN where it is masked."""
    if not np.ma.is_masked(array):
        return np.asarray(array.data)
    plain: np.ndarray = array.astype(np.float64).filled(np.nan)
    return plain


def _frame(inputs: pd.DataFrame) -> pd.DataFrame:
    frame = inputs.reset_index(drop=True).set_axis(list(map(str, inputs.columns)), axis=1)
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise ValueError(f"two columns are called {twice!r}; every column needs a name of its own")
    for name, dtype in frame.dtypes.items():
        if getattr(dtype, "kind", "") == "c":
            raise ValueError(f"column {name!r} must hold real numbers, got {dtype}")
    return frame


def _check_form(array: Any) -> None:
    """Refuse what cannot be rows of real numbers."""
    is_tensor = isinstance(array, Tensor)
    if is_tensor and array.is_nested:
        raise ValueError("inputs must have rows of one shape, got a nested tensor; pad its rows")
    if hasattr(array, "tocsr") or (is_tensor and array.layout != torch.strided):
        dense = "to_dense" if is_tensor else "toarray"
        raise ValueError(f"inputs must be dense, got a sparse array; hand in its {dense}()")
    if is_tensor and (array.is_quantized or array.is_meta):
        kind, remedy = "quantised", "dequantize()"
        if array.is_meta:
            kind, remedy = "empty (meta)", "numbers"
        raise ValueError(
            f"inputs must be a plain tensor, got one that is {kind}; hand in its {remedy}"
        )
    dtype = getattr(array, "dtype", None)
    if isinstance(dtype, torch.dtype):
        is_real = not dtype.is_complex
    else:
        is_real = not isinstance(dtype, np.dtype) or dtype.kind in "biuf"
    if not is_real:
        raise ValueError(
            f"inputs must be real numbers, got an array of {dtype}; hand columns of text "
            "in as a pandas data frame"
        )
    shape = getattr(array, "shape", None)
    if shape is not None and len(shape) < 2:
        raise ValueError(
            f"inputs must be rows of features, shape (N, D), got shape {tuple(shape)}; "
            "reshape one feature a row to (N, 1)"
        )
    if shape is not None and 0 in shape[1:]:
        raise ValueError(f"inputs must have features, got rows of shape {tuple(shape[1:])}")


def _tensor_of(array: np.ndarray) -> Tensor:
    """An array as a tensor of the same values, in the array's memory where that is possible."""
    wider = _WIDER.get(array.dtype.name)
    if wider is not None:
        if array.dtype.name == "uint64" and array.max(initial=0) > np.iinfo(np.int64).max:
            wider = np.float64
        array = array.astype(wider)
    native = array.astype(array.dtype.newbyteorder("="), copy=False)
    if native.dtype.kind == "f" and native.dtype.itemsize not in (4, 8):
        native = native.astype(np.float32 if native.dtype.itemsize < 4 else np.float64)
    return torch.from_numpy(np.require(native, requirements=["C", "W"]))


def _finite(inputs: Tensor) -> Tensor:
    """These inputs, of which images and sequences may not have gaps; missing values of vectors are
    filled in after the split.
    """
    if inputs.ndim > 2:
        check_no_gaps(inputs)
    return inputs


def check_no_gaps(inputs: Tensor) -> None:
    """Refuse images, sequences and the like with missing or infinite numbers.

    Raises:
        ValueError: says how many there are.
    """
    if not inputs.is_floating_point():
        return
    gaps = int((~inputs.isfinite()).sum())
    if gaps:
        raise ValueError(
            f"inputs of shape {tuple(inputs.shape)} have {gaps} missing (NaN) or infinite "
            "value(s); only those of vectors are filled in, so fill them in first"
        )


def as_floats(inputs: Tensor) -> Tensor:
    """Images, sequences and the like in single precision.

    Raises:
        ValueError: a number is missing or infinite.
    """
    check_no_gaps(inputs)
    return inputs.float()


class Transformed:
    """Rows of a source, transformed only when they are taken: images stay bytes in memory, or on
    disk.

    Args:
        source: what rows are read from.
        transform: ``(B, *shape)`` → ``(B, *shape)``, or ``(B, C)`` → ``(B, width)``.
        width: features of a transformed row, where the transformation changes their number.
    """

    def __init__(
        self,
        source: Source,
        transform: Callable[[Tensor], Tensor],
        *,
        width: int | None = None,
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
        lengths = [len(source) for source in sources]
        self._begins = np.cumsum([0, *lengths[:-1]])
        self.shape = (sum(lengths), *sources[0].shape[1:])
        self.dtype = getattr(sources[0], "dtype", None)
        self.may_draw = any(map(may_draw, sources))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> Tensor:
        which = np.searchsorted(self._begins, rows, side="right") - 1
        numbers = np.unique(which) if len(rows) else [0]  # no rows have a shape too
        taken = []
        for number in numbers:
            own = rows[which == number] - self._begins[number]
            taken.append(take(self._sources[number], own))
        # the rows now stand source by source; back to the order in which they were asked for
        by_source = np.argsort(which, kind="stable")
        return torch.cat(taken)[torch.from_numpy(np.argsort(by_source))]


def may_draw(source: Source) -> bool:
    """Whether reading rows may draw random numbers, from the generators that all code shares: their
    attribute ``may_draw``.
    """
    return bool(getattr(source, "may_draw", False))


def take(
    source: Source,
    rows: np.ndarray,
) -> Tensor:
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
    taken = source[rows]
    if isinstance(taken, Tensor):
        return taken
    return _tensor_of(np.asarray(taken))


def merge(sources: Sequence[Source]) -> tuple[list[Source], np.ndarray, np.ndarray]:
    """Sources of one form made one, so that their tasks run as one group: stacked in memory, else
    joined.

    Returns:
        The merged sources, and for every old source its new number and its first row there.
    """
    members: dict[Any, list[int]] = {}
    for number, source in enumerate(sources):
        is_frame = isinstance(source, pd.DataFrame)
        form = number if is_frame else _form(source)
        alike = members.setdefault(form, [])
        alike.append(number)
    merged: list[Source] = []
    number_of = np.zeros(len(sources), dtype=np.int64)
    start_of = np.zeros(len(sources), dtype=np.int64)
    for olds in members.values():
        own = [sources[old] for old in olds]
        lengths = [len(source) for source in own]
        number_of[olds] = len(merged)
        start_of[olds] = np.cumsum([0, *lengths[:-1]])
        merged.append(_stacked(own))
    return merged, number_of, start_of


def _stacked(sources: Sequence[Source]) -> Source:
    if len(sources) == 1:
        return sources[0]
    if isinstance(sources[0], Tensor):
        return torch.cat(list(sources))
    return Joined(sources)


def rows_before_merging(
    sources: Sequence[Source],
    number_of: np.ndarray,
) -> tuple[np.ndarray | None, ...]:
    """For every source that :func:`merge` made the number that each row had before, in the source
    it came from; None where that was the only one.

    Args:
        sources: as they were handed to :func:`merge`.
        number_of: the new number of each.
    """
    n_members = int(number_of.max()) + 1
    members: list[list[np.ndarray]] = [[] for _ in range(n_members)]
    for source, new in zip(sources, number_of, strict=True):
        members[new].append(np.arange(len(source)))
    # two sources of 3 and 2 rows: 0 1 2 0 1
    return tuple(np.concatenate(own) if len(own) > 1 else None for own in members)


def _form(source: Source) -> tuple[Any, ...]:
    """What sources must have in common to be one; floats of two precisions in memory may be, as the
    finer one.
    """
    dtype = str(getattr(source, "dtype", None))
    in_memory = isinstance(source, Tensor)
    if in_memory and source.is_floating_point():
        dtype = "float"
    return in_memory, tuple(source.shape[1:]), dtype


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
        columns = getattr(content, "columns", None)  # of a table that stands as numbers
        if columns is not None:
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
        end = min(begin + DIGESTED_AT_ONCE, len(content))
        yield take(content, np.arange(begin, end)).numpy()
