"""Tables read some rows at a time hold what tables in memory hold."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from softshare.data import column_content, large_table, table
from softshare.data.mapped import MappedArray
from softshare.data.table import read_table
from softshare.tasks import column_sums
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.task_set import TaskSet
from tests.data.damage import attempt, damaged


@pytest.fixture
def frame() -> pd.DataFrame:
    """Numbers, texts, booleans and a constant, some of them missing; the second half differs from
    the first.
    """
    random = np.random.default_rng(0)
    columns = {
        "where": random.choice(["north", "south", "west"], 90),
        "age": random.normal(60, 15, 90).round(1),
        "visits": random.poisson(2, 90),
        "ward": np.where(
            np.arange(90) < 45, random.choice(["a", "b"], 90), random.choice(["b", "c"], 90)
        ).astype(object),
        "smokes": random.random(90) < 0.3,
        "always": 7,
        "patient": np.arange(90) // 3,
        "out": random.integers(0, 2, 90).astype(float),
        "days": random.normal(size=90).round(4),
    }
    frame = pd.DataFrame(columns)
    for name, share in {"age": 0.1, "ward": 0.2, "out": 0.1}.items():
        frame[name] = frame[name].where(random.random(90) >= share)
    return frame


@pytest.fixture(params=["csv", "csv.gz", "parquet"])
def file(request: pytest.FixtureRequest, frame: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / f"visits.{request.param}"
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


def assert_same(large: TaskSet, small: TaskSet) -> None:
    assert large.tasks == small.tasks
    for one, two in zip(large.split(seed=0), small.split(seed=0), strict=True):
        assert one.preprocessing[0].feature_names == two.preprocessing[0].feature_names
        assert one.notes == two.notes
        for number in range(len(small)):
            inputs, targets = one.examples(number)
            torch.testing.assert_close(inputs, two.examples(number)[0], rtol=1e-4, atol=1e-5)
            assert torch.equal(targets, two.examples(number)[1])


@pytest.mark.parametrize(
    "roles",
    [
        {"target": "out", "task": "where", "group": "patient"},
        {"target": ["out", "days"], "drop": ["patient"]},
    ],
    ids=["rows", "columns"],
)
def test_what_is_read_in_chunks_equals_what_is_read_at_once(
    file: Path, roles: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_sums, "ROWS_AT_ONCE", 13)
    large = read_table(file, chunk_rows=20, **roles)
    assert isinstance(large.sources[0], EncodedColumns)
    assert large.sources[0].values.dtype == np.float64
    assert_same(large, read_table(file, **roles))


@pytest.mark.parametrize("suffix", ["csv", "tsv.gz", "parquet"])
@pytest.mark.parametrize(
    ("task", "out"),
    [
        (["001"] * 30 + ["002"] * 30 + ["A"] * 30, ["01", "1", "B"] * 30),
        (["01"] * 30 + ["1"] * 30 + ["B"] * 30, ["01"] * 30 + ["1"] * 30 + ["B"] * 30),
        (["True"] * 40 + ["0"] * 50, ["1.0", "2"] * 45),
        (['a;"b', " c\td", "e\nf"] * 30, ["x,", "é", None] * 30),
        ([1, 2, 3] * 30, [None] * 40 + [1, 2] * 25),
    ],
    ids=["codes", "border", "booleans", "marks", "numbers"],
)
def test_columns_with_a_use_are_typed_by_all_their_rows(
    suffix: str, task: list[Any], out: list[Any], tmp_path: Path
) -> None:
    frame, path = (
        pd.DataFrame({"the task": task, "out": out, "age": np.arange(90.0) % 17}),
        tmp_path / f"visits.{suffix}",
    )
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in suffix else ",")
    for rows in (13, 30, 1000):
        large = read_table(path, target="out", task="the task", chunk_rows=rows)
        small = read_table(path, target="out", task="the task")
        assert large.tasks == small.tasks
        assert np.array_equal(large.rows, small.rows)
        assert np.array_equal(large.targets, small.targets)


def test_saved_preprocessing_gives_a_frame_the_same_features(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    frame.to_csv(tmp_path / "visits.csv", index=False)
    tasks = read_table(tmp_path / "visits.csv", target="out", task="where", chunk_rows=20)
    train, _, _ = tasks.split(seed=0)
    inputs = train.preprocessing[0].transform(pd.read_csv(tmp_path / "visits.csv").iloc[train.rows])
    torch.testing.assert_close(train.sources[0][train.rows], inputs, rtol=1e-4, atol=1e-5)


def test_a_table_is_written_once_until_it_changes(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "visits.csv"
    frame.to_csv(path, index=False)
    before = read_table(path, target="out", task="where", chunk_rows=20)
    renamed = frame.assign(ward=frame["ward"].replace("a", "z"))
    written = []
    monkeypatch.setattr(
        large_table,
        "_write",
        lambda *arguments, own=large_table._write: (written.append(1), own(*arguments)),
    )
    assert (
        read_table(path, target="out", task="where", chunk_rows=20).fingerprint()
        == before.fingerprint()
    )
    assert not written
    renamed.to_csv(path, index=False)
    assert (
        read_table(path, target="out", task="where", chunk_rows=20).fingerprint()
        != before.fingerprint()
    )
    assert written


def test_a_large_file_is_read_in_chunks_unasked(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "LARGE", 3000)
    if file.suffix == ".gz":
        assert file.stat().st_size < table.LARGE, "what counts is the size unpacked"
    assert isinstance(read_table(file, target="out", task="where").sources[0].values, MappedArray)
    monkeypatch.setattr(table, "LARGE", 30_000)
    assert isinstance(read_table(file, target="out", task="where").sources[0].values, np.ndarray)


@pytest.mark.parametrize("options", [{}, {"chunk_rows": 100_000}])
def test_a_packed_table_expands_no_further_than_its_size_allows(
    tmp_path: Path, options: dict[str, int]
) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"x,y\n")
        for _ in range(200):
            file.write((b"0" * 1000 + b",1\n") * 1000)
    tracemalloc.start()
    with pytest.raises(
        ValueError, match=r"cannot read .*bomb\.csv\.gz: it unpacks to more than the [\d,]+ bytes"
    ):
        read_table(path, target="y", **options)
    assert tracemalloc.get_traced_memory()[1] < 1 << 28
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame.assign(age=[*np.arange(88) / 7, "old", "young"]),
            "column 'age' holds numbers, but 2 value.s. are not: 'old' in row 89",
        ),
        (lambda frame: frame.assign(age=[*np.arange(89) / 7, np.inf]), "'age' .* 'inf' in row 90"),
        (lambda frame: frame.drop(columns="out"), "target: no column 'out'"),
        (lambda frame: frame.iloc[:0], "has no rows"),
    ],
)
def test_what_cannot_be_read_is_refused(
    frame: pd.DataFrame, tmp_path: Path, change: Any, message: str
) -> None:
    change(frame).to_csv(tmp_path / "visits.csv", index=False)
    with pytest.raises(ValueError, match=message):
        read_table(tmp_path / "visits.csv", target="out", task="where", chunk_rows=25)


def test_of_too_many_texts_those_beyond_the_first_are_one_category(
    tmp_path: Path, frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(column_content, "MOST_VALUES", 2)
    frame.to_csv(tmp_path / "visits.csv", index=False)
    asked = {"ward": "category", "days": "drop", "patient": "drop"}
    tasks = read_table(
        tmp_path / "visits.csv", target="out", task="where", chunk_rows=50, columns=asked
    )
    table = tasks.sources[0]
    assert table.categories["ward"] == ("a", "b")
    found = table.column("ward")
    assert (found[frame["ward"] == "c"] == 2).all()
    columns, _, _ = table.fit(np.arange(90))
    features = table.features(columns, table[np.arange(90)])
    places = [columns.feature_names.index(f"ward = {ward}") for ward in "ab"]
    assert not features.numpy()[frame["ward"] == "c"][:, places].any()


def test_damaged_tables_are_errors_or_tables(frame: pd.DataFrame, tmp_path: Path) -> None:
    path, errors = tmp_path / "visits.csv.gz", 0
    frame.head(30).to_csv(path, index=False)
    for content in damaged(path.read_bytes(), n=300):
        path.write_bytes(content)
        tasks, error = attempt(lambda: read_table(path, target="out", task="where", chunk_rows=8))
        errors += bool(error)
        assert error or tasks.n_examples.sum() <= 30
    assert errors > 270


def test_arrays_on_disk_are_scaled_as_arrays_in_memory(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    arrays = {name: random.normal(5, 3, (20, 4)) * (np.arange(4) < 3) for name in "ab"}
    arrays["a"][3, 1] = np.nan
    targets = {name: random.normal(size=20) for name in "ab"}
    mapped = {}
    for name, array in arrays.items():
        mapped[name] = np.memmap(tmp_path / name, dtype=np.float64, mode="w+", shape=array.shape)
        mapped[name][:] = array
    on_disk = TaskSet.from_arrays({name: (mapped[name], targets[name]) for name in "ab"})
    in_memory = TaskSet.from_arrays(
        {name: (arrays[name].astype(np.float32), targets[name]) for name in "ab"}
    )
    assert len(on_disk.sources) == 1
    assert_same(on_disk, in_memory)
    assert on_disk.split(seed=0)[0].examples(0)[0].dtype == torch.float32
