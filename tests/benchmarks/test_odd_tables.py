"""A few of the tables that ``python -m benchmarks.odd_tables`` writes by the thousand."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.odd_tables import command_faults, faults_of, made


@pytest.mark.parametrize("seed", range(24))
def test_odd_tables_are_read_as_they_were_meant_or_refused(seed: int, tmp_path: Path) -> None:
    written = made(seed)
    assert faults_of(written, tmp_path / "odd.csv")[1] == []
    if seed % 8 == 0:
        assert command_faults(seed, tmp_path / "odd.csv") == []
