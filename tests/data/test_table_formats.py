import bz2
import datetime
import gzip
import io
import lzma
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.data.table_file import read_frame

TEXT = "site,age,ill\n" + "".join(f"0{row % 2},{row}.5,{row % 3 == 0:d}\n" for row in range(40))


def packed(path: Path, content: bytes) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._visits.csv", b"\0")
            archive.writestr(path.stem, content)
        return path
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    path.write_bytes(packers[path.suffix](content))
    return path


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, start=1):
        sheet = book.create_sheet(f"sheet {number}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".ndjson"])
@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zip"])
def test_packed_text_is_read_as_if_it_was_not(tmp_path: Path, ending: str, packing: str) -> None:
    frame = pd.read_csv(io.StringIO(TEXT))
    if "n" in ending:
        content = frame.to_json(orient="records", lines=True)
    else:
        content = frame.to_csv(index=False, sep="\t" if ending == ".tsv" else ",")
    path = packed(tmp_path / f"visits{ending}{packing}", content.encode())
    as_written = frame if "n" in ending else frame.astype(str).astype(object)
    pd.testing.assert_frame_equal(read_frame(path), as_written)


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zip"])
def test_bombs_and_damaged_archives_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str
) -> None:
    monkeypatch.setattr("softshare.data.packed.ALWAYS_READ", 1 << 16)
    zeros = b"a,b\n" + b"0,1\n" * 500_000
    bomb = packed(tmp_path / f"bomb.csv{packing}", zeros)
    with pytest.raises(ValueError, match=r"bomb.csv.* unpacks to more than"):
        read_table(bomb, target="b")
    whole = packed(tmp_path / f"whole.csv{packing}", np.random.default_rng(0).bytes(40_000))
    half = tmp_path / f"half.csv{packing}"
    half.write_bytes(whole.read_bytes()[:20_000])
    with pytest.raises(ValueError, match=r"cannot read .*half.csv"):
        read_table(half, target="b")
    other = tmp_path / f"other.csv{packing}"
    other.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"cannot read .*other.csv"):
        read_table(other, target="b")


def test_an_archive_of_several_tables_says_what_it_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.csv.zip", "w") as archive:
        archive.writestr("north.csv", TEXT)
        archive.writestr("south.csv", TEXT)
    with pytest.raises(ValueError, match=r"holds 2 files \(north.csv, south.csv\); unpack it"):
        read_table(tmp_path / "t.csv.zip", target="ill")


def test_cells_of_a_workbook_are_what_was_typed(tmp_path: Path) -> None:
    day = datetime.datetime(2021, 3, 4)
    rows = [
        ["", "site", "age", 2019, "seen", "smokes"],
        [0, "007", 3, 1.5, day.date(), True],
        [1, "7", 4.25, None, day, False],
    ]
    frame = read_frame(workbook(tmp_path / "visits.xlsx", rows, []))
    expected = pd.DataFrame(
        {
            "site": pd.Series(["007", "7"], dtype=object),
            "age": [3.0, 4.25],
            "2019": pd.Series([1.5, None], dtype=object).infer_objects(),
            "seen": pd.to_datetime([day, day]),
            "smokes": [True, False],
        }
    )
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)
    assert pd.api.types.is_datetime64_any_dtype(frame["seen"])


def test_a_sheet_is_named_where_there_are_several(tmp_path: Path) -> None:
    rows = [["site", "age", "ill"], *[["a", row, row % 2] for row in range(20)]]
    path = workbook(tmp_path / "visits.xlsx", [["site", "x"], ["a", 1]], rows)
    with pytest.raises(ValueError, match=r"several sheets have cells \(sheet 1, sheet 2\)"):
        read_table(path, target="ill")
    tasks = read_table(path, target="ill", task="site", sheet="sheet 2")
    assert tasks.n_examples.tolist() == [20]
    with pytest.raises(ValueError, match="no sheet is called 'x', there are sheet 1, sheet 2"):
        read_table(path, target="ill", sheet="x")


@pytest.mark.parametrize("chunk_rows", [None, 7])
def test_every_format_poses_the_same_tasks(tmp_path: Path, chunk_rows: int | None) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.read_csv(io.StringIO(TEXT)).assign(
        site=["north" if row % 2 else "south" for row in range(40)]
    )
    header, body = list(frame.columns), frame.astype(object).to_numpy().tolist()
    paths = [tmp_path / "t.feather", tmp_path / "t.jsonl", tmp_path / "t.parquet"]
    frame.to_feather(paths[0])
    frame.to_json(paths[1], orient="records", lines=True)
    frame.to_parquet(paths[2])
    paths.append(workbook(tmp_path / "t.xlsx", [header, *body]))
    expected = read_table(frame, task="site", target="ill")
    for path in paths:
        found = read_table(path, task="site", target="ill", chunk_rows=chunk_rows)
        assert found.tasks == expected.tasks
        np.testing.assert_array_equal(found.targets, expected.targets)
        inputs = found.split(seed=0)[0].sources[0][np.arange(40)]
        assert np.allclose(inputs, expected.split(seed=0)[0].sources[0], atol=1e-6)


def test_lines_of_json_keep_large_whole_numbers_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text(
        '{"id": 9007199254740993, "code": "007"}\n\n{"id": 9007199254740992, "code": "7"}\n'
    )
    frame = read_frame(path)
    assert frame["id"].tolist() == [9007199254740993, 9007199254740992]
    assert frame["code"].tolist() == ["007", "7"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[1, 2]", "line 2 must be a JSON object, got list"),
        ('{"a": 1', "line 2 is not JSON"),
        ('{"a": 1, "a": 2}', r"line 2 is not JSON \(it names a column twice\)"),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_lines_that_are_no_objects_are_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(ValueError, match=f"cannot read .*t.jsonl: {message}"):
        read_table(path, target="a")


@pytest.mark.parametrize(
    "name", ["t.xlsx", "t.xls", "t.ods", "t.feather", "t.jsonl", "t.csv.bz2", "t.csv.zip"]
)
@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 20, b"PK\3\4" + bytes(99)])
def test_foreign_bytes_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=f"{name}"):
        read_table(tmp_path / name, target="y")


@pytest.mark.parametrize(
    ("name", "module", "extra"),
    [("t.xlsx", "python_calamine", "excel"), ("t.feather", "pyarrow", "parquet")],
)
def test_a_library_that_is_missing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(ImportError, match=rf"reading {name} needs .*'softshare\[{extra}\]'"):
        read_table(tmp_path / name, target="y")
