"""A model's folder: whole, or refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from softshare.evaluation.records.sealed import seal, unseal
from softshare.models.folder import CARD, MODEL, read_json
from softshare.models.inspection import inspected
from softshare.models.model import load_model
from tests.models.made_tables import model_of, schools


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_of("pooled-ridge").save(tmp_path / "model")


def weights_of(folder: Path) -> Path:
    (found,) = folder.glob("weights-*.safetensors")
    return found


def says_the_same(changed: bytes, content: bytes) -> bool:
    """Whether both are the same JSON, as where the 17th digit of a number is another."""
    try:
        return bool(json.loads(changed) == json.loads(content))
    except ValueError:
        return False


def test_every_byte_that_changes_is_noticed(folder: Path) -> None:
    for path in (folder / MODEL, weights_of(folder)):
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 97)):
            if content[place : place + 1].isspace():
                continue
            changed = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
            if says_the_same(changed, content):
                continue
            path.write_bytes(changed)
            with pytest.raises((ValueError, OSError), match=str(path.name)):
                load_model(folder)
        for size in (0, 1, len(content) // 2, len(content) - 1):
            path.write_bytes(content[:size])
            with pytest.raises(ValueError, match=f"{path.name} is damaged"):
                load_model(folder)
        path.write_bytes(content)
    load_model(folder)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no folder"):
        load_model(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=f"it has no {MODEL}"):
        load_model(tmp_path / "empty")
    weights_of(folder).unlink()
    with pytest.raises(FileNotFoundError, match=r"weights-.* the model is incomplete"):
        load_model(folder)


def test_weights_of_another_model_are_refused(folder: Path, tmp_path: Path) -> None:
    other = model_of("pooled-ridge", "passed").save(tmp_path / "other")
    weights_of(other).rename(weights_of(folder))
    with pytest.raises(ValueError, match="does not fit the digest in its name"):
        load_model(folder)


def changed(folder: Path, **values: object) -> None:
    content = unseal((folder / MODEL).read_bytes())
    (folder / MODEL).write_text(seal({**content, **values}))


def test_newer_formats_and_unknown_methods_are_refused(folder: Path) -> None:
    changed(folder, format=99)
    with pytest.raises(ValueError, match="the format 99 of a newer softshare"):
        load_model(folder)
    changed(folder, format=1, method="voodoo")
    with pytest.raises(ValueError, match="of the method 'voodoo', which is not known"):
        load_model(folder)


@pytest.mark.parametrize("weights", ["../weights-" + 32 * "0" + ".safetensors", "/etc/passwd", ""])
def test_weights_are_read_from_the_folder_alone(folder: Path, weights: str) -> None:
    changed(folder, weights=weights)
    with pytest.raises(ValueError, match="it names no weights beside it"):
        load_model(folder)


def test_a_state_can_hold_nothing_but_what_is_known(folder: Path) -> None:
    learned = unseal((folder / MODEL).read_bytes())["learned"]
    changed(folder, learned={**learned, "kind": "Popen"})
    with pytest.raises(ValueError, match=r"a state of one of .* is needed, got Popen"):
        load_model(folder)
    changed(folder, learned={**learned, "of": {**learned["of"], "predict": 1}})
    with pytest.raises(ValueError, match="damaged, or not what it says"):
        load_model(folder)


def test_a_model_that_predicts_otherwise_than_it_did_is_refused(folder: Path) -> None:
    content = unseal((folder / MODEL).read_bytes())
    coefficients = content["learned"]["of"]["coef_"]
    changed(folder, learned={**content["learned"], "of": {**content["learned"]["of"],
            "intercept_": coefficients}})  # fmt: skip
    with pytest.raises(ValueError, match="damaged, or not what it says"):
        load_model(folder)


def test_json_of_another_form_is_refused_by_its_place(folder: Path) -> None:
    facts = unseal((folder / MODEL).read_bytes())["facts"]
    changed(folder, facts={**facts, "measures": [{"task": 3}]})
    with pytest.raises(ValueError, match=r"facts.measures.0.task cannot be read .* places more"):
        load_model(folder)


def test_what_a_schema_lets_be_absent_is_no_obstacle(folder: Path) -> None:
    facts = unseal((folder / MODEL).read_bytes())["facts"]
    sharing = {name: told for name, told in facts["sharing"].items() if name != "task_correlation"}
    changed(folder, facts={**facts, "sharing": sharing})
    assert inspected(read_json(folder))["task_correlation"] is None


def test_a_model_written_over_another_replaces_it(folder: Path) -> None:
    other = model_of("ridge")
    other.save(folder)
    assert len(list(folder.glob("weights-*"))) == 1
    table = schools(seed=1)
    pd.testing.assert_frame_equal(load_model(folder).predict(table), other.predict(table))


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match="holds no model; choose another folder"):
        model_of("ridge").save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_stopped_learning_keeps_is_no_obstacle_and_goes(tmp_path: Path) -> None:
    out = tmp_path / "model"
    (out / "unfinished" / "tied-f1-s0").mkdir(parents=True)
    model = model_of("tied", base="none", checkpoint=out)
    assert list(out.iterdir()) == []
    model.save(out)
    load_model(out)


def test_the_card_tells_what_people_ask(folder: Path) -> None:
    text = (folder / CARD).read_text()
    assert text.startswith("---\nlibrary_name: softshare\n")
    assert "It predicts score of every row's school." in text
    assert "| school 0 | 12 | rmse |" in text
    assert json.loads((folder / MODEL).read_text())["format"] == 1
