"""CelebA from small made files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    celeba,
)
from tests.data.made_files import (
    encoded,
    written,
)

Patch = pytest.MonkeyPatch


@pytest.fixture
def made_celeba(made_folder: Path, monkeypatch: Patch) -> Path:
    """Nine faces with two attributes."""
    signs = [(1, -1), (-1, -1), (1, 1)] * 3
    attributes = "9\r\nBald Smiling \r\n" + "".join(
        f"{number:06}.jpg {a:2} {b:2}\r\n" for number, (a, b) in enumerate(signs)
    )
    partition = "".join(f"{number:06}.jpg {number // 3}\r\n" for number in range(9))
    monkeypatch.setattr(
        celeba, "ATTRIBUTES", written(made_folder, celeba.ATTRIBUTES, attributes.encode())
    )
    monkeypatch.setattr(
        celeba, "PARTITION", written(made_folder, celeba.PARTITION, partition.encode())
    )
    monkeypatch.setattr(
        celeba,
        "SET",
        replace(celeba.SET, files=(celeba.ATTRIBUTES, celeba.PARTITION, celeba.IMAGES)),
    )
    return made_folder / "celeba"


def test_celeba_attributes_are_known_without_images(made_celeba: Path) -> None:
    has = celeba.labels()
    assert has["Bald"].tolist() == [True, False, True] * 3
    assert has["part"].tolist() == ["train"] * 3 + ["validation"] * 3 + ["test"] * 3
    with pytest.raises(
        FileNotFoundError,
        match=r"celeba: celeba/img_align_celeba not found in .*; get celeba/img_align_celeba "
        r"from https",
    ):
        celeba.load()


def test_celeba_attributes_are_tasks_on_the_same_images(made_celeba: Path) -> None:
    (made_celeba / "img_align_celeba").mkdir()
    for number in range(9):
        (made_celeba / "img_align_celeba" / f"{number:06}.jpg").write_bytes(
            encoded(np.full((22, 18, 3), 9 * number, np.uint8), "JPEG")
        )
    tasks = celeba.load(size=8)
    assert tasks.names == ("Bald", "Smiling")
    assert tasks.one_input
    inputs, targets = tasks.examples(1)
    np.testing.assert_allclose(inputs.float().mean(dim=(1, 2, 3)), 9 * np.arange(9), atol=2)
    assert targets.tolist() == [0, 0, 1] * 3
    assert celeba.load(["Smiling"], size=8).names == ("Smiling",)
    with pytest.raises(
        ValueError, match="attributes: there is no 'Smilng'; did you mean 'Smiling'"
    ):
        celeba.load(["Smilng"], size=8)
    (made_celeba / "img_align_celeba" / "000004.jpg").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"000004\.jpg: not an image"):
        celeba.load(size=8)
