"""Public data sets: which files they have, where these come from, and whether they are in the data
folder.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from softshare.data.archives import FileContentError, read_content
from softshare.data.cache import data_folder

MOST_EXPANDED = 16
"""How many times larger than published a file's content may be: text packs ten times, a bomb a
thousand.
"""


@dataclass(frozen=True)
class PublicFile:
    """One file of a public set.

    Args:
        path: under the data folder; the file itself, or packed as ``.gz`` or as the only member of
            a ``.zip``. A collection of images is a folder, or a ``.zip`` of it.
        size: of the published file in bytes.
        url: its public home, or empty where it cannot be had without asking.
        download: checksum of the published file, as pooch has them (``md5:…``).
        content: checksum of the content, unpacked; empty where copies of the same content differ.
    """

    path: str
    size: int
    url: str = ""
    download: str = ""
    content: str = ""

    @property
    def place(self) -> Path:
        """Where it is, or would be."""
        path = data_folder() / self.path
        packed = path.with_name(f"{path.name}.gz"), path.with_suffix(".zip")
        return next((found for found in (path, *packed) if found.exists()), path)

    @property
    def is_there(self) -> bool:
        """Whether it is in the data folder."""
        return self.place.exists()

    def read(self) -> bytes:
        """Its content, unpacked and compared with its checksum.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, or another file.
        """
        place = self.place
        content = read_content(place, most=MOST_EXPANDED * self.size + (1 << 16))
        if self.content:
            _compare(place, io.BytesIO(content), self.content)
        return content

    def check(self) -> None:
        """Compare the file as it stands with the published one.

        Raises:
            OSError: it cannot be read.
            ValueError: it differs.
        """
        with self.place.open("rb") as file:
            _compare(self.place, file, self.download)


class MissingFilesError(FileNotFoundError):
    """Files of a public set are not in the data folder.

    Args:
        message: which, and how to get them.
        public_set: the set.
        can_be_downloaded: whether all that is missing has a public home.
    """

    def __init__(
        self,
        message: str,
        public_set: PublicSet,
        *,
        can_be_downloaded: bool,
    ) -> None:
        super().__init__(message)
        self.public_set = public_set
        self.can_be_downloaded = can_be_downloaded


@dataclass(frozen=True)
class PublicSet:
    """A public data set.

    Args:
        name: on the command line.
        title: what it is, in a line.
        paper: who made it, and when.
        licence: as its makers state it; empty where they state none.
        home: its page.
        files: that it consists of.
        instead: groups of paths (patterns) in the data folder of which each does for all files.
    """

    name: str
    title: str
    paper: str
    licence: str
    home: str
    files: tuple[PublicFile, ...]
    instead: tuple[tuple[str, ...], ...] = ()

    @property
    def folder(self) -> Path:
        """Where its files belong."""
        return data_folder() / Path(self.files[0].path).parts[0]

    @property
    def size_there(self) -> int:
        """Bytes of its files in the data folder."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def missing(self) -> tuple[PublicFile, ...]:
        """The files that are not in the data folder."""
        if any(all(any(data_folder().glob(path)) for path in group) for group in self.instead):
            return ()
        return tuple(file for file in self.files if not file.is_there)

    def require(self, files: Iterable[PublicFile] | None = None) -> None:
        """Make sure that files are there; all when None.

        Raises:
            MissingFilesError: some are not.
        """
        missing = [file for file in self.missing if files is None or file in files]
        if not missing:
            return
        by_hand = [file for file in missing if not file.url]
        download = (
            f"`softshare data get {self.name}` downloads {'the others' if by_hand else 'them'}"
            if len(by_hand) < len(missing)
            else ""
        )
        hand = f"get {_listed(by_hand)} from {self.home} and put them there" if by_hand else ""
        remedy = "; ".join(filter(None, [hand, download]))
        message = (
            f"{self.name}: {_listed(missing)} not found in {data_folder()}; {remedy} (the "
            "folder is named by SOFTSHARE_DATA)"
        )
        raise MissingFilesError(message, self, can_be_downloaded=not by_hand)


def _compare(
    place: Path,
    file: io.BufferedIOBase,
    checksum: str,
) -> None:
    kind, expected = checksum.split(":")
    found = hashlib.file_digest(file, kind).hexdigest()
    if found != expected:
        raise FileContentError(
            f"{place}: its content differs from the published file ({kind} {found}, "
            f"expected {expected}); delete it and get it again"
        )


def _listed(files: Iterable[PublicFile]) -> str:
    return ", ".join(file.path for file in files)
