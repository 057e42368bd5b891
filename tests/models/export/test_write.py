"""Graphs as files: what onnxruntime and PyTorch say, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import onnxruntime
import pytest
import torch

from benchmarks.exported import size_of_many_tasks
from softshare.cli import main
from softshare.models.export import write
from softshare.models.export.inputs import graph_inputs
from softshare.shallow import boosted, boosted_trees
from tests.models.export.graphs import numbers_in
from tests.models.made_tables import model_of, schools

pytest.importorskip("onnxscript")


def test_onnxruntime_says_what_the_model_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightgbm")
    monkeypatch.setattr(boosted, "CANDIDATES", boosted.CANDIDATES[:1])
    monkeypatch.setattr(boosted_trees, "MOST_ROUNDS", 5)
    model = model_of("boosted", "grade")
    model.save(tmp_path / "model")
    path = tmp_path / "made" / "model.onnx"
    with pytest.raises(SystemExit, match="0"):
        main(["export", str(tmp_path / "model"), "--out", str(path), "--json"])
    told = json.loads(capsys.readouterr().out)
    session = onnxruntime.InferenceSession(str(path))
    kept = session.get_modelmeta().custom_metadata_map[write.DESCRIPTION]
    assert json.loads(kept) == {name: value for name, value in told.items() if name != "out"}
    assert [one.name for one in session.get_outputs()] == list(told["outputs"])
    assert {one.name for one in session.get_inputs()} == set(told["inputs"])
    rows = schools(seed=1)
    for n_rows in (1, 7, len(rows)):
        some = rows.head(n_rows)
        given = graph_inputs(model, some, some["school"].tolist())
        (said,) = session.run(None, given)
        np.testing.assert_allclose(said, numbers_in(model.predict(some)), atol=1e-5)
    assert not list(path.parent.glob(".softshare-*"))


def test_pytorch_says_what_the_model_says(tmp_path: Path) -> None:
    model = model_of("tensor-train", "passed", base="none")
    path = model.export(tmp_path / "model.pt2", task="school 1")
    extra = {write.DESCRIPTION: ""}
    module = torch.export.load(path, extra_files=extra).module()
    assert json.loads(extra[write.DESCRIPTION])["tasks"] == ["school 1"]
    rows = schools(seed=1).query("school == 'school 1'")
    given = graph_inputs(model, rows, task="school 1")
    said = module(**{name: torch.from_numpy(values) for name, values in given.items()})
    np.testing.assert_allclose(said.numpy(), numbers_in(model.predict(rows)), atol=1e-5)


def test_ten_thousand_tasks_take_the_room_of_their_numbers(tmp_path: Path) -> None:
    size, numbers, difference = size_of_many_tasks(10_000, tmp_path)
    assert size <= 1.1 * numbers
    assert difference <= 1e-5


def test_formats_and_packages_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = model_of("ridge")
    with pytest.raises(ValueError, match=r"'model.bin' ends with none of its endings"):
        model.export(tmp_path / "model.bin")
    with pytest.raises(ValueError, match="format must be onnx or torch, got 'keras'"):
        model.export(tmp_path / "model.onnx", format="keras")
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'softshare\[export\]'"):
        model.export(tmp_path / "model.onnx")
    model.save(tmp_path / "model")
    for wrong, told in (
        (["--out", str(tmp_path / "a.onnx")], "softshare[export]"),
        (["--out", str(tmp_path / "a.pt2"), "--task", "nowhere"], "no task 'nowhere'"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["export", str(tmp_path / "model"), *wrong])
        assert told in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_graph_of_torch_holds_no_pickle(tmp_path: Path) -> None:
    model_of("ridge").export(tmp_path / "model.pt2")
    with ZipFile(tmp_path / "model.pt2") as archive:
        beginnings = {name: archive.read(name)[:2] for name in archive.namelist()}
    # A pickle begins with its protocol, and what torch.save packs is a zip of some.
    odd = [name for name, begin in beginnings.items() if begin[:1] == b"\x80" or begin == b"PK"]
    weights = [name for name in odd if "/weights/weight_" in name]
    assert odd == weights
