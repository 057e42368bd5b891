"""Omniglot from small made zips: its tasks, and zips that are not complete."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    omniglot,
)
from tests.data.damage import check_damage
from tests.data.made_files import (
    encoded,
    omniglot_zip,
    zipped,
)

Patch = pytest.MonkeyPatch


def test_omniglot_alphabets_are_tasks_in_a_fixed_order(made_omniglot: Path) -> None:
    tasks = omniglot.load()
    assert sorted(map(str, tasks.names)) == sorted("ACEGIKBDFH")
    assert tasks.names != tuple(sorted(map(str, tasks.names)))
    assert tasks.names == omniglot.load().names
    assert tasks.n_examples.tolist() == [6] * 10
    assert {task.n_outputs for task in tasks.tasks} == {3}
    assert omniglot.load(["H", "A"]).names == ("H", "A")
    with pytest.raises(ValueError, match="alphabets: there is no 'Z'; there are A, B"):
        omniglot.load(["Z"])


def test_omniglot_drawings_have_ink_where_the_paper_is_dark(made_omniglot: Path) -> None:
    tasks = omniglot.load(["C"])  # the second of its zip: characters 4, 5, 6
    inputs, targets = tasks.examples(0)
    assert inputs.shape == (6, 1, 105, 105)
    ink = {
        (int(image.sum(dim=(0, 2)).argmax()), int((image > 0).sum()), int(image.max()))
        for image in inputs
    }
    assert ink == {(row, drawing, 255) for row in (4, 5, 6) for drawing in (1, 2)}
    assert [int(image.sum(dim=(0, 2)).argmax()) - 4 for image in inputs] == targets.tolist()


def test_omniglot_groups_tell_the_characters_of_their_alphabets_apart(
    made_omniglot: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(omniglot, "ALPHABETS_A_GROUP", 2)
    tasks = omniglot.groups()
    assert tasks.names == ("A", "B", "C", "D", "E")
    assert tasks.tasks[0].classes == tuple(
        f"{alphabet} {character:02}" for alphabet in "AB" for character in (1, 2, 3)
    )
    assert tasks.n_examples.tolist() == [12] * 5
    few = omniglot.groups(2)
    assert few.tasks[0].classes == ("A 01", "A 02", "B 01", "B 02")
    assert few.n_examples.tolist() == [8] * 5
    assert few.targets[:8].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("change", ["missing drawing", "missing character", "small", "other"])
def test_omniglot_refuses_zips_that_are_not_complete(made_omniglot: Path, change: str) -> None:
    path = made_omniglot / "images_evaluation.zip"
    if change == "missing drawing":
        omniglot_zip(path, dict.fromkeys("BDFH", 3), 1)
    elif change == "missing character":
        omniglot_zip(path, dict.fromkeys("BDF", 3), 2)
    elif change == "small":
        name = "images_evaluation/A/character{}/0001_{}.png".format
        zipped(
            path,
            {
                name(f"{character:02}", f"{drawing:02}"): encoded(np.zeros((9, 9), bool))
                for character in range(1, 13)
                for drawing in (1, 2)
            },
        )
    else:
        zipped(path, {"a": b""})
    reason = {
        "missing drawing": "has 1 drawings, expected 2",
        "small": "105 by 105 pixels, this one 9 by 9",
    }
    with pytest.raises(
        ValueError,
        match=rf"images_evaluation\.zip: .*{reason.get(change, 'characters, expected 12')}",
    ):
        omniglot.load()


def test_damaged_zips_of_omniglot_are_seen(made_omniglot: Path) -> None:
    path = made_omniglot / "images_evaluation.zip"
    check_damage(
        path,
        lambda: [
            ink for _, ink in sorted(omniglot.drawings_in(path, 12), key=lambda drawing: drawing[0])
        ],
    )
