"""Arrays that stay on disk: rows are read when a batch asks for them."""

from __future__ import annotations

import errno
import os
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

_ZEROS_AT_ONCE = 1 << 20


def open_mapped(path: Path, *, mode: Literal["r", "r+"] = "r") -> np.ndarray:
    """An array in a ``.npy`` file of the cache folder as a memory map.

    Raises:
        FileNotFoundError: the file is not there.
        ValueError: it holds no array of numbers.
    """
    remedy = f"delete the folder {path.parent} and it is made again"
    try:
        return np.lib.format.open_memmap(path, mode=mode)
    except FileNotFoundError:
        other = "processes on other machines need a SOFTSHARE_CACHE folder that all machines see"
        raise FileNotFoundError(
            f"{path} is not there; "
            f"{remedy if path.parent.exists() else 'load the data again'}; {other}"
        ) from None
    except OSError:
        raise
    except Exception as error:  # NumPy reads a header as Python, which fails in many ways
        raise ValueError(f"{path} is damaged ({error}); {remedy}") from None


def new_mapped(
    path: Path,
    *,
    dtype: npt.DTypeLike,
    shape: tuple[int, ...],
) -> np.memmap[Any, Any]:
    """A new array in a ``.npy`` file as a memory map to be filled, all its room taken at once.

    A file is made long without taking room on the disk. Where that runs out while a map is being
    filled, no call is there to fail: the system ends the process (SIGBUS).

    Raises:
        OSError: there is no room for it; the error's ``filename`` is the path.
    """
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
        with path.open("r+b") as file:
            _take_room(file, array.offset, array.nbytes)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    return array


def _take_room(file: IO[bytes], begin: int, size: int) -> None:
    """Take the room of these bytes of a file, whose content is zeros."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), begin, size)
        except OSError as error:
            # some file systems cannot, then zeros are written
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
                raise
        else:
            return
    file.seek(begin)
    for done in range(0, size, _ZEROS_AT_ONCE):
        file.write(bytes(min(_ZEROS_AT_ONCE, size - done)))
    file.flush()
    os.fsync(file.fileno())


class RowsOnDisk:
    """What a source of inputs says of its size: ``shape`` is ``(N, *input)``."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)


class MappedArray(RowsOnDisk):
    """An array in a ``.npy`` file, as a source of inputs.

    What is sent to another process is the path, not the content: processes on one machine share one
    copy in memory.

    Args:
        path: the file.

    Raises:
        ValueError: the file holds no array of numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape = self._content.shape
        self.dtype = self._content.dtype

    @cached_property
    def _content(self) -> np.ndarray:
        return open_mapped(self.path)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self._content[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._content, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedArray, (self.path,)
