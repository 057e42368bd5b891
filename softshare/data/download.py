"""Downloading public sets, only when the user asked: with checksums, resumed where it broke off,
never half there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from softshare.data.cache import data_folder
from softshare.data.public import PublicFile, PublicSet

Progress = Callable[[str, int, int], None]
"""Is told the file, how many bytes of it are there, and how many it has."""

SECONDS_TO_ANSWER = 20
_CHUNK = 1 << 18


def download(public_set: PublicSet, *, progress: Progress | None = None) -> list[Path]:
    """Fetch what is missing of a set from its public homes into the data folder.

    A file appears under its name when it is complete and its checksum is right. What has arrived
    when a download breaks off is kept beside it, hidden, and the next one goes on from there.

    Args:
        public_set: the set.
        progress: is told how far each file is.

    Returns:
        The files that were fetched.

    Raises:
        MissingFilesError: some of the files have no public home.
        OSError: there is no network, the folder cannot be written, or a home does not answer.
        ValueError: a checksum is wrong: the published file has changed or was damaged on its way.
    """
    fetched = [_fetch(file, public_set, progress) for file in public_set.missing if file.url]
    public_set.require()
    return fetched


def _fetch(
    file: PublicFile,
    public_set: PublicSet,
    progress: Progress | None,
) -> Path:
    import pooch  # with requests 0.2 s, which only downloads need
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    place = data_folder() / _download_name(file)
    new_folders = [folder for folder in place.parents if not folder.exists()]
    try:
        pooch.retrieve(
            file.url,
            file.download,
            fname=place.name,
            path=place.parent,
            downloader=_Resuming(place, file.size, progress),
        )
    except requests.RequestException as error:
        reason = (
            "no network, or its home does not answer"
            if isinstance(error, requests.ConnectionError)
            else str(error)
        )
        missing = ", ".join(_download_name(other) for other in public_set.missing if other.url)
        remedy = (
            "to go on, ask again, or get the files elsewhere and put them into "
            f"{data_folder()} (SOFTSHARE_DATA): {missing}"
        )
        raise OSError(
            f"{public_set.name}: cannot download {file.url} ({reason}); {remedy}"
        ) from None
    except OSError as error:
        remedy = "make it so, or name another folder with SOFTSHARE_DATA"
        raise OSError(
            f"the data folder {data_folder()} cannot be written "
            f"({error.strerror or error}); {remedy}"
        ) from None
    except ValueError:
        raise ValueError(
            f"{public_set.name}: {file.url} is not the published file, its checksum is not "
            f"{file.download}"
        ) from None
    finally:
        for folder in new_folders:  # the innermost first; what is not empty stays
            with suppress(OSError):
                folder.rmdir()
    return place


def _download_name(file: PublicFile) -> str:
    """Under which a download is kept in the data folder: packed where its home has it so."""
    return (
        f"{file.path}.gz"
        if file.url.endswith(".gz") and not file.path.endswith(".gz")
        else file.path
    )


@dataclass(frozen=True)
class _Resuming:
    """A downloader for pooch that keeps what has arrived.

    Args:
        place: of the file.
        size: of the file in bytes, roughly.
        progress: is told how far it is.
    """

    place: Path
    size: int
    progress: Progress | None

    def __call__(
        self,
        url: str,
        output_file: str,
        _pooch: object,
    ) -> None:
        from requests.exceptions import ContentDecodingError

        part = self.place.with_name(f".{self.place.name}.part")
        try:
            self._receive(url, part)
        except (ValueError, ContentDecodingError):
            part.unlink(missing_ok=True)  # not worth going on with
            raise
        part.replace(output_file)

    def _receive(self, url: str, part: Path) -> None:
        import requests

        there = part.stat().st_size if part.exists() else 0
        headers = {
            "Accept-Encoding": "identity"
        }  # a part of what was encoded on its way cannot be gone on with
        headers |= {"Range": f"bytes={there}-"} if there else {}
        with requests.get(
            url,
            headers=headers,
            stream=True,
            timeout=SECONDS_TO_ANSWER,
        ) as answer:
            if there and answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # all of it is there
            answer.raise_for_status()
            resumes = answer.status_code == requests.codes.partial_content
            there = there if resumes else 0
            total = there + int(answer.headers.get("Content-Length", self.size))
            with part.open("ab" if resumes else "wb") as file:
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
                    there += len(chunk)
                    self._tell(there, total)

    def _tell(self, there: int, total: int) -> None:
        if there > 2 * self.size + _CHUNK:
            raise ValueError(f"more than {there:,} bytes arrive, where {self.size:,} are expected")
        if self.progress:
            self.progress(self.place.name, there, total)
