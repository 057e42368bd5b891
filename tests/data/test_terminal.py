"""Public sets on the terminal: what is missing, and asking before a download."""

from __future__ import annotations

import io
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from softshare import cli
from softshare.data import (
    mnist,
)
from softshare.data.terminal import with_files

Patch = pytest.MonkeyPatch


def test_the_command_line_says_what_is_missing(
    made_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["compare", "mnist"])
    assert left.value.code == 2
    assert re.fullmatch(
        r"softshare: mnist: .* not found in \S+; `softshare data get mnist` downloads them .*\n",
        capsys.readouterr().err,
    )
    assert list(made_folder.iterdir()) == []


@pytest.mark.parametrize("answer", ["y", "n", None])
def test_missing_files_are_downloaded_only_after_a_yes(
    answer: str | None,
    made_mnist: np.ndarray,
    made_folder: Path,
    monkeypatch: Patch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = mnist.SET.files[3].place
    labels.rename(made_folder / "kept")
    asked = []
    monkeypatch.setattr(
        "sys.stdin", io.StringIO() if answer is None else io.StringIO(f"{answer}\n")
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        "softshare.data.terminal.download",
        lambda wanted, progress: asked.append(wanted) or [(made_folder / "kept").rename(labels)],
    )
    read = partial(with_files, mnist.odd_even, Console())
    if answer == "y":
        assert len(read()) == 2
        assert asked == [mnist.SET]
    else:
        with pytest.raises(FileNotFoundError):
            read()
        assert asked == []
    assert "Download 0.0 MB? [y/N]" in capsys.readouterr().err


def test_nobody_is_asked_where_nobody_can_answer(made_folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr("builtins.input", lambda: pytest.fail("there is no terminal"))
    with pytest.raises(FileNotFoundError):
        with_files(mnist.load, Console())


def test_sets_are_listed_whether_they_are_there_or_not(
    made_omniglot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["data", "list"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert re.search(r"omniglot .* yes", out)
    assert re.search(r"celeba .* no ", out)
    assert str(made_omniglot.parent) in out.replace("\n", "")
