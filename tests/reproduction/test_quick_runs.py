"""Every experiment runs on tiny data: records, table and figures are there."""

from __future__ import annotations

import csv

import pytest

from softshare.reproduction.found import experiment_names, read_experiment
from softshare.reproduction.records import RECORDS, TRIALS, read_records
from softshare.reproduction.results import Results
from softshare.reproduction.running import run_missing
from softshare.reproduction.written import CSV, TABLE, files_of, write_files

MOST_BYTES = 8_000
"""Of a record: they are committed by hundreds."""


@pytest.mark.parametrize("name", experiment_names())
def test_a_quick_run(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SOFTSHARE_DATA", str(tmp_path / "no data"))
    experiment = read_experiment(name, quick=True)
    assert run_missing(experiment, tmp_path, workers=0, progress=False) == {}
    records = read_records(tmp_path / RECORDS)
    wanted = sum(case.seeds * len(experiment.those_of(case)) for case in experiment.cases)
    assert len(records) == wanted
    assert all(record["is_quick"] and not record["claims"] for record in records)
    assert max(path.stat().st_size for path in tmp_path.rglob("*.json")) < MOST_BYTES
    for record in read_records(tmp_path / TRIALS):
        assert record["data"]["examples"]["test"] == 0
    results = Results(experiment, records)
    write_files(tmp_path, files_of(results, {}))
    rows = list(csv.DictReader((tmp_path / CSV).read_text(encoding="utf-8").splitlines()))
    assert {row["case"] for row in rows} == {case.name for case in experiment.cases}
    assert "A quick run" in (tmp_path / TABLE).read_text(encoding="utf-8")
    assert experiment.drawings
    for drawing in experiment.drawings:
        assert "<svg" in (tmp_path / f"{drawing.name}.svg").read_text(encoding="utf-8")
