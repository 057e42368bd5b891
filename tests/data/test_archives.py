"""Archives from strangers: nothing is written, nothing expands beyond its bound, every error names
the file.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from softshare.data.archives import naming, open_zip, read_content, read_member, read_tar
from tests.data.damage import attempt, damaged


def zip_of(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return path


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_plain_gz_and_zip_have_one_content(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"content")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"content"))
    zip_of(tmp_path / "a.zip", {"a.txt": b"content"})
    assert {read_content(path, most=7) for path in tmp_path.iterdir()} == {b"content"}


def test_content_beyond_its_bound_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    zip_of(tmp_path / "bomb.zip", {"a": bytes(50_000_000)})
    (tmp_path / "large").write_bytes(bytes(11))
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match=rf"{path.name}: .*the 10 bytes"):
            read_content(path, most=10)
    two = zip_of(tmp_path / "two.zip", {"a": b"", "b": b""})
    with (
        pytest.raises(ValueError, match="1 files that are expected at most"),
        open_zip(two, most=9, most_members=1),
    ):
        pass


def test_a_member_that_lies_about_its_size_expands_no_further(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "lie.zip", {"a": bytes(50_000_000)})
    content = bytearray(path.read_bytes())
    for place in [
        found.start() for found in re.finditer((50_000_000).to_bytes(4, "little"), content)
    ]:
        content[place : place + 4] = (100).to_bytes(4, "little")
    path.write_bytes(content)
    with (
        pytest.raises(ValueError, match=r"lie\.zip: Bad CRC-32"),
        open_zip(path, most=1000) as archive,
    ):
        read_member(archive, archive.infolist()[0])


def test_no_member_becomes_a_path(made_folder: Path, outside: Callable[[], set[Path]]) -> None:
    names = ["../evil", "../../evil", f"{made_folder.parent}/evil", "a/../../evil", "evil"]
    before = outside()
    path = zip_of(made_folder / "a.zip", dict.fromkeys(names, b"x"))
    with open_zip(path, most=100) as archive:
        assert [read_member(archive, member) for member in archive.infolist()] == [b"x"] * 5
    tar = tar_of(made_folder / "a.tar.gz", dict.fromkeys(names, b"x"))
    assert list(read_tar(tar, re.compile("evil"), most=100)) == [("evil", b"x")]
    assert outside() == before
    assert sorted(path.name for path in made_folder.iterdir()) == ["a.tar.gz", "a.zip"]


def test_a_tar_is_bounded_and_its_links_are_left_alone(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"big\.tar\.gz: the archive holds more than the 1,000 bytes"
    ):
        list(
            read_tar(
                tar_of(tmp_path / "big.tar.gz", {"a": bytes(10), "b": bytes(1000)}),
                re.compile("[ab]"),
                most=1000,
            )
        )
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
            member = tarfile.TarInfo("a")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    assert list(read_tar(tmp_path / "link.tar.gz", re.compile("a"), most=1000)) == []


def test_an_archive_of_several_files_is_no_packed_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"two\.zip: the archive must hold one file, it holds 2"):
        read_content(zip_of(tmp_path / "two.zip", {"a": b"", "b": b""}), most=10)


def test_the_file_system_s_own_errors_stay(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_content(tmp_path / "nothing", most=1)
    with pytest.raises(IsADirectoryError):
        read_content(tmp_path, most=1)
    with pytest.raises(ValueError, match=r"a file: it ends too early"), naming(Path("a file")):
        raise EOFError


@pytest.mark.parametrize("kind", ["gz", "zip", "tar.gz"])
def test_damaged_archives_name_themselves(tmp_path: Path, kind: str) -> None:
    content = bytes(range(256)) * 4
    path = tmp_path / f"a.{kind}"
    if kind == "gz":
        path.write_bytes(gzip.compress(content))
    elif kind == "zip":
        zip_of(path, {"a": content})
    else:
        tar_of(path, {"a": content})
    tar = partial(read_tar, path, re.compile("a"), most=2000)
    read = (
        partial(read_content, path, most=2000) if kind != "tar.gz" else lambda: dict(tar()).get("a")
    )
    refused = 0
    for copy in damaged(path.read_bytes()):
        path.write_bytes(copy)
        found, error = attempt(read)
        refused += bool(error)
        if error:
            assert str(path) in error
        elif kind != "tar.gz":  # which has no checksum of its content
            assert found == content, "damage was read, and not seen"
    assert refused > 600
