"""The folder of a comparison: it can be written, and belongs to one comparison at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from softshare.tasks.arguments import ArgumentError

LOCK = ".lock"
"""An empty file that the system keeps locked while a comparison runs, and frees however it ends."""


@contextmanager
def claimed(out: Path | None) -> Iterator[None]:
    """Keep a folder for this comparison while the context is open; made where it is missing.

    Args:
        out: the folder; None: the comparison writes none.

    Raises:
        ArgumentError: another comparison has it.
        OSError: it cannot be made or written; the message names it.
    """
    if out is None:
        yield
        return
    _try_to_write(out)
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        remedy = "wait until it has ended, or choose another folder"
        told = f"another comparison is running in {out}; {remedy}"
        raise ArgumentError(("out", told)) from None
    try:
        yield
    finally:
        lock.release()


def _try_to_write(out: Path) -> None:
    """Find out before the first run, not after it, that nothing can be kept here."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out) as file:
            file.write(b"softshare")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(f"out: cannot write into {out} ({reason}); choose another folder") from None
