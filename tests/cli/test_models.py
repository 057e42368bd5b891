"""From a table to a model and its predictions, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from softshare import cli
from softshare.files import write_text
from softshare.models.model import load_model
from tests.models.made_tables import schools

OF_SCORE = ["predicted score", "score from", "score to"]

FIT = "fit pupils.csv --task school --target score --drop passed grade --method pooled-ridge"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    schools().to_csv("pupils.csv", index=False)
    schools(seed=1).to_csv("new.csv", index=False)


def run(line: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(line.split())
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_model_is_fitted_shown_used_and_judged(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{FIT} --out model") == 0
    told = capsys.readouterr().out
    assert "pooled-ridge: 5 tasks, 60 rows of pupils.csv" in told
    assert told.rstrip().endswith("model: model")
    assert run("predict model new.csv --out told.csv --keep age") == 0
    assert "60 rows predicted: told.csv" in capsys.readouterr().out
    predictions = pd.read_csv("told.csv")
    assert list(predictions) == ["school", "age", *OF_SCORE, "task is known"]
    expected = load_model("model").predict(schools(seed=1))["predicted score"]
    assert predictions["predicted score"].tolist() == pytest.approx(expected.tolist())
    assert run("evaluate model new.csv --json") == 0
    judged = json.loads(capsys.readouterr().out)
    assert [row["rows"] for row in judged["tasks"]] == [12] * 5
    assert run("inspect model --json") == 0
    assert json.loads(capsys.readouterr().out)["table"]["task"] == ["school"]


def test_rows_of_unknown_tasks_are_told_or_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run(f"{FIT} --out model --quiet")
    assert capsys.readouterr().out == ""
    schools(seed=1).assign(school="new", other=1).to_csv("new.csv", index=False)
    assert run("predict model new.csv --out told.jsonl") == 0
    told = capsys.readouterr().out
    assert "60 of tasks that were not learned" in told
    assert "not used: 'passed', 'grade', 'other'" in told
    assert run("predict model new.csv --unknown-tasks refuse") == 2
    assert "60 row(s) are of tasks that were not learned: 'new'" in capsys.readouterr().err


def test_a_task_that_came_later_is_added(capsys: pytest.CaptureFixture[str]) -> None:
    run(f"{FIT} --out model --quiet")
    later = schools(seed=1).assign(score=lambda table: table["score"] + 30).iloc[:8]
    later.drop(columns="school").to_csv("later.csv", index=False)
    assert run("add-task model later.csv --name annexe --out larger") == 0
    assert capsys.readouterr().out == "annexe: added, from 8 rows\n"
    added = load_model("larger").predict(later.assign(school="annexe"))["predicted score"]
    before = load_model("model").predict(later.assign(school="annexe"))["predicted score"]
    assert (added > before + 5).all()
    assert run("inspect larger") == 0
    assert "annexe was added later, from 8 rows" in capsys.readouterr().out
    assert run("add-task larger later.csv --name annexe") == 2
    assert "has these tasks already: 'annexe'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("predict nowhere new.csv", "there is no folder nowhere, so no model"),
        ("predict model nothing.csv", "no such file: nothing.csv"),
        ("predict model new.csv --out told.doc", "must end in .csv, .tsv, .jsonl, .parquet"),
        ("predict model new.csv --keep name", "lacks the column(s) 'name'"),
        ("predict model new.csv --level 90", "--level: between 0 and 1, such as 0.9, got 90.0"),
        ("predict model bare.csv", "lacks the column(s) 'school', 'age'"),
        ("evaluate model bare.csv", "lacks the column(s) 'school', 'age'"),
        ("evaluate model new.csv --metric accuracy", "'accuracy' does not apply to regression"),
        (f"{FIT} --out . --drop age", "holds no model; choose another folder"),
        (f"{FIT} --out m --option ridge.a=1", "of ridge, but the method is pooled-ridge"),
        (f"{FIT} --out m --steps 0", "--steps: input should be greater than 0"),
        (f"{FIT}x --out m", "--method: no method 'pooled-ridgex', did you mean pooled-ridge"),
        (f"{FIT}", "--out"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(f"{FIT} --out model --quiet")
    schools()[["home", "score"]].to_csv("bare.csv", index=False)
    assert run(line) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_a_comparison_tells_programs_and_keeps_its_best(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "compare pupils.csv --task school --target score --drop passed grade"
    line += " --methods ridge pooled-ridge --seeds 2 --steps 5 --workers 0 --out found"
    assert run(f"{line} --keep best --json") == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["method"] for row in told["leaderboard"]} >= {"ridge", "pooled-ridge"}
    assert load_model("found/model").method.name in ("ridge", "pooled-ridge", "independent")
    assert Path("found/summary.md").read_text().startswith("# Learning together or apart")
    assert run(f"{line} --quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run(f"{line} --keep pooled-rigde") == 2
    assert "did you mean pooled-ridge" in capsys.readouterr().err


def test_the_file_of_a_comparison_serves_a_model() -> None:
    options = 'task = ["school"]\ntarget = ["score"]\ndrop = ["passed", "grade"]\nseeds = 3\n'
    write_text(Path("config.toml"), options + 'methods = ["tied"]\n')
    assert run("fit pupils.csv --config config.toml --method ridge --out model --quiet") == 0
    assert load_model("model").method.name == "ridge"
