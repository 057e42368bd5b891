"""The two folders of the data: the files of the public sets, and what is derived from them.

The data folder (``SOFTSHARE_DATA``) holds the sets as they are distributed and is only read, but
for downloads that the user asked for. Decoded images and the like go to the cache folder
(``SOFTSHARE_CACHE``), which can be deleted at any time.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from platformdirs import user_cache_path

_UNFINISHED = ".unfinished-"
_KEPT_SECONDS = 24 * 60 * 60
"""How long after its last change an unfinished folder may belong to a build that goes on."""


def data_folder() -> Path:
    """Where the files of the public sets are looked for: ``SOFTSHARE_DATA``, or ``data`` in the
    platform's cache folder.
    """
    return _folder("SOFTSHARE_DATA", "data")


def cache_folder() -> Path:
    """Where derived files go: ``SOFTSHARE_CACHE``, or ``derived`` where the platform has caches."""
    return _folder("SOFTSHARE_CACHE", "derived")


def derived(
    name: str,
    inputs: Sequence[Path],
    build: Callable[[Path], None],
) -> Path:
    """A folder of files derived from others, built when it is first asked for.

    The folder's name tells which files it was built from (path, size, time of change), so changed
    files are derived again. It appears when it is complete: a build that fails or is killed leaves
    nothing that would be read, and what
    it left is removed by another build a day later.

    Args:
        name: of the folder, with a version where the layout of what is built changes.
        inputs: the files that it is built from.
        build: writes the files into the folder that it is given.

    Raises:
        OSError: an input does not exist, or the cache folder cannot be written.
    """
    states = [
        (str(path.absolute()), status.st_size, status.st_mtime_ns)
        for path in inputs
        for status in [path.stat()]
    ]
    folder = (
        cache_folder()
        / f"{name}-{hashlib.blake2b(repr(states).encode(), digest_size=6).hexdigest()}"
    )
    if folder.is_dir():
        return folder
    outer = _unfinished(name)
    try:
        unfinished = (
            outer / folder.name
        )  # has the rights that the user's folders have, where that around it is private
        unfinished.mkdir()
        build(unfinished)
        unfinished.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # else another process was faster, and its files are the same
            if _for_want_of_room(error):
                raise _without_room(folder, error) from None
            raise
    finally:
        shutil.rmtree(outer, ignore_errors=True)
    return folder


def _for_want_of_room(error: OSError) -> bool:
    # NumPy tells of an array that was written in part, and not why
    has_no_reason = error.errno is None and "written" in str(error)
    return has_no_reason or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _without_room(folder: Path, error: OSError) -> OSError:
    """What to tell where there is no room for the files of a folder."""
    file = folder / Path(error.filename).name if error.filename else folder
    remedy = "make room, or name another folder with SOFTSHARE_CACHE"
    return OSError(f"no space is left for {file} in the cache folder {folder.parent}; {remedy}")


def _unfinished(name: str) -> Path:
    """A new folder in the cache folder, in place of those of builds that were killed long ago.

    Raises:
        OSError: the cache folder cannot be written.
    """
    parent = cache_folder()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{name}-", dir=parent))
    except OSError as error:
        reason = f"cannot write to the cache folder {parent} ({error.strerror})"
        raise OSError(f"{reason}; name one that can be written with SOFTSHARE_CACHE") from None
    for old in parent.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):  # its own process may finish it
            if (
                max(path.stat().st_mtime for path in (old, *old.rglob("*")))
                < time.time() - _KEPT_SECONDS
            ):
                shutil.rmtree(old, ignore_errors=True)
    return unfinished


def _folder(variable: str, name: str) -> Path:
    named = os.environ.get(variable)
    if named:
        return Path(named).expanduser()
    return user_cache_path("softshare", appauthor=False) / name
