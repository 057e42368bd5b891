"""Files are written whole or not at all, and what was left unfinished goes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

from softshare import files
from softshare.files import remove_unfinished, write_text


def raising(number):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("operation", ["open", "write", "fsync", "replace", "mkdir"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failed_write_names_the_file_and_leaves_what_was_there(
    tmp_path, monkeypatch, operation, number
):
    old = write_text(tmp_path / "file", "old")
    path = tmp_path / "new" / "file" if operation == "mkdir" else old
    with monkeypatch.context() as patched:
        patched.setattr(f"os.{operation}", raising(number))
        with pytest.raises(OSError, match=f"cannot write {path}: {os.strerror(number)}; ") as told:
            write_text(path, "new")
    has_remedy = "make room there" if number == errno.ENOSPC else "another folder"
    assert has_remedy in str(told.value)
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file", "old")]


def test_file_and_folder_are_flushed_before_anybody_relies_on_them(tmp_path, monkeypatch):
    flushed = []
    fsync = os.fsync

    def note(handle):
        flushed.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    if not os.path.exists("/proc/self/fd"):
        pytest.skip("names of open files are not to be had")
    monkeypatch.setattr("os.fsync", note)
    write_text(tmp_path / "new" / "file", "text")
    around, unfinished, folder = flushed
    assert around == str(tmp_path)
    assert unfinished.startswith(str(tmp_path / "new" / ".softshare-"))
    assert folder == str(tmp_path / "new")


def test_a_file_that_says_the_same_is_not_touched(tmp_path):
    path = write_text(tmp_path / "deep" / "file", "text")
    before = path.stat().st_ino
    write_text(path, "text")
    assert path.stat().st_ino == before
    write_text(path, "other")
    assert path.read_text() == "other"


def test_a_file_that_another_program_saved_in_its_own_encoding_is_replaced(tmp_path):
    path = tmp_path / "summary.csv"
    path.write_bytes("Käse".encode("cp1252"))
    write_text(path, "Käse")
    assert path.read_text(encoding="utf-8") == "Käse"


def test_the_rights_of_a_file_are_those_that_the_user_gives(tmp_path):
    before = os.umask(0o027)
    try:
        path = write_text(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_only_what_nobody_will_finish_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = files._host()
    abandoned = tmp_path / f".softshare-{here}-{ended.pid}-00000000.tmp"
    of_another_machine = tmp_path / f".softshare-ffffffff-{ended.pid}-00000000.tmp"
    of_that_machine_long_ago = tmp_path / f".softshare-ffffffff-{ended.pid}-00000001.tmp"
    of_a_process = tmp_path / f".softshare-{here}-{os.getppid()}-00000000.tmp"
    of_a_thread = tmp_path / f".softshare-{here}-{os.getpid()}-00000000.tmp"
    kept = [of_another_machine, of_a_process, of_a_thread, tmp_path / ".notes.tmp"]
    for path in (abandoned, of_that_machine_long_ago, *kept):
        path.touch()
    os.utime(of_that_machine_long_ago, (0, 0))
    remove_unfinished([tmp_path, tmp_path / "nowhere"])
    assert set(tmp_path.iterdir()) == set(kept)
