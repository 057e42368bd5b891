"""Reading files that strangers made: nothing is unpacked to disk, nothing expands beyond a bound,
every error names the file.

Archives are read member by member into memory, so no member's name ever becomes a path.
"""

from __future__ import annotations

import gzip
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_DAMAGE = (
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,  # a zip of a version or compression that does not exist
    OverflowError,
    RuntimeError,  # an encrypted zip
    ValueError,
    gzip.BadGzipFile,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


class FileContentError(ValueError):
    """A file is damaged, or another file than expected; the message names it."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turns what goes wrong with the content of a file into one error that names it; what names a
    file already stays.

    Raises:
        FileContentError: the file is damaged, or another file than expected.
    """
    try:
        yield
    except FileContentError:
        raise
    except _DAMAGE as error:
        reason = (
            "it ends too early"
            if isinstance(error, EOFError)
            else str(error) or type(error).__name__
        )
        raise FileContentError(f"{path}: {reason}") from None
    except OSError as error:
        if error.filename is not None:  # the file system's own, which names it
            raise
        raise FileContentError(f"{path}: {error}") from None


def read_content(path: Path, *, most: int) -> bytes:
    """The content of a file, of a ``.gz``, or of the only member of a ``.zip``.

    Args:
        path: the file.
        most: bytes beyond which the content is refused.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or its content is larger.
    """
    with naming(path):
        if path.suffix == ".zip":
            with open_zip(path, most=most) as archive:
                (member,) = archive.infolist() if len(archive.infolist()) == 1 else (None,)
                if member is None:
                    raise ValueError(
                        f"the archive must hold one file, it holds {len(archive.infolist())}"
                    )
                return read_member(archive, member)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ValueError(
                f"its content is larger than the {most:,} bytes that are expected at most"
            )
        return content


@contextmanager
def open_zip(
    path: Path,
    *,
    most: int,
    most_members: int = 1_000_000,
) -> Iterator[zipfile.ZipFile]:
    """A zip archive that holds no more than this, for reading in a ``with`` statement.

    Args:
        path: the archive.
        most: bytes that all members have together at most, unpacked.
        most_members: their number.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or holds more.
    """
    with naming(path), zipfile.ZipFile(path) as archive:
        if (
            len(archive.infolist()) > most_members
            or sum(member.file_size for member in archive.infolist()) > most
        ):
            raise ValueError(
                f"the archive holds more than the {most:,} bytes or {most_members:,} files "
                "that are expected at most"
            )
        yield archive


def read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's content, unpacked no further than the size that it claims to have.

    Raises:
        ValueError: the content is shorter.
        zipfile.BadZipFile: its checksum is wrong.
    """
    with archive.open(member) as file:
        content = file.read(member.file_size)  # a read without a size would unpack all there is
        file.read(1)  # the checksum is compared at the end
    if len(content) != member.file_size:
        raise ValueError(f"{member.filename} ends too early")
    return content


def read_tar(
    path: Path,
    wanted: re.Pattern[str],
    *,
    most: int,
) -> Iterator[tuple[str, bytes]]:
    """The plain files of a ``.tar.gz`` whose names match, as names and contents, one after the
    other.

    Args:
        path: the archive.
        wanted: what a member's whole name must match.
        most: bytes that all members have together at most, unpacked.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or holds more.
    """
    with naming(path), tarfile.open(path, mode="r|gz") as archive:
        total = 0
        for member in archive:
            total += member.size
            if total > most:
                raise ValueError(
                    f"the archive holds more than the {most:,} bytes that are expected at most"
                )
            file = (
                archive.extractfile(member)
                if member.isreg() and wanted.fullmatch(member.name)
                else None
            )
            if file is not None:
                yield member.name, file.read()
