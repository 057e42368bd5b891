"""A thousand damaged copies of a file: each is read, or an error that names the file; one line on
the command line.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.io import savemat

from softshare import cli
from softshare.data import office_caltech
from softshare.data.mapped import MappedArray
from softshare.data.office_caltech_files import FEATURES
from softshare.data.table import read_table
from tests.data.damage import attempt, damaged
from tests.data.made_files import written

Patch, Capture = pytest.MonkeyPatch, pytest.CaptureFixture[str]


def table(path: Path) -> Path:
    """Thirty rows of numbers, texts and missing values."""
    random = np.random.default_rng(0)
    where, ward = random.choice(["north", "south"], 30), random.choice(["a", "b", None], 30)
    frame = pd.DataFrame(
        {"where": where, "ward": ward, "age": random.normal(60, 9, 30), "out": np.arange(30) % 2}
    )
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


@pytest.mark.parametrize(
    ("name", "chunk_rows"),
    [("t.csv", None), ("t.tsv.gz", None), ("t.parquet", None), ("t.parquet", 8)],
)
def test_damaged_tables_are_errors_or_tables(
    name: str, chunk_rows: int | None, tmp_path: Path, made_folder: Path
) -> None:
    path, errors = table(tmp_path / name), 0
    for content in damaged(path.read_bytes(), n=300):
        path.write_bytes(content)
        tasks, error = attempt(
            partial(read_table, path, target="out", task="where", chunk_rows=chunk_rows)
        )
        errors += bool(error)
        assert name in error if error else tasks.n_examples.sum() <= 60
    assert errors > 30


def test_damaged_feature_files_are_errors(made_folder: Path) -> None:
    classes, content = np.repeat(np.arange(1, 11), 2)[:, None], io.BytesIO()
    savemat(
        content,
        {
            "fts": np.random.default_rng(0).integers(9, size=(20, 5), dtype=np.uint8),
            "labels": classes,
        },
    )
    file = written(made_folder, FEATURES["surf"]["dslr"], content.getvalue())
    read = partial(office_caltech._features, file, (2,) * 10)
    assert len(read()[0]) == 20
    for copy in damaged(content.getvalue()):
        file.place.write_bytes(copy)
        assert re.match(
            f"{file.place}: its content differs from the published file", attempt(read)[1]
        )


@pytest.mark.filterwarnings(
    "ignore:Reading .* file required additional header parsing"
)  # a header that Python 2 could have written
def test_damaged_memory_maps_are_errors_or_arrays(tmp_path: Path) -> None:
    path, errors = tmp_path / "values.npy", 0
    np.save(path, np.arange(12.0).reshape(4, 3))
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        found, error = attempt(lambda: MappedArray(path)[:])
        errors += bool(error)
        assert str(path) in error if error else found.size <= 24
    assert errors > 300


def images(folder: Path) -> Path:
    """Two tasks of two classes, an image each; gives the first image."""
    for number, name in enumerate(("a/x/1", "a/y/1", "b/x/1", "b/y/1")):
        (folder / name).parent.mkdir(parents=True)
        pixels = np.random.default_rng(number).integers(256, size=(9, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder / "a/x/1.png"


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (
            lambda folder: table(folder / "t.csv"),
            ["{folder}/t.csv", "--target", "out", "--task", "where"],
        ),
        (lambda folder: table(folder / "t.tsv.gz"), ["{folder}/t.tsv.gz", "--target", "out"]),
        (
            lambda folder: table(folder / "t.parquet"),
            ["{folder}/t.parquet", "--target", "age", "--kind", "regression"],
        ),
        (lambda folder: images(folder / "photos"), ["{folder}/photos"]),
    ],
    ids=["csv", "gz", "parquet", "image"],
)
def test_the_command_line_tells_any_damage_in_one_line(
    make: Callable[[Path], Path],
    options: list[str],
    tmp_path: Path,
    made_folder: Path,
    monkeypatch: Patch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("softshare.cli.comparing._compare", lambda *_, **settings: 0)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    path, codes = make(tmp_path), []
    for content in damaged(path.read_bytes(), n=25):
        path.write_bytes(content)
        with pytest.raises(SystemExit) as left:
            cli.main(["compare", *(option.format(folder=tmp_path) for option in options)])
        codes.append(left.value.code)
        out, err = capsys.readouterr()
        assert out == ""
        assert re.fullmatch(rf"softshare: .*{path.name}.*\n" if left.value.code else "", err)
    assert set(codes) <= {0, 2}
    assert 2 in codes
