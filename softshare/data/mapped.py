"""Arrays that stay on disk: rows are read when a batch asks for them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np


class MappedArray:
    """An array in a ``.npy`` file, as a source of inputs.

    What is sent to another process is the path, not the content: processes on one machine share one copy in memory.

    Args:
        path: the file.

    Raises:
        ValueError: the file holds no array of numbers.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shape: tuple[int, ...] = self._content.shape
        self.dtype = self._content.dtype

    @cached_property
    def _content(self) -> np.ndarray:
        if not self.path.exists():
            raise FileNotFoundError(
                f"{self.path} is not there; processes on other machines need a SOFTSHARE_CACHE folder that all machines see"
            )
        try:
            return np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{self.path} is damaged ({error}); delete it and it is made again") from None

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, rows: Any) -> np.ndarray:
        return np.asarray(self._content[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self._content, dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return MappedArray, (self.path,)
