from pathlib import Path

import numpy as np
import pytest

from benchmarks import odd_images


def test_odd_folders_and_arrays_are_read_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTSHARE_CACHE", "")
    counts, faults = odd_images.run(0, 25)
    assert faults == []
    assert sum(counts.values()) == 50


def test_a_square_that_is_gone_is_a_fault(tmp_path: Path) -> None:
    square = np.eye(odd_images.SIDE)
    with pytest.raises(AssertionError, match="gone"):
        odd_images._check_square(np.zeros((3, *square.shape)), square, "gone")
