"""Office-Caltech10 from small made files: images, published lists, features, damage."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from softshare.data import (
    office_caltech,
    office_caltech_files,
)
from tests.data.damage import check_damage
from tests.data.made_files import (
    RANDOM,
    written,
    zipped,
)

Patch = pytest.MonkeyPatch


def test_office_caltech_images_are_resized_and_labelled(made_office: Path) -> None:
    tasks = office_caltech.load(size=8)
    assert tasks.names == tuple(office_caltech.COUNTS)
    assert tasks.n_examples.tolist() == [20] * 4
    assert tasks.train_fraction_of_all
    for number in range(4):
        inputs, targets = tasks.examples(number)
        assert inputs.shape == (20, 3, 8, 8)
        np.testing.assert_allclose(
            inputs.float().mean(dim=(1, 2, 3)), 20 * targets + number, atol=2
        )


def test_office_caltech_takes_published_lists(made_office: Path, monkeypatch: Patch) -> None:
    lists = {}
    for domain in ("amazon", "c", "dslr", "webcam"):
        kinds = [
            {"backpack": "back_pack", "laptop": "laptop_computer"}.get(kind, kind)
            for kind in office_caltech.CLASSES
        ]
        for part, copy in (("train", 1), ("test", 2)):
            names = [
                f"{place:03}_000{copy}.jpg" if domain == "c" else f"{kind}_frame_000{copy}.jpg"
                for place, kind in enumerate(kinds)
            ]
            lines = [f"/some/where/{domain}/{name} {label}\n" for label, name in enumerate(names)]
            lines = (
                lines * 2 if part == "train" else lines[:-1]
            )  # repeated, and one image in neither list
            file = office_caltech_files.LISTS[f"{domain}/{part}_10"]
            lists[f"{domain}/{part}_10"] = written(
                made_office.parent, file, "".join(lines).encode()
            )
    monkeypatch.setattr(office_caltech, "LISTS", lists)
    tasks = office_caltech.load(percentage=10, size=8)
    assert tasks.n_examples.tolist() == [19] * 4
    assert tasks.notes == ("4 image(s) that the 10 % lists do not name are left out",)
    train, _, test = tasks.split(seed=0, fractions=(0.5, 0.0, 0.5))
    assert train.n_examples.tolist() == [10] * 4
    assert test.n_examples.tolist() == [9] * 4
    with pytest.raises(ValueError, match="percentage: the published lists are of 5, 10 and 20 %"):
        office_caltech.load("surf", percentage=10)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"/a/mug_frame_0001.jpg 8 9", "line 1 is not the path of an image"),
        (b"/a/mug_frame_0001.jpg 7", "an image of mug has the label 7, which is mouse"),
        (b"/a/001_0001.jpg 8", "line 1 is not the path of an image"),
        (b"/a/mug_frame_0001.png 8", "line 1 is not the path of an image"),
    ],
)
def test_lines_of_lists_must_name_an_image_and_its_class(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        office_caltech.listed_names(line, "amazon")


def test_office_caltech_features_must_have_the_published_counts(
    made_folder: Path, monkeypatch: Patch
) -> None:
    monkeypatch.setattr(office_caltech, "COUNTS", dict.fromkeys(office_caltech.COUNTS, (2,) * 10))
    files = {}
    for domain, file in office_caltech_files.FEATURES["surf"].items():
        labels = np.repeat(np.arange(1, 11), 2)[:, None]
        if domain == "webcam":
            labels[0] = 2
        mat = io.BytesIO()
        savemat(mat, {"fts": RANDOM.integers(9, size=(20, 5), dtype=np.uint8), "labels": labels})
        files[domain] = written(made_folder, file, mat.getvalue())
    monkeypatch.setattr(office_caltech, "FEATURES", {"surf": files})
    monkeypatch.setattr(
        office_caltech, "SET", replace(office_caltech.SET, files=tuple(files.values()))
    )
    with pytest.raises(ValueError, match=r"webcam\.mat: its classes must have 2, 2, 2"):
        office_caltech.load("surf")
    monkeypatch.setattr(
        office_caltech,
        "FEATURES",
        {"surf": {domain: files[domain] for domain in ("amazon", "dslr")}},
    )
    tasks = office_caltech.load("surf")
    assert tasks.n_examples.tolist() == [20, 20]
    assert tasks.tasks[1].classes == office_caltech.CLASSES


def test_damaged_zips_of_office_caltech_are_seen(made_office: Path) -> None:
    place = made_office / "images" / "dslr.zip"
    check_damage(place, lambda: office_caltech.load(size=8).examples(2), n=100)


def test_a_damaged_image_is_named_with_its_own_archive(made_office: Path) -> None:
    place = made_office / "images" / "caltech10.zip"
    with zipfile.ZipFile(place) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    name = list(members)[3]
    zipped(place, members | {name: b"no image"})
    with pytest.raises(ValueError, match=rf"^{place}: {name}: not an image in JPEG"):
        office_caltech.load(size=8)
