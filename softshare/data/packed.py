"""Packed files read as if they were not: gzip, bzip2, xz, and zip archives of one file."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

MOST_EXPANDED = 200
ALWAYS_READ = 1 << 26
"""How many times larger than the file its content may be (text packs ten times, a bomb a thousand),
and bytes that any may have.
"""

PACKED = (".gz", ".bz2", ".xz", ".zip")

_PASSED_OVER = ("__MACOSX/", ".")
"""How names begin that archives hold beside what was packed."""


def is_packed(path: Path) -> bool:
    """Whether a file is packed, by its name."""
    return path.name.lower().endswith(PACKED)


def unpacked_name(path: Path) -> str:
    """The name of a file without the ending of what packed it, in lower case."""
    name = path.name.lower()
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name


def most_bytes(path: Path) -> int:
    """How many bytes the content of a packed file may have."""
    return max(ALWAYS_READ, MOST_EXPANDED * path.stat().st_size)


def opened(path: Path) -> IO[bytes]:
    """A file for reading, its content where it is packed.

    Raises:
        OSError: it cannot be read, or is not packed as its name says.
        ValueError: a zip archive holds several files, or none. While reading: the content is larger
            than :func:`most_bytes`.
    """
    if not is_packed(path):
        return path.open("rb")
    openers: Mapping[str, Callable[[Path], Any]] = {
        ".gz": gzip.open,
        ".bz2": bz2.open,
        ".xz": lzma.open,
        ".zip": _only_member,
    }
    file = openers[path.suffix.lower()](path)
    return cast(IO[bytes], io.BufferedReader(_Bounded(file, most_bytes(path))))


def _only_member(path: Path) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise OSError(str(error)) from None
    try:
        members = []
        for member in archive.infolist():
            hidden = PurePosixPath(member.filename).name.startswith(".")
            if not (member.is_dir() or hidden or member.filename.startswith(_PASSED_OVER)):
                members.append(member)
        if len(members) != 1:
            told = ", ".join(member.filename for member in members[:5])
            held = f"{len(members)} files ({told})" if members else "no file"
            raise ValueError(f"the archive must hold one table, it holds {held}; unpack it")
        if members[0].flag_bits & 1:
            raise ValueError("the archive is encrypted; unpack it")
        return archive.open(members[0])
    except BaseException:
        archive.close()
        raise


class _Bounded(io.RawIOBase):
    """The content of a packed file, which ends with an error where it grows too large.

    Args:
        file: that gives the content.
        most: bytes that it may have.
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most, self._read = file, most, 0

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As any file.

        Raises:
            OSError: the content is damaged.
            ValueError: more has been read than was expected at most.
        """
        try:
            content = self._file.read(len(buffer))
        except (lzma.LZMAError, zipfile.BadZipFile) as error:
            raise OSError(str(error)) from None
        self._read += len(content)
        if self._read > self._most:
            raise ValueError(
                f"it unpacks to more than the {self._most:,} bytes that are expected of "
                "its size; if they are meant, unpack it"
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close the packed file too."""
        with suppress(OSError):  # what is damaged was told when it was read
            self._file.close()
        super().close()
