"""Tables read from files and frames, and what is said of those that cannot be."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.tasks.splits import split


def visits(n_rows: int = 60) -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "hospital": random.choice(["st-mary", "north", "south"], n_rows),
            "patient": np.arange(n_rows) // 2,
            "age": random.integers(20, 90, n_rows),
            "ward": random.choice(["a", "b"], n_rows),
            "readmitted": random.choice(["yes", "no"], n_rows),
            "days": random.normal(5, 2, n_rows).round(2),
        }
    )


def written(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.parquet", "T.CSV"])
def test_every_kind_of_file_holds_the_same_tasks(tmp_path: Path, name: str) -> None:
    path, frame = tmp_path / name, visits()
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in name else ",")
    found, expected = (
        read_table(source, task="hospital", target="days", drop=["patient"])
        for source in (path, frame)
    )
    assert found.tasks == expected.tasks
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.targets, expected.targets)
    np.testing.assert_array_equal(
        found.split(seed=0)[0].sources[0], expected.split(seed=0)[0].sources[0]
    )


def test_semicolons_and_a_byte_order_mark_and_spaces_are_understood(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufeffx ; y\n1; a\n2; b\n")
    assert read_table(path, target="y").tasks[0].classes == ("a", "b")


def test_a_task_column_gives_tasks_that_share_no_rows() -> None:
    frame = visits()
    tasks = read_table(frame, task="hospital", target="readmitted", drop=["patient"])
    assert tasks.names == ("north", "south", "st-mary")
    assert [task.kind for task in tasks.tasks] == ["binary"] * 3
    assert tasks.n_examples.tolist() == frame["hospital"].value_counts().sort_index().tolist()
    assert list(tasks.sources[0].names) == ["age", "ward", "days"]
    assert not tasks.one_input


def test_several_targets_share_one_input() -> None:
    frame = visits()
    frame.loc[:9, "days"] = np.nan
    tasks = read_table(frame, target=["readmitted", "days"], drop=["patient"])
    assert tasks.one_input
    assert [task.kind for task in tasks.tasks] == ["binary", "regression"]
    assert tasks.n_examples.tolist() == [60, 50]
    assert not {"readmitted", "days"} & set(tasks.sources[0].names)


def test_tasks_by_several_columns() -> None:
    assert ("north", "a") in read_table(visits(), task=["hospital", "ward"], target="days").names


def test_missing_values_in_all_their_spellings(tmp_path: Path) -> None:
    path = written(tmp_path, "x,c,y\n1,a,1\n?,b,2\nNA,?,3\n,a,?\n5,a,5\nnull,a,6\n")
    tasks = read_table(path, target="y", kinds="regression")
    assert np.isnan(tasks.sources[0].column("x")).sum() == 4
    assert np.isnan(tasks.sources[0].column("c")).sum() == 1
    assert tasks.n_examples.tolist() == [5]


def test_numbers_written_as_text_are_numbers() -> None:
    frame = pd.DataFrame({"x": ["1", "2.5", "?", " 4"], "y": ["0.5", "1.5", "2.5", None]})
    tasks = read_table(frame, target="y")
    np.testing.assert_array_equal(tasks.sources[0].column("x"), [1, 2.5, np.nan, 4])
    assert tasks.targets.tolist() == [0.5, 1.5, 2.5]


def test_booleans_with_gaps_are_numbers() -> None:
    tasks = read_table(pd.DataFrame({"x": [True, None, False], "y": [1.5, 2.5, 3.5]}), target="y")
    np.testing.assert_array_equal(tasks.sources[0].column("x"), [1, np.nan, 0])


def test_rows_without_a_label_are_noted() -> None:
    frame = visits()
    frame.loc[3:5, "days"] = np.nan
    assert read_table(frame, task="hospital", target="days", drop=["patient"]).notes == (
        "3 row(s) without a value of 'days' are left out",
    )


@pytest.mark.parametrize("chunk_rows", [None, 7])
def test_entries_know_their_rows_of_the_file(tmp_path: Path, chunk_rows: int | None) -> None:
    table = visits()
    table.loc[[3, 17], "days"] = np.nan
    path = written(tmp_path, table.to_csv(index=False).replace("\n", "\n\n", 5))  # empty lines
    tasks = read_table(
        path, task="hospital", target="days", kinds="regression", chunk_rows=chunk_rows
    )
    again = pd.read_csv(path)
    for part in tasks.split(seed=0):
        rows = part.source_rows()
        assert not np.isin(rows, [3, 17]).any()
        mean, std = part.target_scaling[part.task_of].T
        np.testing.assert_allclose(part.targets * std + mean, again["days"][rows])
        names = [part.names[number] for number in part.task_of]
        assert names == again["hospital"][rows].tolist()


def test_kinds_can_be_given() -> None:
    assert (
        read_table(visits(), task="hospital", target="age", kinds={"age": "multiclass"})
        .tasks[0]
        .kind
        == "multiclass"
    )
    assert [
        t.kind
        for t in read_table(visits(), target=["age", "days"], kinds={"age": "regression"}).tasks
    ] == ["regression"] * 2


def test_given_parts_and_groups_reach_the_split() -> None:
    frame = visits()
    frame["part"] = np.where(
        frame["patient"] % 5 == 0, "Test", np.where(frame["patient"] % 5 == 1, " val", "train")
    )
    tasks = read_table(frame, target=["days"], split="part", group="patient")
    divided = split(tasks, seed=0)
    assert set(frame["patient"][tasks.rows[divided.test]] % 5) == {0}
    assert set(frame["patient"][tasks.rows[divided.validation]] % 5) == {1}
    assert not {"part", "patient"} & set(tasks.sources[0].names)


def test_a_saved_index_is_no_input(tmp_path: Path) -> None:
    visits().to_csv(tmp_path / "t.csv")
    assert list(
        read_table(tmp_path / "t.csv", target="days", drop=["patient"]).sources[0].names
    ) == [
        "hospital",
        "age",
        "ward",
        "readmitted",
    ]


def test_an_index_of_rows_that_were_chosen_is_saved_too(tmp_path: Path) -> None:
    visits().sample(frac=1, replace=True, random_state=0).to_csv(tmp_path / "t.csv")
    assert "hospital" in read_table(tmp_path / "t.csv", target="days").sources[0].names


def test_columns_of_a_frame_may_have_numbers_as_names() -> None:
    tasks = read_table(pd.DataFrame({0: [1.0, 2.0, 3.0], 1: [0.5, 1.5, 2.5]}), target="1")
    assert list(tasks.sources[0].names) == ["0"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": "dayz"}, "target: no column 'dayz', did you mean 'days'"),
        (
            {"target": "days", "task": "Hospital"},
            "task: no column 'Hospital', did you mean 'hospital'",
        ),
        (
            {"target": "days", "drop": ["xyz"]},
            "drop: no column 'xyz', there are hospital, patient, age",
        ),
        ({"target": "dayz", "group": "pat"}, "target: no column 'dayz'.*; group: no column 'pat'"),
        ({"target": "days", "drop": ["days"]}, r"column 'days': has several uses \(target, drop\)"),
        ({"target": []}, "name at least one column to predict"),
        ({"target": list(visits().columns)}, "no column is left as input"),
        (
            {"target": "days", "kinds": {"day": "binary"}},
            "kinds: 'day' is no target, did you mean 'days'",
        ),
        (
            {"target": "days", "kinds": "ranking"},
            "kind must be one of binary, multiclass, regression",
        ),
        (
            {"target": "ward", "kinds": "regression"},
            "task 'ward': a regression target must be numbers, found 'b' in row",
        ),
        (
            {"target": "days", "task": "hospital", "kinds": "binary"},
            "target 'days': a binary target has two values",
        ),
        (
            {"target": "days", "split": "ward"},
            "split: column 'ward' must say train, validation, test, found 'b' in row 1",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_table(visits(), **options)


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (
            5,
            {},
            r"^table: must be a file's name, several in a list, or a pandas data frame, got int$",
        ),
        ([[1, 2]], {}, r"^table: .* got list$"),
        (None, {"target": 3}, r"^target: must be a column's name or a list of names, got 3$"),
        (None, {"target": ["days", 2]}, r"^target: .* got \['days', 2\]$"),
        (None, {"task": 5, "drop": 6}, r"^task: .* got 5; drop: must be .* got 6$"),
        (None, {"chunk_rows": "x"}, r"^chunk_rows: must be a whole number, got 'x'$"),
    ],
)
def test_arguments_of_another_type_are_named(
    table: Any, options: dict[str, Any], message: str
) -> None:
    given = visits() if table is None else table
    with pytest.raises(ValueError, match=message):
        read_table(given, **{"target": "days", **options})


def test_text_among_numbers_is_found() -> None:
    frame = pd.DataFrame({"x": ["1.5"] * 10_000, "y": np.arange(10_000) / 7})
    frame.loc[6_543, "x"] = "abc"
    with pytest.raises(
        ValueError,
        match=r"column 'x' holds numbers, but 1 value\(s\) are not: 'abc' in row 6544 .*drop 'x'",
    ):
        read_table(frame, target="y")
    with pytest.raises(ValueError, match="column 'x' holds numbers"):
        read_table(frame, target="x")


def test_a_column_with_a_few_numbers_is_text() -> None:
    frame = pd.DataFrame({"x": ["1", "2", "ten", "many"], "y": [0.5, 1.5, 2.5, 3.5]})
    assert read_table(frame, target="y").split(seed=0, fractions=(0.5, 0.25, 0.25))[0].input_shape(
        0
    ) == (2,)


def test_lists_in_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match="column 'x' holds lists or other objects"):
        read_table(pd.DataFrame({"x": [[1], [2]], "y": [0, 1]}), target="y")


def test_parts_without_a_test_set_and_rows_without_group_are_refused() -> None:
    frame = visits().assign(part="train", who=[None, *range(59)])
    with pytest.raises(ValueError, match="split: column 'part' names no row for test"):
        read_table(frame, target="days", split="part")
    with pytest.raises(
        ValueError, match=r"group: column 'who' is empty in 1 row\(s\), the first is row 1"
    ):
        read_table(frame, target="days", group="who")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n", "has no rows"),
        ("a,b,a\n1,2,3\n", "several columns called 'a'"),
        ("a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
        ("a,b\n1,2,3\n4,5,6\n", "more fields than the first line has names"),
        ('a,b\n"1,2\n', "EOF inside string"),
    ],
)
def test_files_that_are_no_table_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_table(written(tmp_path, text), target="b")
    assert "t.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a,,b\n1,2,3\n", {}, "column 2 has values and no name"),
        (",a,b\nred,1,2\nred,3,4\n", {}, "column 1 has values and no name"),
        (",a,b\n1.5,1,2\n2.5,3,4\n", {}, "column 1 has values and no name"),
        ("a,b,\n1,2,\n3,4,x\n", {}, "column 3 has values and no name"),
        ("x,b\n1,2\n", {"target": "c"}, "target: no column 'c'"),
        ("x,b\n" + "1,2.5\n" * 20 + "z,2\n", {}, "column 'x' holds"),
        ("x,b\n1,u\n2,v\n", {"kinds": "regression"}, "a regression target must be numbers"),
    ],
)
@pytest.mark.parametrize("chunk_rows", [None, 2])
def test_what_is_wrong_with_the_content_names_the_file(
    text: str, options: dict[str, Any], message: str, chunk_rows: int | None, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=f"t.csv: .*{message}") as caught:
        read_table(written(tmp_path, text), **{"target": "b", **options}, chunk_rows=chunk_rows)
    assert str(caught.value).count("t.csv") == 1


def test_separators_at_the_ends_of_lines_and_a_saved_index_are_no_columns(tmp_path: Path) -> None:
    tasks = read_table(written(tmp_path, ",a,b,\nu,1,2,\nv,3,4,\n"), target="b")
    assert list(tasks.sources[0].names) == ["a"]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.parquet"])
def test_foreign_bytes_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(bytes(range(256)) * 20)
    with pytest.raises(ValueError, match=f"cannot read .*{name}"):
        read_table(tmp_path / name, target="y")


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress(visits(2000).to_csv(index=False).encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match=r"cannot read .*t.csv.gz"):
        read_table(tmp_path / "t.csv.gz", target="days")


def test_no_such_file_names_its_neighbours(tmp_path: Path) -> None:
    written(tmp_path, "a,b\n1,2\n", "visits.csv")
    with pytest.raises(
        FileNotFoundError, match=r"no such file: .*visit.csv; did you mean 'visits.csv'"
    ):
        read_table(tmp_path / "visit.csv", target="b")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_table(tmp_path / "nowhere" / "visit.csv", target="b")


def test_other_files_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"not a table that can be read; a table ends in .csv"):
        read_table(written(tmp_path, "a,b\n1,2\n", "t.docx"), target="b")


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(
        ImportError, match=r"reading t.parquet needs pyarrow: pip install 'softshare\[parquet\]'"
    ):
        read_table(tmp_path / "t.parquet", target="y")
