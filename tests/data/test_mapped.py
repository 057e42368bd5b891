"""A map that is to be filled has its room before it is filled."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
import torch

from softshare.data.cache import cache_folder, derived
from softshare.data.encoder_features import encoder_features
from softshare.data.mapped import new_mapped, open_mapped
from softshare.data.table import read_table
from softshare.tasks.task_set import TaskSet

SHAPE = (500, 1000)
FILLED = """
import sys
from pathlib import Path
from softshare.data.mapped import new_mapped

array = new_mapped(Path(sys.argv[1]), dtype="u1", shape=(500, 1000))
array[:] = 1
"""


@pytest.fixture
def full(monkeypatch):
    """A disk without room."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("os.posix_fallocate", refuse, raising=False)


@pytest.mark.parametrize("can_reserve", [True, False])
def test_all_its_room_is_taken_before_it_is_filled(tmp_path, monkeypatch, can_reserve):
    if not can_reserve:

        def refuse(*_):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

        monkeypatch.setattr("os.posix_fallocate", refuse, raising=False)
    path = tmp_path / "array.npy"
    array = new_mapped(path, dtype=np.uint8, shape=SHAPE)
    assert 512 * path.stat().st_blocks >= array.nbytes
    assert not array.any()
    array[:] = 7
    array.flush()
    assert (open_mapped(path) == 7).all()
    assert np.load(path).shape == SHAPE


def test_an_array_without_entries_takes_none(tmp_path):
    assert new_mapped(tmp_path / "array.npy", dtype=np.float32, shape=(0, 3)).shape == (0, 3)


def test_without_room_it_is_an_error_and_no_signal(tmp_path):
    def few_bytes():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    path = tmp_path / "array.npy"
    command = [sys.executable, "-c", FILLED, str(path)]
    ended = subprocess.run(command, preexec_fn=few_bytes, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: {str(path)!r}"


def test_features_for_which_there_is_no_room_are_told_with_their_file(full):
    tasks = TaskSet.from_arrays({"a": (np.zeros((20, 3), np.float32), np.arange(20) % 2)})
    told = rf"no space is left for {cache_folder()}/features-.*/features\.npy .*SOFTSHARE_CACHE"
    with pytest.raises(OSError, match=told):
        encoder_features(tasks, torch.nn.Linear(3, 2))


def test_a_large_table_for_which_there_is_no_room_is_told_with_its_file(full, tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{row % 7}.5,{row % 2}" for row in range(60)]
    path.write_text("\n".join(["x,y", *rows]))
    told = rf"no space is left for {cache_folder()}/table-.*/values\.npy .*SOFTSHARE_CACHE"
    with pytest.raises(OSError, match=told):
        read_table(path, target="y", chunk_rows=10)


def test_an_array_that_was_written_in_part_is_told_too():
    def build(folder):
        raise OSError("500 requested and 20 written")  # as numpy.save has it

    with pytest.raises(OSError, match=rf"no space is left for {cache_folder()}/made-.* in the"):
        derived("made", [], build)
