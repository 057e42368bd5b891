"""ImageCLEF-DA: its lists, and images of two classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    imageclef_da,
)
from softshare.tasks.splits import split
from tests.data.made_files import (
    encoded,
    written,
    zipped,
)

Patch = pytest.MonkeyPatch


def test_imageclef_lists_name_fifty_images_a_class() -> None:
    lines = [f"p/{number:04}.jpg {number % 12}\n" for number in range(600)]
    names, classes = imageclef_da.image_list("".join(lines).encode(), "p")
    assert names[13] == "p/0013.jpg"
    assert np.bincount(classes).tolist() == [50] * 12
    for wrong, reason in (
        ("p/0001.jpg 2", "50 images"),
        ("p/0001.jpg 12", "line 2"),
        ("c/0001.jpg 1", "line 2"),
        ("p/0001.jpg", "line 2"),
    ):
        with pytest.raises(ValueError, match=reason):
            imageclef_da.image_list("".join([lines[0], f"{wrong}\n", *lines[2:]]).encode(), "p")


def test_imageclef_needs_its_images(made_folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr(imageclef_da, "N_EACH", 1)
    lists = {}
    for domain, file in imageclef_da.LISTS.items():
        letter = imageclef_da.DOMAINS[domain]
        lists[domain] = written(
            made_folder,
            file,
            "".join(f"{letter}/{number}.jpg {number}\n" for number in range(12)).encode(),
        )
    monkeypatch.setattr(imageclef_da, "LISTS", lists)
    assert list(imageclef_da.labels()) == list(imageclef_da.DOMAINS)
    with pytest.raises(
        FileNotFoundError, match=r"imageclef-da: imageclef_da/images not found in .*put them there"
    ):
        imageclef_da.load()
    names = [name for names, _ in imageclef_da.labels().values() for name in names]
    archive = zipped(
        made_folder / "imageclef_da" / "images.zip",
        {f"images/{name}": encoded(np.full((4, 5, 3), 7, np.uint8)) for name in names},
    )
    tasks = imageclef_da.load(size=4)
    assert tasks.n_examples.tolist() == [12] * 4
    assert tasks.examples(0)[0].unique().tolist() == [7]
    zipped(
        archive, {f"images/{name}": encoded(np.zeros((4, 5, 3), np.uint8)) for name in names[:-1]}
    )
    with pytest.raises(ValueError, match=r"images\.zip: p/11\.jpg is not in the archive"):
        imageclef_da.load(size=4)


def test_an_imageclef_image_of_two_classes_stays_in_one_part(
    made_folder: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(imageclef_da, "N_EACH", 5)
    images = [
        (f"both{number // 2}" if place == 0 else f"{number}_{place}", number)
        for number in range(12)
        for place in range(5)
    ]
    for domain, file in imageclef_da.LISTS.items():
        lines = [f"{imageclef_da.DOMAINS[domain]}/{name}.jpg {number}\n" for name, number in images]
        monkeypatch.setitem(
            imageclef_da.LISTS, domain, written(made_folder, file, "".join(lines).encode())
        )
    names = [name for names, _ in imageclef_da.labels().values() for name in names]
    zipped(
        made_folder / "imageclef_da" / "images.zip",
        {name: encoded(np.full((4, 5, 3), 7, np.uint8)) for name in set(names)},
    )
    tasks = imageclef_da.load(size=4)
    for seed in range(5):
        divided = split(tasks, seed=seed, train_fraction=0.4)
        parts = [
            {names[row] for row in tasks.rows[entries]}
            for entries in (divided.train, divided.validation, divided.test)
        ]
        assert sum(map(len, parts)) == len(set().union(*parts)) == 4 * 54
