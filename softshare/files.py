"""Files written whole or not at all, and safe on the disk before anybody relies on them.

A file is written under another name beside its own, flushed to the disk, and only then takes its
name. A process that is killed in between leaves that other name behind; it says which process made
it, so that the next comparison can tell what nobody will finish.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

KEPT_SECONDS = 24 * 60 * 60
"""How long the unfinished file of a process on another machine may belong to a write that goes on.
"""

_UNFINISHED = re.compile(r"\.softshare-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.tmp")

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_text(path: Path, text: str) -> Path:
    """Write a file whole or not at all, and leave it alone where it says the same already.

    Raises:
        OSError: it cannot be written; the message names it, the reason and a remedy.
    """
    content = text.encode("utf-8")
    return path if _holds(path, content) else write_bytes(path, content)


def write_bytes(path: Path, content: bytes, *, argument: str = "out") -> Path:
    """Write a file whole or not at all.

    Args:
        path: of the file; its folder is made where it is missing.
        content: of the file.
        argument: which of the user's arguments names its folder, for the message.

    Raises:
        OSError: it cannot be written; the message names it, the reason and a remedy.
    """
    try:
        _make_folder(path.parent)
        _write(path, content)
    except OSError as error:
        remedy = f"make it writable, or choose another folder ({argument})"
        if error.errno in _NO_ROOM:
            remedy = "make room there, and the same command goes on"
        told = f"cannot write {path}: {error.strerror or error}; {remedy}"
        raise OSError(told) from error
    return path


def remove_unfinished(folders: Iterable[Path]) -> None:
    """Remove what processes that are no more left unfinished in these folders."""
    for folder in folders:
        names: list[str] = []
        with suppress(OSError):  # there is no such folder yet
            names = os.listdir(folder)
        for name in names:
            found = _UNFINISHED.fullmatch(name)
            if found and _is_abandoned(folder / name, found["host"], int(found["process"])):
                with suppress(OSError):
                    os.unlink(folder / name)


def _holds(path: Path, content: bytes) -> bool:
    """Whether a file has this very content; one that cannot be read is written anew."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _write(path: Path, content: bytes) -> None:
    unfinished = path.parent / unfinished_name()
    # created here and by nobody else, with the rights that the user's own files have
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
    _flush_names(path.parent)


def _make_folder(folder: Path) -> None:
    """Make a folder and those around it, each safe on the disk."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):  # another process was faster; a file is met when it is written
        os.mkdir(folder)
    _flush_names(folder.parent)


def _flush_names(folder: Path) -> None:
    """Make the names in a folder safe on the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # some network file systems flush files alone
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(handle)


def unfinished_name() -> str:
    """A name for a file that this process has yet to finish."""
    return f".softshare-{_host()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def _host() -> str:
    """This machine, in eight characters that any file name may have."""
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()


def _is_abandoned(path: Path, host: str, process: int) -> bool:
    """Whether nobody will finish a file: its process has ended, or it is a day old."""
    if host == _host() and os.name == "posix" and process != os.getpid():
        try:
            os.kill(process, 0)  # asks for the process, and does nothing to it
        except ProcessLookupError:
            return True
        except OSError:  # it belongs to another user
            pass
    try:
        return path.stat().st_mtime < time.time() - KEPT_SECONDS
    except OSError:
        return False
