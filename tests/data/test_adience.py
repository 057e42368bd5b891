"""Adience: its folds, and what its ages mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from softshare.data import (
    adience,
)
from tests.data.made_files import (
    FACES,
    encoded,
    written,
)

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("(25, 32)", "25-32"),
        ("(25, 23)", "25-32"),
        ("(38, 48)", "38-43"),
        ("(8, 12)", "8-13"),
        ("35", None),
        ("2", "0-2"),
        ("None", None),
    ],
)
def test_ages_belong_to_a_group_or_to_none(text: str, group: str | None) -> None:
    assert adience.age_group(text) == group


def test_adience_folds_give_the_test_set(made_folder: Path, monkeypatch: Patch) -> None:
    faces = [("(0, 2)", "f"), ("(4, 6)", "m"), ("(60, 100)", "u"), ("35", "f"), ("(8, 12)", "")]
    files = []
    for fold, file in enumerate(adience.FOLDS):
        rows = []
        for face, (age, gender) in enumerate(faces):
            rows.append(f"u{fold}\ti{face}.jpg\t{face}\t{age}\t{gender}{chr(9) * 7}\n")
        files.append(written(made_folder, file, (FACES + "".join(rows)).encode()))
    monkeypatch.setattr(adience, "FOLDS", tuple(files))
    monkeypatch.setattr(adience, "SET", replace(adience.SET, files=(*files, adience.IMAGES)))
    faces = adience.labels()
    assert faces["fold"].tolist() == [fold for fold in range(5) for _ in range(5)]
    with pytest.raises(FileNotFoundError, match="adience: adience/aligned not found"):
        adience.load()
    for face in faces.itertuples():
        path = (
            made_folder
            / "adience"
            / "aligned"
            / face.person
            / f"landmark_aligned_face.{face.face}.{face.image}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(np.full((8, 8, 3), face.fold, np.uint8)))
    tasks = adience.load(test_fold=3, size=8)
    assert [task.n_outputs for task in tasks.tasks] == [1, 4]
    assert tasks.n_examples.tolist() == [15, 20]
    assert tasks.examples(0)[0][
        tasks.parts[0][tasks.rows[tasks.entries(0)]] == "test"
    ].unique().tolist() == [3]
    path.write_bytes(encoded(np.full((8, 8, 3), 99, np.uint8)))
    assert 99 in adience.load(test_fold=3, size=8).examples(1)[0], (
        "an image that changes is decoded again"
    )
    with pytest.raises(ValueError, match="test_fold: must be 0 to 4, got 5"):
        adience.load(test_fold=5)
    with pytest.raises(ValueError, match="an age must be a number or a range, found 'old'"):
        adience.faces_of((FACES + "u\ti\t1\told\tf" + "\t" * 7 + "\n").encode())


def test_ages_of_adience_are_categories_in_their_order() -> None:
    frame = adience.faces_of((FACES + "u\ti\t1\t(8, 12)\tf" + "\t" * 7 + "\n").encode())
    assert isinstance(frame["age"].dtype, pd.CategoricalDtype)
    assert frame["age"].cat.categories[:3].tolist() == ["0-2", "4-6", "8-13"]
