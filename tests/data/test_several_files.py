from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softshare.data.load import load
from softshare.data.table import read_table


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    tables = tmp_path / "visits"
    tables.mkdir()
    for name, ending in (("north", "csv"), ("south", "tsv"), ("west", "csv.gz")):
        ages = random.integers(20, 90, 30)
        frame = pd.DataFrame({"age": ages, "ill": np.arange(30) % 2, "ward": list("ab") * 15})
        if name == "west":
            frame = frame[["ward", "ill", "age"]]
        separator = "\t" if ending == "tsv" else ","
        frame.to_csv(tables / f"{name}.{ending}", index=False, sep=separator)
    (tables / "README.txt").write_text("visits of three hospitals")
    (tables / ".hidden.csv").write_text("other\n1\n")
    (tables / "~$south.xlsx").write_bytes(b"locked")
    return tables


@pytest.mark.parametrize("chunk_rows", [None, 7])
def test_a_folder_of_tables_is_one_table(folder: Path, chunk_rows: int | None) -> None:
    tasks = read_table(folder, task="file", target="ill", chunk_rows=chunk_rows)
    assert tasks.names == ("north", "south", "west")
    assert tasks.n_examples.tolist() == [30, 30, 30]
    apart = pd.read_csv(folder / "west.csv.gz")
    inputs, targets = tasks.split(seed=0)[0].examples(2)
    assert inputs.shape == (18, 3)  # age, ward = a, ward = b
    assert (
        targets.tolist()
        == apart["ill"]
        .to_numpy()[tasks.split(seed=0)[0].source_rows()[tasks.split(seed=0)[0].entries(2)] - 60]
        .tolist()
    )


def test_files_are_named_by_a_list_a_pattern_and_on_the_command_line(folder: Path) -> None:
    both = [folder / "north.csv", folder / "west.csv.gz"]
    for table in (both, [str(path) for path in both], str(folder / "*.csv*")):
        tasks = read_table(table, task="file", target="ill")
        assert tasks.names == ("north", "west")
    assert load(str(folder), task="file", target="ill").names == ("north", "south", "west")
    assert load(str(folder / "*th.*"), task="file", target="ill").names == ("north", "south")


def test_the_files_names_are_no_input_unless_they_have_a_use(folder: Path) -> None:
    tasks = read_table(folder, target="ill", task="ward")
    assert list(tasks.sources[0].names) == ["age"]


def test_files_named_train_and_test_are_given_parts(tmp_path: Path) -> None:
    for name, rows in (("train", 40), ("test", 20)):
        frame = pd.DataFrame({"x": np.arange(rows), "y": np.arange(rows) % 2})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    train, validation, test = read_table(tmp_path, target="y", split="file").split(seed=0)
    assert len(test.rows) == 20
    assert len(train.rows) + len(validation.rows) == 40
    assert (test.source_rows() < 20).all()  # test.csv comes first


def test_a_column_of_this_name_stays_what_it_is(tmp_path: Path) -> None:
    for name in "ab":
        frame = pd.DataFrame({"file": ["u", "v"] * 10, "x": range(20), "y": [0, 1] * 10})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    assert read_table(tmp_path, task="file", target="x").names == ("u", "v")
    assert "file" in read_table(tmp_path, target="y").sources[0].names


@pytest.mark.parametrize("chunk_rows", [None, 5])
def test_files_of_other_columns_are_named(folder: Path, chunk_rows: int | None) -> None:
    (folder / "zone.csv").write_text("age,ill,room\n1,0,2\n")
    with pytest.raises(
        ValueError, match=r"of those of north.csv, zone.csv lacks 'ward' and has 'room' beside"
    ):
        read_table(folder, task="file", target="ill", chunk_rows=chunk_rows)


def test_two_files_of_one_name_are_two(folder: Path) -> None:
    (folder / "north.tsv").write_text((folder / "south.tsv").read_text())
    tasks = read_table([folder / "north.csv", folder / "north.tsv"], task="file", target="ill")
    assert tasks.names == (str(folder / "north.csv"), str(folder / "north.tsv"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("*.parquet", "no file matches"),
        ("", "has no tables directly inside"),
        ([], "no file is named"),
    ],
)
def test_no_files_at_all_are_refused(tmp_path: Path, table: Any, message: str) -> None:
    given = [] if table == [] else tmp_path / table
    with pytest.raises(FileNotFoundError, match=message):
        read_table(given, target="y")
