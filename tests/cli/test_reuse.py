"""A run is taken up only where the very same run is asked for, whatever option was changed."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from inspect import signature

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from softshare.cli import comparing
from softshare.cli.compare import Compared, Data, Running, Training
from softshare.evaluation.compare import compare
from tests.evaluation import stub_run

OPTIONS = {name: part for part in (Data, Compared, Training) for name in part.__annotations__}

TABLE = {"task": ("place",), "target": ("y",), "drop": ("identifier",), "drop_small_tasks": True}
FOLDER = {"skip_broken": True}
WORKBOOK = {**TABLE, "sheet": "one"}

CHANGED = {
    "tasks": 2,
    "task": ("district",),
    "target": ("z",),
    "kind": ("regression",),
    "drop": ("x",),
    "split": "part",
    "group": "person",
    "weight": "person",
    "drop_small_tasks": False,
    "image_size": 3,
    "skip_broken": False,
    "sheet": "two",
    "columns": ("v=drop",),
    "positive": "0",
    "na": ("3",),
    "decimal": ".",
    "sep": ",",
    "encoding": "latin-1",
    "methods": ("tied",),
    "train_fraction": (0.5,),
    "seeds": 3,
    "metric": "accuracy",
    "class_weight": "balanced",
    "task_weight": "examples",
    "search": 2,
    "option": ("tucker.ranks=0.5",),
    "steps": 7,
    "hidden": (3,),
    "batch_size": 5,
    "learning_rate": 0.5,
    "weight_decay": 0.5,
    "dropout": 0.5,
    "base": "none",
    "preset": "quick",
    "time_limit": 5.0,
}
"""Option → another value than it has by default, or than the first comparison gives it."""

OTHER_SOURCES = {
    "image_size": ("folder", FOLDER),
    "skip_broken": ("folder", FOLDER),
    "sheet": ("workbook", WORKBOOK),
    "preset": ("table", {**TABLE, "methods": ("auto",)}),
    "time_limit": ("table", {**TABLE, "methods": ("auto",)}),
}
"""Options that go with something else than a table → with what, and how that is read first."""

NEUTRAL = {
    *("workers", "cluster", "tls_ca_file", "tls_cert", "tls_key", "out", "keep", "progress"),
    *("source", "reading"),
}
"""Arguments of ``compare`` that change no run: where it runs, and what the data are called."""

CALLED_OTHERWISE = {"fractions": "train_fraction", "options": "option"}


@pytest.fixture
def table(tmp_path):
    random = np.random.default_rng(0)
    rows = np.arange(120)
    frame = pd.DataFrame(
        {
            "x": random.normal(size=120),
            "v": random.normal(size=120),
            "place": np.array(["north", "south", "west"])[rows % 3],
            "district": np.array(["a", "b"])[rows // 3 % 2],
            "y": random.permutation(rows % 2),
            "z": random.permutation(rows % 2),
            "part": np.array(["train", "train", "test", "train", "test"])[rows // 3 % 5],
            "person": rows // 4,
            "identifier": rows,
        }
    )
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def workbook(table, tmp_path):
    pytest.importorskip("openpyxl")
    frame = pd.read_csv(table)
    path = tmp_path / "table.xlsx"
    with pd.ExcelWriter(path) as writer:
        frame.to_excel(writer, sheet_name="one", index=False)
        frame.assign(x=frame["x"] + 1).to_excel(writer, sheet_name="two", index=False)
    return path


@pytest.fixture
def folder(tmp_path):
    for task in "ab":
        for label in ("no", "yes"):
            inner = tmp_path / "images" / task / label
            inner.mkdir(parents=True)
            for number in range(8):
                Image.new("L", (4, 4), number).save(inner / f"{number}.png")
    (tmp_path / "images" / "a" / "no" / "broken.png").write_bytes(b"none")
    return tmp_path / "images"


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """Runs the command's comparison without training or report; gives its records by key."""
    monkeypatch.setattr("softshare.evaluation.compare.run", stub_run.run)
    monkeypatch.setattr(comparing, "write_report", lambda out, **_: out / "report.html")
    monkeypatch.setattr(comparing, "markdown_of", lambda findings: "")
    monkeypatch.setattr(comparing, "show", lambda *_: None)
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / "cache"))

    def made(source, out, given):
        parts = []
        for part in (Data, Compared, Training):
            own = {name: value for name, value in given.items() if OPTIONS[name] is part}
            parts.append(part(**own))
        comparing.run(str(source), *parts, Running(workers=0, out=out))
        records = [json.loads(path.read_text()) for path in (out / "records").iterdir()]
        return {record["key"]: record for record in records}

    return made


def test_no_option_is_forgotten():
    assert set(OPTIONS) == {name for part in (Data, Compared, Training) for name in _names(part)}
    assert set(CHANGED) == set(OPTIONS), "say above what another value of the new option is"
    assert set(asdict(Running())) <= NEUTRAL
    arguments = set(signature(compare).parameters) - {"tasks"} - NEUTRAL
    assert {CALLED_OTHERWISE.get(name, name) for name in arguments} <= set(CHANGED)


@pytest.mark.parametrize("option", CHANGED)
def test_a_changed_option_never_takes_up_a_run_of_the_other(option, request, compared, tmp_path):
    if option == "search":
        pytest.importorskip("optuna")
    name, fixed = OTHER_SOURCES.get(option, ("table", TABLE))
    source = request.getfixturevalue(name)
    first = {"methods": ("tucker",), "seeds": 2, **fixed}
    second = {**first, option: CHANGED[option]}
    before = compared(source, tmp_path / "one", first)
    try:
        fresh = compared(source, tmp_path / "other", second)
        found = compared(source, tmp_path / "one", second)
    except ValueError as error:
        refusal = str(error)
        assert "holds records of other settings" in refusal or option == "skip_broken"
        return
    # what was taken up is what the changed options give in a folder of their own
    for key, record in fresh.items():
        assert _without_reading(found[key]) == _without_reading(record)
    assert set(before) <= set(found)


def _without_reading(record):
    """What a run is, whatever the options were called by which the same data were read."""
    return {name: value for name, value in record.items() if name not in ("reading", "digest")}


def _names(part):
    return [field.name for field in fields(part)]


def test_a_file_is_the_same_data_whatever_leads_to_it(table, compared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = {"methods": ("tied",), "seeds": 1, **TABLE}
    before = compared("table.csv", tmp_path / "one", first)
    assert compared("./table.csv", tmp_path / "one", first) == before
    assert compared(table, tmp_path / "one", {**first, "seeds": 2}).keys() > before.keys()
