"""Folders of their own for the data and what is derived from it: no test touches the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def derived_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests on real files keep what they decode, so that it is done once."""
    return tmp_path_factory.mktemp("derived")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, derived_folder: Path) -> None:
    monkeypatch.setenv("SOFTSHARE_CACHE", str(derived_folder))


@pytest.fixture
def made_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a cache folder beside it."""
    monkeypatch.setenv("SOFTSHARE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def outside(tmp_path: Path) -> Callable[[], set[Path]]:
    """The files outside the data and cache folders that tests of this one could reach."""
    return lambda: {
        path
        for path in tmp_path.rglob("*")
        if path.relative_to(tmp_path).parts[0] not in ("data", "cache")
    }
