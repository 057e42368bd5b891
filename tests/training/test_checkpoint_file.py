"""A checkpoint is read as it was written, or refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from softshare.training.checkpoint_file import (
    Checkpoint,
    DamagedError,
    read_checkpoint,
    write_checkpoint,
)


def written(path: Path) -> Checkpoint:
    state = {
        "network": {
            "weights": torch.randn(3, 4),
            "none": torch.zeros(0),
            "half": torch.ones(2, dtype=torch.bfloat16),
            "step": torch.tensor(7),
        },
        "recorder": {"rows": [{"loss": 1.5, "best": float("inf")}], "name": (1, None, "é")},
        "generators": {"numpy": np.arange(3, dtype=np.uint32), 4: True},
    }
    checkpoint = Checkpoint(3, False, {"steps": 5}, state)
    write_checkpoint(path, checkpoint)
    return checkpoint


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    checkpoint = written(tmp_path / "file")
    again = read_checkpoint(tmp_path / "file")
    assert repr(again) == repr(checkpoint)
    assert again.state["generators"]["numpy"].dtype == np.uint32


def test_a_changed_file_is_refused_wherever_it_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written(path)
    whole = path.read_bytes()
    generator = random.Random(0)
    for number in range(300):
        content = bytearray(whole)
        place = generator.randrange(len(content))
        if number % 3 == 0:
            content[place] ^= 1 << generator.randrange(8)
        elif number % 3 == 1:
            del content[place : place + 3]
        else:
            content[place:place] = b"{"
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"^it(s content does not fit| is no checkpoint)"):
            read_checkpoint(path)


def test_another_format_is_refused_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    with monkeypatch.context() as later:
        later.setattr("softshare.training.checkpoint_file.FORMAT", 2)
        written(path)
    with pytest.raises(ValueError, match=r"file has the format 2, and this version .* reads 1"):
        read_checkpoint(path)
