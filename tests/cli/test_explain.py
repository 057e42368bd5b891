"""What columns matter, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from softshare import cli
from tests.models.made_tables import schools

FIT = "fit pupils.csv --task school --target score --drop passed grade --method pooled-ridge"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    schools(rows=30).to_csv("pupils.csv", index=False)
    schools(rows=30, seed=1).to_csv("new.csv", index=False)
    run(f"{FIT} --out model --quiet")


def run(line: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_columns_are_told_of_and_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain model new.csv --repeats 3 --out told.json") == 0
    told = capsys.readouterr().out
    assert told.index("age") < told.index("home")
    assert "to all" in told
    assert "by rmse, on 150 labelled rows; values exchanged 3 times" in told
    found = json.loads(Path("told.json").read_text())
    assert [row["column"] for row in found["columns"]] == ["age", "home"]
    assert run("explain model new.csv --repeats 3 --out told.csv --json") == 0
    assert json.loads(capsys.readouterr().out) == found
    assert len(pd.read_csv("told.csv")) == 2 * 5
    assert run("explain model new.csv --metric mae --quiet") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("explain model new.csv --out told.doc", "--out: told.doc must end in .json or .csv"),
        ("explain model new.csv --repeats 1", "--repeats: at least 2, to tell how they differ"),
        ("explain model new.csv --metric f1", "'f1' does not apply to regression"),
        ("explain model bare.csv", "bare.csv lacks the column(s) 'school', 'age'"),
        ("explain model", "requires an argument"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schools()[["home", "score"]].to_csv("bare.csv", index=False)
    assert run(line) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
