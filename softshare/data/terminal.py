"""Public data sets on the terminal: what is there, whether to download it, and how far that has
come.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.table import Table

from softshare.data.cache import data_folder
from softshare.data.download import download
from softshare.data.public import MissingFilesError, PublicSet
from softshare.tasks.task_set import TaskSet


def show_sets(sets: Iterable[PublicSet], console: Console) -> None:
    """A row a set: whether it is there, its size, licence, paper and source."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("name", "what", "there", "size", "licence", "paper", "source"):
        table.add_column(heading, overflow="fold")
    for public_set in sets:
        licence = public_set.licence or "not stated"
        table.add_row(
            public_set.name,
            public_set.title,
            _there(public_set),
            _size(public_set),
            licence,
            public_set.paper,
            public_set.home,
        )
    console.print(table)
    console.print(f"data folder: {data_folder()} (named by SOFTSHARE_DATA)", soft_wrap=True)


class DownloadDisplay:
    """A bar a file while its context is open; nothing where the console is no terminal.

    Args:
        console: where to show it.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._bar_of: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(
        self,
        name: str,
        there: int,
        total: int,
    ) -> None:
        if name not in self._bar_of:
            self._bar_of[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._bar_of[name], completed=there, total=total)


def with_files(read: Callable[[], TaskSet], console: Console) -> TaskSet:
    """What is read, after files that are missing were downloaded, if the user at the terminal says
    so.

    Args:
        read: reads the tasks.
        console: where to ask.

    Raises:
        MissingFilesError: files are missing, and cannot be downloaded or shall not be.
    """
    try:
        return read()
    except MissingFilesError as missing:
        if not (missing.can_be_downloaded and sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        size = sum(file.size for file in missing.public_set.missing) / 1e6
        print(
            f"{missing.public_set.name} is not in the data folder. Download {size:.1f} MB? [y/N] ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        if not _says_yes():
            raise
        fetch(missing.public_set, console)
        return read()


def fetch(public_set: PublicSet, console: Console) -> None:
    """Download what is missing of a set, and say so.

    Args:
        public_set: the set.
        console: where to show how far it has come.
    """
    with DownloadDisplay(console) as display:
        fetched = download(public_set, progress=display)
    print(
        f"{public_set.name}: "
        f"{f'{len(fetched)} file(s) downloaded' if fetched else 'all files were there'}",
        file=sys.stderr,
    )


def _says_yes() -> bool:
    try:
        return input().strip().lower() in ("y", "yes")
    except EOFError:
        print(file=sys.stderr)
        return False


def _there(public_set: PublicSet) -> str:
    missing = public_set.missing
    if not missing:
        return "yes"
    by_hand = [file for file in missing if not file.url]
    state = (
        "no"
        if len(missing) == len(public_set.files)
        else f"all but {missing[0].path}"
        if len(missing) == 1
        else "in part"
    )
    return f"{state}{' (not to be downloaded)' if by_hand else ''}"


def _size(public_set: PublicSet) -> str:
    """Of the files that are there, else of those that would be downloaded."""
    size = public_set.size_there or sum(file.size for file in public_set.files)
    return f"{size / 1e6:.1f} MB"
