"""Images in files, as a source of inputs: each is decoded once, by another process, and kept as
bytes on disk.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from softshare.data.cache import derived
from softshare.data.decoding import IMAGES, LIST, Decoders, read_list, write_list
from softshare.data.image_form import ImageForm
from softshare.data.mapped import RowsOnDisk, open_mapped
from softshare.tasks.arguments import ArgumentError

STATES = "states.npy"
UNKNOWN, DECODED, BROKEN = 0, 1, 2

MOST_PROCESSES = 8

RESIDENT, FAULT = 1 << 27, 1 << 16
"""Bytes of the file that may count as this process's memory (all of it stays in the system's
cache), and how many one read may add.
"""


class DecodedImages(RowsOnDisk):
    """Images ``(N, C, H, W)`` of bytes in a folder of the cache, decoded when they are first asked
    for.

    What is sent to another process is the folder's path. Several processes may use one folder: at
    worst two decode the same image, to the same bytes.

    Args:
        folder: that :func:`decoded_images` made.
        kept: which of its images these are, ``(N,)``; all when None.
    """

    def __init__(self, folder: Path, kept: np.ndarray | None = None) -> None:
        self.folder = folder
        self._images: Any = open_mapped(folder / IMAGES)
        self._states = open_mapped(folder / STATES, mode="r+")
        self._decoders: Decoders | None = None
        self._touched = 0
        self._lock = Lock()
        self.kept = np.arange(len(self._images)) if kept is None else kept
        self.shape, self.dtype = (len(self.kept), *self._images.shape[1:]), self._images.dtype

    def __getitem__(self, rows: Any) -> np.ndarray:
        wanted = self.kept[rows]
        if (self._states[wanted] != DECODED).any():
            places = np.atleast_1d(wanted)
            with self._lock:  # training may validate in one thread while another reads ahead
                self._require(np.unique(places[self._states[places] != DECODED]))
        self._forget_pages(np.size(wanted))
        return np.asarray(self._images[wanted])

    def _forget_pages(self, n_rows: int) -> None:
        """Now and then, before reading, give back the pages that were read."""
        self._touched += n_rows * max(FAULT, self._images[0].nbytes)
        if self._touched > RESIDENT and hasattr(mmap, "MADV_DONTNEED"):
            self._images._mmap.madvise(mmap.MADV_DONTNEED)
            self._touched = 0

    def decoded(self, *, skip_broken: bool = False) -> DecodedImages:
        """These images, all decoded now, without those that cannot be read; what could not be read
        before is tried again.

        Raises:
            ValueError: an image cannot be read, and such images are not to be skipped.
        """
        wrong: dict[int, str] = {}
        with self._lock:
            missing = self.kept[self._states[self.kept] != DECODED]
            for begin in range(0, len(missing), 4096):
                wrong |= self._decode(missing[begin : begin + 4096])
            self._rest()
        if wrong and not skip_broken:
            raise self._unreadable(wrong)
        return DecodedImages(self.folder, self.kept[~np.isin(self.kept, list(wrong))])

    def _require(self, rows: np.ndarray) -> None:
        wrong = self._decode(rows)
        if (self._states[self.kept] != UNKNOWN).all():
            self._rest()
        if wrong:
            raise self._unreadable(wrong)

    def _unreadable(self, wrong: Mapping[int, str]) -> ValueError:
        root, names, _ = read_list(self.folder)
        row, reason = next(iter(wrong.items()))
        more = f" ({len(wrong)} images cannot be read)" if len(wrong) > 1 else ""
        told = f"cannot read {root / names[row]}: {reason}{more}; mend it"
        return ArgumentError(("skip_broken", "leaves such images out"), about=told)

    def _decode(self, rows: np.ndarray) -> dict[int, str]:
        if not (self.folder / LIST).exists():
            raise FileNotFoundError(
                f"{self.folder} was deleted while it was in use; read the images again"
            )
        if self._decoders is None:
            self._decoders = Decoders(self.folder, min(os.cpu_count() or 1, MOST_PROCESSES))
        wrong = self._decoders.decode(rows)
        self._states[rows] = DECODED
        self._states[list(wrong)] = BROKEN
        return wrong

    def _rest(self) -> None:
        if self._decoders is not None:
            self._decoders.close()
            self._decoders = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self[np.arange(len(self))], dtype=dtype, copy=copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return DecodedImages, (self.folder, self.kept)


def decoded_images(
    root: Path,
    names: Sequence[str],
    form: ImageForm,
) -> DecodedImages:
    """Image files as a source; what was decoded before, by this process or another, is not decoded
    again.

    Args:
        root: the images' folder.
        names: of the images, relative to it.
        form: that they are brought to.

    Raises:
        OSError: a file does not exist, or the cache folder cannot be written.
    """

    def build(folder: Path) -> None:
        write_list(
            folder,
            root,
            names,
            form,
        )
        np.save(folder / STATES, np.zeros(len(names), dtype=np.uint8))

    digest = hashlib.blake2b(repr((root.resolve(), form)).encode(), digest_size=6)
    for name in names:
        status = os.stat(f"{root}/{name}")
        digest.update(os.fsencode(name) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return DecodedImages(derived(f"images-3-{digest.hexdigest()}", [], build))
