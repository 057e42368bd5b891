"""Packages that may be missing, or may not work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from softshare.shallow.optional_package import optional_package


def test_a_package_that_is_there_and_one_that_is_not() -> None:
    assert optional_package("json") is sys.modules["json"]
    assert optional_package("no_such_package_at_all") is None


@pytest.mark.parametrize("error", ["OSError('libgomp.so.1')", "AttributeError('partition')"])
def test_a_package_that_fails_is_none(
    error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"fails_{error[:5].lower()}"
    (tmp_path / f"{name}.py").write_text(f"raise {error}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert optional_package(name) is None


def test_want_of_memory_is_no_want_of_a_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "too_large.py").write_text("raise MemoryError\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MemoryError):
        optional_package("too_large")
