"""Public files: found under any of their names, compared with their checksums; derived files: whole
or not there.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from softshare.data.cache import cache_folder, data_folder, derived
from softshare.data.load import public_sets
from softshare.data.mapped import MappedArray
from softshare.data.public import PublicFile, PublicSet
from tests.data.damage import attempt, damaged

CONTENT = b"a line\n" * 40


def made_file(path: str = "made/list.txt") -> PublicFile:
    return PublicFile(path, len(CONTENT), content=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}")


def test_a_file_is_found_plain_or_packed(made_folder: Path) -> None:
    file, folder = made_file(), made_folder / "made"
    folder.mkdir()
    assert not file.is_there
    assert file.place == folder / "list.txt"
    with zipfile.ZipFile(folder / "list.zip", "w") as archive:
        archive.writestr("list.txt", CONTENT)
    for pack in (None, folder / "list.txt.gz", folder / "list.txt"):
        if pack:
            pack.write_bytes(gzip.compress(CONTENT) if pack.suffix == ".gz" else CONTENT)
        assert file.place == (pack or folder / "list.zip")
        assert file.read() == CONTENT


@pytest.mark.parametrize("name", ["list.txt", "list.txt.gz", "list.zip"])
def test_every_damage_to_a_file_with_a_checksum_is_seen(made_folder: Path, name: str) -> None:
    place = made_folder / "made" / name
    place.parent.mkdir()
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("list.txt", CONTENT)
    whole = {
        "list.txt": CONTENT,
        "list.txt.gz": gzip.compress(CONTENT),
        "list.zip": place.read_bytes(),
    }[name]
    for copy in damaged(whole):
        place.write_bytes(copy)
        found, error = attempt(made_file().read)
        assert str(place) in error if error else found == CONTENT


def test_other_layouts_do_for_all_files(made_folder: Path) -> None:
    files = (PublicFile("made/all.tar.gz", 9, "https://a.page"),)
    made = PublicSet(
        "made", "", "", "", "", files, instead=(("made/part_?", "made/test"), ("made/sheet",))
    )
    assert made.missing == files
    (made_folder / "made").mkdir()
    (made_folder / "made" / "part_1").touch()
    assert made.missing == files
    (made_folder / "made" / "test").touch()
    assert made.missing == ()


def test_what_is_missing_is_told_in_one_line(made_folder: Path) -> None:
    files = (PublicFile("made/a", 9, "https://a.page/a"), PublicFile("made/b", 9))
    made = PublicSet("made", "", "", "", "https://home", files)
    with pytest.raises(FileNotFoundError) as error:
        made.require()
    assert str(error.value) == (
        f"made: made/a, made/b not found in {made_folder}; get made/b from https://home "
        "and put them there; "
        "`softshare data get made` downloads the others (the folder is named by SOFTSHARE_DATA)"
    )
    with pytest.raises(
        FileNotFoundError,
        match=r"^made: made/a not found .*; `softshare data get made` downloads them",
    ):
        made.require(files[:1])


@pytest.mark.parametrize("name", public_sets())
def test_every_public_set_is_fully_described(name: str) -> None:
    made = public_sets()[name]
    assert made.name == name
    assert made.title
    assert made.paper
    assert made.home.startswith("http")
    for file in made.files:
        assert file.url.startswith("https://") == bool(file.download), (
            "what is downloaded has a checksum"
        )
        assert all(
            checksum.split(":")[0] in ("md5", "sha256")
            for checksum in (file.download, file.content)
            if checksum
        )
        assert Path(file.path).parts[0] == made.folder.name


def test_folders_are_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOFTSHARE_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("SOFTSHARE_DATA")
    monkeypatch.delenv("SOFTSHARE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_folder() != cache_folder()
    assert {data_folder().parent.name, cache_folder().parent.name} == {"softshare"}


def test_derived_files_are_built_once_and_again_when_their_inputs_change(made_folder: Path) -> None:
    (made_folder / "in").write_text("1")
    built: list[Path] = []

    def build(folder: Path) -> None:
        built.append(folder)
        (folder / "out").write_text((made_folder / "in").read_text())

    first = derived("made", [made_folder / "in"], build)
    assert derived("made", [made_folder / "in"], build) == first
    assert first.is_relative_to(cache_folder())
    (made_folder / "in").write_text("22")
    second = derived("made", [made_folder / "in"], build)
    assert [(folder / "out").read_text() for folder in (first, second)] == ["1", "22"]
    assert len(built) == 2
    assert [path.name for path in made_folder.iterdir()] == ["in"], "the data folder is only read"


def test_a_build_that_fails_leaves_nothing(made_folder: Path) -> None:
    (made_folder / "in").touch()

    def build(folder: Path) -> None:
        (folder / "half").touch()
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        derived("made", [made_folder / "in"], build)
    assert list(cache_folder().iterdir()) == []


def test_a_derived_folder_has_the_rights_of_any_new_folder(
    made_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "any").mkdir()
    assert (
        derived("made", [], lambda folder: None).stat().st_mode == (tmp_path / "any").stat().st_mode
    )


def test_what_a_killed_build_left_is_removed_after_a_day(
    made_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        (folder / "half").touch()

    with monkeypatch.context() as patch:
        patch.setattr("softshare.data.cache.shutil.rmtree", lambda *_, **__: None)
        patch.setattr(Path, "rename", lambda *_: None)
        derived("killed", [], killed)
    (left,) = cache_folder().iterdir()
    (cache_folder() / ".someone-else").mkdir()
    derived("second", [], killed)
    assert left.exists(), "it may be at work"
    long_ago = left.stat().st_mtime - 100_000
    os.utime(cache_folder() / ".someone-else", (long_ago, long_ago))
    for path in (*left.rglob("*"), left):
        os.utime(path, (long_ago, long_ago))
    derived("third", [], killed)
    assert {path.name.split("-")[0] for path in cache_folder().iterdir()} == {
        "second",
        "third",
        ".someone",
    }


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_a_cache_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / place))
    with pytest.raises(
        OSError, match=rf"cannot write to the cache folder {tmp_path / place} \(.*SOFTSHARE_CACHE"
    ):
        derived("made", [], lambda folder: None)


def test_a_full_disk_is_told_of_once(made_folder: Path) -> None:
    def build(folder: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(
        OSError,
        match=rf"no space is left for .* in the cache folder {cache_folder()}; make room, or name "
        r"another",
    ):
        derived("made", [], build)


def test_a_build_that_another_process_finished_first_is_dropped(made_folder: Path) -> None:
    (made_folder / "in").touch()

    def build(folder: Path) -> None:
        (folder / "out").write_text("second")
        if not (cache_folder() / "other").exists():
            (cache_folder() / "other").touch()
            derived(
                "made",
                [made_folder / "in"],
                lambda other: (other / "out").write_text("first") and None,
            )

    assert (derived("made", [made_folder / "in"], build) / "out").read_text() == "first"
    assert sorted(path.name.split("-")[0] for path in cache_folder().iterdir()) == ["made", "other"]


def test_mapped_arrays_are_read_by_row_and_sent_as_a_path(tmp_path: Path) -> None:
    array = np.arange(24, dtype=np.uint8).reshape(6, 1, 2, 2)
    np.save(tmp_path / "a.npy", array)
    mapped = MappedArray(tmp_path / "a.npy")
    assert (len(mapped), mapped.shape, mapped.ndim, mapped.dtype) == (6, (6, 1, 2, 2), 4, np.uint8)
    np.testing.assert_array_equal(mapped[np.array([3, 0, 3])], array[[3, 0, 3]])
    sent = pickle.dumps(mapped)
    assert len(sent) < 400
    np.testing.assert_array_equal(np.asarray(pickle.loads(sent)), array)
    (tmp_path / "a.npy").unlink()
    with pytest.raises(FileNotFoundError, match="SOFTSHARE_CACHE folder that all machines see"):
        pickle.loads(sent)


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", pickle.dumps([1])])
def test_a_damaged_map_says_how_to_make_it_again(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(
        ValueError, match=r"a\.npy is damaged .*; delete the folder .* and it is made again"
    ):
        MappedArray(tmp_path / "a.npy")
