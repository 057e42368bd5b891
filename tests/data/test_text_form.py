"""Encodings, separators and comments of text files."""

from __future__ import annotations

from pathlib import Path

import pytest

from softshare.data.table import read_table
from softshare.data.text_table import encoding_of

TEXT = "ward;größe;ill\n" + "".join(
    f"{'Süd' if row % 2 else 'Café'};{row % 7 + 1},{row % 10};{row % 3 == 0:d}\n"
    for row in range(40)
)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
def test_every_usual_encoding_is_told(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode(encoding))
    tasks = read_table(path, task="ward", target="ill")
    assert tasks.names == ("Café", "Süd")
    assert tasks.sources[0].column("größe")[:2].tolist() == [1.0, 2.1]


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(TEXT.encode("cp850"))
    tasks = read_table(path, task="ward", target="ill", encoding="cp850")
    assert tasks.names == ("Café", "Süd")
    with pytest.raises(ValueError, match="no encoding is called 'klingon'"):
        read_table(path, task="ward", target="ill", encoding="klingon")
    with pytest.raises(ValueError, match="not in the encoding ascii"):
        read_table(path, task="ward", target="ill", encoding="ascii")


def test_what_is_no_text_has_no_encoding() -> None:
    for content in (bytes(range(256)), b"\x89PNG\r\n\x1a\n\x00\x00", b"a,b\x01\n"):
        with pytest.raises(ValueError, match="it is no text"):
            encoding_of(content)


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators_are_told_by_the_first_lines(tmp_path: Path, sep: str) -> None:
    lines = [sep.join(("ward", '"a, b; c|d"', "ill"))]
    lines += [sep.join(("ns"[row % 2], f"{row % 7}", f"{row % 3 == 0:d}")) for row in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    tasks = read_table(tmp_path / "t.csv", task="ward", target="ill")
    assert tasks.sources[0].names == ("a, b; c|d",)


def test_a_separator_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a:b\n" + "".join(f"{k % 7}:{k % 2}\n" for k in range(30)))
    assert read_table(tmp_path / "t.csv", target="b", sep=":").sources[0].names == ("a",)
    with pytest.raises(ValueError, match="sep: must be one character"):
        read_table(tmp_path / "t.csv", target="b", sep="::")


@pytest.mark.parametrize(
    "head", ["# made by x, y\n# on a day\n\na,b\n", "sep=,\na,b\n", "#a,b\n", "# c\n#a,b\n"]
)
def test_comments_above_the_names_are_passed_over(tmp_path: Path, head: str) -> None:
    (tmp_path / "t.csv").write_text(head + "".join(f"{k % 7},{k % 2}\n" for k in range(30)))
    name = "#a" if "#a" in head else "a"
    assert read_table(tmp_path / "t.csv", target="b").sources[0].names == (name,)


def test_excels_line_may_name_a_tab(tmp_path: Path) -> None:
    rows = [f"{row % 7}.5\t{row % 2}" for row in range(30)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["sep=\t", "a\tb", *rows]), encoding="utf-8")
    assert read_table(path, target="b").sources[0].names == ("a",)
