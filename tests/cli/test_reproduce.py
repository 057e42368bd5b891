"""``softshare reproduce``: what it lists, and what it refuses."""

from __future__ import annotations

import json

import pytest

from softshare.cli import main


def leave(*tokens):
    with pytest.raises(SystemExit) as left:
        main(["reproduce", *tokens])
    return left.value.code


def test_the_list_names_every_experiment_with_its_cost_data_and_verdicts(capsys):
    assert leave("--list", "--json") == 0
    found = json.loads(capsys.readouterr().out)["experiments"]
    by_name = {row["name"]: row for row in found}
    row = by_name["dmtrl/table-2"]
    assert row["minutes"] > 0
    assert row["data"] == ["mnist"]
    assert row["protocol"] == "reduced"
    assert len(row["verdicts"]) >= 3


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ([], "name an experiment"),
        (["dmtrl/table-9"], "there is no experiment 'dmtrl/table-9'"),
        (["dmtrl/table-2", "--quick", "--seeds", "0"], "--seeds: must be at least 1"),
        (
            ["dmtrl/table-2", "--quick", "--cases", "x"],
            "--cases: there is no case 'x'; choose from 1-percent",
        ),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tokens, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert leave(*tokens) == 2
    errors = capsys.readouterr().err
    assert told in errors
    assert errors.count("\n") == 1
