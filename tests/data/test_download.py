"""Downloads from a server on this machine: checked, resumed, never half there."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from softshare.data.download import download
from softshare.data.public import MissingFilesError, PublicFile, PublicSet

CONTENT = np.random.default_rng(0).bytes(1_000_000)


class Home(http.server.BaseHTTPRequestHandler):
    """Serves ``CONTENT``, in parts where asked.

    ``/cut`` breaks off once in the middle, and so do ``/encoded``, which is packed on its way where
    that is accepted, and ``/stubborn``, where it is not; ``/other`` is another file.
    """

    asked: list[tuple[str, str | None]]
    broken: set[str]

    def do_GET(self) -> None:
        span = self.headers.get("Range")
        self.asked.append((self.path, span))
        content = (
            CONTENT[::-1]
            if self.path == "/other"
            else CONTENT * 4
            if self.path == "/long"
            else CONTENT
        )
        encoded = self.path == "/stubborn" or (
            self.path == "/encoded" and "gzip" in self.headers.get("Accept-Encoding", "")
        )
        content = gzip.compress(content) if encoded else content
        begin = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
        if self.path == "/gone" or begin >= len(content):
            self.send_error(404 if self.path == "/gone" else 416)
            return
        self.send_response(206 if span else 200)
        self.send_header("Content-Length", str(len(content) - begin))
        if encoded:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        cut = self.path in ("/cut", "/encoded", "/stubborn") and self.path not in self.broken
        self.wfile.write(content[begin : 400_000 if cut else None])
        self.broken.add(self.path)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server that stands for the public homes."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    Home.asked, Home.broken = [], set()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Home)) as server:
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that hangs up
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def set_at(url: str, content: bytes = CONTENT) -> PublicSet:
    md5 = f"md5:{hashlib.md5(content).hexdigest()}"
    return PublicSet(
        "made",
        "a made set",
        "",
        "",
        "its page",
        (PublicFile("made/file.bin", len(content), url, md5, md5),),
    )


def files_in(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_file_is_fetched_checked_and_told_of(made_folder: Path, home: str) -> None:
    told: list[tuple[str, int, int]] = []
    made = set_at(f"{home}/file")
    with pytest.raises(
        MissingFilesError,
        match=r"made: made/file\.bin not found in .*; `softshare data get made` downloads them",
    ):
        made.require()
    assert download(made, progress=lambda *row: told.append(row)) == [
        made_folder / "made" / "file.bin"
    ]
    assert made.files[0].read() == CONTENT
    assert told[-1] == ("file.bin", len(CONTENT), len(CONTENT))
    assert files_in(made_folder) == ["made/file.bin"]
    assert download(made) == []
    assert len(Home.asked) == 1, "what is there is not fetched again"


def test_a_download_that_broke_off_goes_on_where_it_was(made_folder: Path, home: str) -> None:
    made = set_at(f"{home}/cut")
    with pytest.raises(
        OSError,
        match=r"made: cannot download .*/cut .*ask again, or get the files elsewhere and put "
        r"them into .*: made/file\.bin",
    ):
        download(made)
    assert files_in(made_folder) == ["made/.file.bin.part"], "half a file has no name that is read"
    there = (made_folder / "made" / ".file.bin.part").stat().st_size
    assert 0 < there < len(CONTENT)
    download(made)
    assert Home.asked == [("/cut", None), ("/cut", f"bytes={there}-")]
    assert made.files[0].read() == CONTENT
    assert files_in(made_folder) == ["made/file.bin"]


@pytest.mark.parametrize(("page", "n_tries"), [("encoded", 2), ("stubborn", 3)])
def test_a_home_that_packs_files_on_their_way_does_not_block_a_download(
    made_folder: Path, home: str, page: str, n_tries: int
) -> None:
    made = set_at(f"{home}/{page}")
    for _ in range(n_tries - 1):
        with pytest.raises(OSError, match="cannot download"):
            download(made)
    download(made)
    assert made.files[0].read() == CONTENT
    assert files_in(made_folder) == ["made/file.bin"]


def test_without_a_network_one_line_says_which_files_to_put_where(made_folder: Path) -> None:
    made_folder.rmdir()
    files = tuple(
        PublicFile(f"made/{name}", 9, f"http://127.0.0.1:9/{name}.gz", "md5:0")
        for name in ("one", "two")
    )
    made = PublicSet("made", "a made set", "", "", "its page", files)
    with pytest.raises(
        OSError,
        match=rf"^made: .* put them into {made_folder} \(SOFTSHARE_DATA\): made/one\.gz, "
        r"made/two\.gz$",
    ):
        download(made)
    assert not made_folder.exists(), "a try that failed leaves no folders"


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_data_folder_that_cannot_be_written_is_named(
    tmp_path: Path, home: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOFTSHARE_DATA", str(tmp_path / place))
    with pytest.raises(
        OSError,
        match=rf"the data folder {tmp_path / place} cannot be written \(.*name another folder "
        r"with SOFTSHARE_DATA",
    ):
        download(set_at(f"{home}/file"))


def test_a_download_that_only_lacked_its_name_is_not_fetched_again(
    made_folder: Path, home: str
) -> None:
    (made_folder / "made").mkdir()
    (made_folder / "made" / ".file.bin.part").write_bytes(CONTENT)
    download(set_at(f"{home}/file"))
    assert (made_folder / "made" / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("page", ["other", "long"])
def test_another_file_is_refused_and_leaves_nothing(
    made_folder: Path, home: str, page: str
) -> None:
    with pytest.raises(ValueError, match=rf"made: .*/{page} is not the published file"):
        download(set_at(f"{home}/{page}"))
    assert files_in(made_folder) == []


def test_a_home_that_does_not_answer_is_one_line(made_folder: Path, home: str) -> None:
    with pytest.raises(OSError, match=r"made: cannot download .*404"):
        download(set_at(f"{home}/gone"))
    with pytest.raises(OSError, match=r"no network, or its home does not answer.*put them into "):
        download(set_at("http://127.0.0.1:9/file"))
    assert files_in(made_folder) == []


def test_a_set_that_cannot_be_downloaded_says_where_to_get_it(made_folder: Path) -> None:
    made = PublicSet("made", "", "", "", "https://a.page", (PublicFile("made/images", 9),))
    with pytest.raises(
        MissingFilesError, match=r"get made/images from https://a\.page and put them there"
    ) as missing:
        download(made)
    assert not missing.value.can_be_downloaded
    assert files_in(made_folder) == []
