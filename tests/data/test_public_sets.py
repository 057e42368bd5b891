"""The public sets, read from small made files: what becomes of them, and of damaged ones."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import re
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.io import savemat

from softshare import cli
from softshare.data import (
    adience,
    celeba,
    cifar10,
    imageclef_da,
    images,
    mnist,
    office_caltech,
    office_caltech_files,
    omniglot,
    uci,
)
from softshare.data.archives import naming
from softshare.data.public import PublicFile
from softshare.data.terminal import with_files
from softshare.tasks.splits import split
from tests.data.damage import attempt, damaged
from tests.data.made_files import RANDOM, encoded, idx, omniglot_zip, written, zipped

Patch = pytest.MonkeyPatch


@pytest.fixture
def made_mnist(made_folder: Path, monkeypatch: Patch) -> np.ndarray:
    """90 training and 20 test images; gives the digits of all."""
    digits = np.concatenate([np.arange(90) % 10, np.arange(20) % 10]).astype(np.uint8)
    pictures = RANDOM.integers(256, size=(110, 28, 28), dtype=np.uint8)
    contents = [pictures[:90], digits[:90], pictures[90:], digits[90:]]
    files = tuple(
        replace(
            written(made_folder, replace(file, path=f"{file.path}.gz"), idx(content)),
            path=file.path,
        )
        for file, content in zip(mnist.SET.files, contents, strict=True)
    )
    monkeypatch.setattr(mnist, "SET", replace(mnist.SET, files=files))
    return digits


def test_mnist_is_ten_tasks_and_keeps_its_test_set(made_mnist: np.ndarray) -> None:
    tasks = mnist.load()
    assert tasks.one_input
    assert [task.kind for task in tasks.tasks] == ["binary"] * 10
    for digit in range(10):
        np.testing.assert_array_equal(tasks.examples(digit)[1], made_mnist == digit)
    assert tasks.parts[0].tolist() == ["train"] * 90 + ["test"] * 20
    assert tasks.split(seed=0)[2].rows.tolist() == list(range(90, 110)) * 10


def test_mnist_odd_and_even_share_no_image(made_mnist: np.ndarray) -> None:
    tasks = mnist.odd_even()
    assert [task.classes for task in tasks.tasks] == [
        ("1", "3", "5", "7", "9"),
        ("0", "2", "4", "6", "8"),
    ]
    assert not tasks.one_input
    for number, rest in enumerate((1, 0)):
        own = tasks.entries(number)
        np.testing.assert_array_equal(tasks.targets[own] * 2 + rest, made_mnist[tasks.rows[own]])


def test_mnist_pairs_are_drawn_with_replacement(made_mnist: np.ndarray) -> None:
    tasks = mnist.digit_pairs(60, seed=1)
    assert len(set(tasks.names)) == 60
    assert any(str(name).endswith("(2)") for name in tasks.names), (
        "60 draws of 45 pairs repeat some"
    )
    assert mnist.digit_pairs(10, seed=1).names == tasks.names[:10]
    for number, name in enumerate(tasks.names):
        low, high = map(int, re.findall(r"\d", str(name))[:2])
        own = tasks.entries(number)
        np.testing.assert_array_equal(
            made_mnist[tasks.rows[own]], np.where(tasks.targets[own] == 1, high, low)
        )


def test_mnist_brightness_keeps_the_units_of_coordinates_and_pixels(made_mnist: np.ndarray) -> None:
    tasks = mnist.brightness(3)
    assert tasks.n_examples.tolist() == [784] * 3
    assert tasks.one_input
    train, _, _ = tasks.split(seed=0)
    inputs, targets = train.examples(0)
    assert 0 <= inputs.min() < inputs.max() <= 1
    assert 0 <= targets.min() < targets.max() <= 1
    assert tasks.examples(2)[0][28 * 3 + 5].tolist() == pytest.approx([3 / 27, 5 / 27])


@pytest.fixture
def made_omniglot(made_folder: Path, monkeypatch: Patch) -> Path:
    """Ten alphabets of three characters, two drawings each."""
    monkeypatch.setattr(
        omniglot, "N_CHARACTERS", {"images_background.zip": 18, "images_evaluation.zip": 12}
    )
    monkeypatch.setattr(omniglot, "N_DRAWINGS", 2)
    omniglot_zip(made_folder / "omniglot" / "images_background.zip", dict.fromkeys("ACEGIK", 3), 2)
    omniglot_zip(made_folder / "omniglot" / "images_evaluation.zip", dict.fromkeys("BDFH", 3), 2)
    return made_folder / "omniglot"


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


PUBLIC_BATCH = {b"batch_label": b"", b"filenames": [b"a.png"] * 12}


def batch(n: int = 12) -> bytes:
    labels = [number % 10 for number in range(n)]
    pixels = np.repeat(np.arange(n, dtype=np.uint8)[:, None], 3072, axis=1)
    return pickle.dumps({b"data": pixels, b"labels": labels, **PUBLIC_BATCH}, protocol=2)


def pairs_of_pairs(depth: int) -> list[Any]:
    """A list that holds one list twice, which holds one twice, …"""
    pair: list[Any] = [1]
    for _ in range(depth):
        pair = [pair, pair]
    return pair


@pytest.fixture
def made_cifar10(made_folder: Path, monkeypatch: Patch) -> Path:
    """A training and a test batch of 12 images."""
    monkeypatch.setattr(cifar10, "N_TEST", 12)
    folder = made_folder / "cifar10" / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    for name in ("data_batch_1", "test_batch"):
        (folder / name).write_bytes(batch())
    monkeypatch.setattr(
        cifar10, "BATCHES", dict.fromkeys(cifar10.BATCHES, (hashlib.md5(batch()).hexdigest(),))
    )
    return folder


def test_cifar10_batches_must_be_the_published_ones(made_cifar10: Path, monkeypatch: Patch) -> None:
    for place in made_cifar10.iterdir():
        place.write_bytes(pickle.dumps(pickle.loads(place.read_bytes()), protocol=4))
    with pytest.raises(
        ValueError,
        match=r"data_batch_1: it is neither the published batch nor built of the published images",
    ):
        cifar10.load()
    built = cifar10.batch_of("data_batch_1", batch())
    digest = hashlib.sha256(built.images.tobytes() + bytes(built.labels.tolist())).hexdigest()
    monkeypatch.setattr(cifar10, "BATCHES", dict.fromkeys(cifar10.BATCHES, (digest,)))
    assert len(cifar10.load()) == 3


@pytest.fixture
def made_sheets(made_folder: Path, monkeypatch: Patch) -> Path:
    """A training and a test sheet of four images; another training sheet is not there."""
    monkeypatch.setattr(cifar10, "_TILES", 2)
    monkeypatch.setattr(cifar10, "N_TEST", 4)
    index = "file,row,label,filename\n" + "".join(
        f"{name}.webp,{row},{2 + row},a.png\n" for name in cifar10._SHEETS for row in range(4)
    )
    monkeypatch.setattr(cifar10, "_INDEX", written(made_folder, cifar10._INDEX, index.encode()))
    pixels = np.arange(4, dtype=np.uint8).reshape(2, 2).repeat(32, 0).repeat(32, 1)
    sheet = encoded(np.stack([pixels] * 3, -1), "WEBP", lossless=True)
    for name in ("train_1", "test"):
        monkeypatch.setitem(
            cifar10._SHEETS, name, written(made_folder, cifar10._SHEETS[name], sheet)
        )
    (made_folder / "cifar10" / "index.csv").rename(made_folder / "cifar10" / "index.csv.gz")
    (made_folder / "cifar10" / "index.csv.gz").write_bytes(gzip.compress(index.encode()))
    return made_folder / "cifar10"


def test_cifar10_is_read_from_the_sheets_that_are_there(made_sheets: Path) -> None:
    tasks = cifar10.load()
    assert tasks.notes == ("4 of the 50,000 training images are there",)
    inputs, targets = tasks.examples(2)
    assert inputs[:, 0, 0, 0].tolist() == [0, 0]
    assert [tasks.tasks[2].classes[int(target)] for target in targets] == ["bird", "bird"]
    (made_sheets / "train_1.webp").unlink()
    assert cifar10.SET.missing
    with pytest.raises(
        FileNotFoundError, match=r"cifar10: cifar10/cifar-10-python\.tar\.gz not found"
    ):
        cifar10.load()


def test_cifar10_is_three_groups_of_classes(made_cifar10: Path) -> None:
    tasks = cifar10.load()
    assert [task.n_outputs for task in tasks.tasks] == [4, 4, 1]
    assert tasks.n_examples.tolist() == [12, 8, 4]
    labels = np.tile(np.arange(12) % 10, 2)
    for number, task in enumerate(tasks.tasks):
        own = tasks.entries(number)
        found = [task.classes[int(target)] for target in tasks.targets[own]]
        assert found == [cifar10.CLASSES[label] for label in labels[tasks.rows[own]]]
    assert tasks.parts[0].tolist() == ["train"] * 12 + ["test"] * 12
    assert tasks.notes == ("12 of the 50,000 training images are there",)


def test_cifar10_is_seen_in_several_forms(made_cifar10: Path) -> None:
    tasks = cifar10.load(["gray", "16x32", "8x8"])
    assert [tasks.input_shape(number) for number in range(3)] == [
        (1, 32, 32),
        (3, 16, 32),
        (3, 8, 8),
    ]
    for number in range(3):
        inputs, _ = tasks.examples(number)
        np.testing.assert_array_equal(inputs[:, 0, 0, 0], tasks.rows[tasks.entries(number)] % 12)
    assert len(cifar10.load(["rgb", "gray", "rgb"]).sources) == 2
    for wrong in ("blue", "0x8", "5x8", "64x64"):
        with pytest.raises(ValueError, match=f"views: '{wrong}' is none of rgb, gray"):
            cifar10.load([wrong, "rgb", "rgb"])
    with pytest.raises(ValueError, match="views: give one for each of the 3 tasks"):
        cifar10.load(["rgb"])


def test_blocks_of_pixels_become_their_mean_and_gray_its_luma() -> None:
    pixels = RANDOM.integers(256, size=(3, 3, 32, 32), dtype=np.uint8)
    halved = cifar10.transformed(pixels, (3, 2, 1))
    np.testing.assert_array_equal(
        halved, np.rint((pixels[:, :, ::2].astype(float) + pixels[:, :, 1::2]) / 2)
    )
    gray = cifar10.transformed(pixels, (1, 1, 1))[:, 0]
    np.testing.assert_allclose(
        gray, 0.299 * pixels[:, 0] + 0.587 * pixels[:, 1] + 0.114 * pixels[:, 2], atol=0.51
    )


def test_cifar10_is_read_from_the_public_archive_too(
    made_folder: Path, made_cifar10: Path, monkeypatch: Patch
) -> None:
    expected = cifar10.load().fingerprint()
    archive = made_folder / "cifar10" / "cifar-10-python.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(made_cifar10, "cifar-10-batches-py")
    for path in made_cifar10.iterdir():
        path.unlink()
    with pytest.raises(
        ValueError, match=r"cifar-10-python\.tar\.gz: its content differs from the published file"
    ):
        cifar10.load()
    download = f"md5:{hashlib.md5(archive.read_bytes()).hexdigest()}"
    monkeypatch.setattr(
        cifar10,
        "SET",
        replace(cifar10.SET, files=(replace(cifar10.SET.files[0], download=download),)),
    )
    assert cifar10.load().fingerprint() == expected


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({}, "'data' must be bytes"),
        ({b"data": np.zeros((2, 3072))}, "'data' must be bytes"),
        ({b"data": np.zeros((2, 3071), np.uint8)}, "'data' must be bytes"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]}, "'labels' must be 2 numbers"),
        (
            {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 10]},
            "'labels' must be 2 numbers",
        ),
        (
            {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, "2"]},
            "'labels' must be 2 numbers",
        ),
        (
            {b"data": np.zeros((2, 3072), np.uint8), b"labels": pairs_of_pairs(60)},
            "'labels' must be 2 numbers",
        ),
    ],
)
def test_a_batch_must_be_images_and_labels(entries: dict[bytes, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cifar10.batch_of("test_batch", pickle.dumps(entries, protocol=2))


def test_uci_rows_are_read_by_their_layout() -> None:
    features, classes = uci.rows_of(b"7,A,1,?\n8,B,-2.5,.5\n\n", 2, class_at=1, leading=2)
    np.testing.assert_array_equal(features, [[1, np.nan], [-2.5, 0.5]])
    assert classes.tolist() == ["A", "B"]
    features, classes = uci.rows_of(b"  name 1 2  x\n", 2, separator=None, leading=1)
    assert (features.tolist(), classes.tolist()) == ([[1, 2]], ["x"])
    with pytest.raises(ValueError, match="row 2 has 3 fields, expected 4"):
        uci.rows_of(b"7,A,1,2\n7,A,1\n", 2, class_at=1, leading=2)
    with pytest.raises(ValueError, match="could not convert string to float: 'x'"):
        uci.rows_of(b"x,1\n", 1)


@pytest.fixture
def made_office(made_folder: Path, monkeypatch: Patch) -> Path:
    """Four domains of ten classes with 2 images each, 12×9, and features of one domain."""
    counts = dict.fromkeys(office_caltech.COUNTS, (2,) * 10)
    monkeypatch.setattr(office_caltech, "COUNTS", counts)
    for number, (domain, file) in enumerate(office_caltech_files.IMAGES.items()):
        name = "{0}_000{1}.jpg".format if domain == "caltech10" else "frame_000{1}.jpg".format
        members = {
            f"{domain}/{kind}/{name(f'{place:03}', copy)}": encoded(
                np.full((9, 12, 3), 20 * place + number, np.uint8), "JPEG", quality=95
            )
            for place, kind in enumerate(office_caltech.CLASSES)
            for copy in (1, 2)
        }
        zipped(made_folder / file.path, members)
    return made_folder / "office_caltech10"


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


FACES = "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\tdx\tdy\ttilt_ang\tfiducial_yaw_angle\tfiducial_score\n"


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
    files = []
    for fold, file in enumerate(adience.FOLDS):
        rows = [f"u{fold}\ti{face}.jpg\t{face}\t{age}\t{gender}{chr(9) * 7}\n" for face, (age, gender) in enumerate(
            [("(0, 2)", "f"), ("(4, 6)", "m"), ("(60, 100)", "u"), ("35", "f"), ("(8, 12)", "")])]  # fmt: skip
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


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_images_of_all_formats_are_decoded_and_resized(kind: str) -> None:
    content = encoded(np.full((20, 30, 3), 99, np.uint8), kind)
    np.testing.assert_allclose(images.pixels_of(content), np.full((20, 30, 3), 99), atol=1)
    assert images.pixels_of(content, mode="L", size=8).shape == (8, 8)


def test_an_image_that_claims_to_be_vast_is_refused(monkeypatch: Patch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 100)
    with pytest.raises(ValueError, match="an image of 11×10 is too large"):
        images.pixels_of(encoded(np.zeros((10, 11), np.uint8)))


PARSERS: dict[str, tuple[Callable[[bytes], Any], Callable[[], bytes]]] = {
    "idx": (mnist.idx_array, lambda: bytes([0, 0, 8, 2, 0, 0, 0, 4, 0, 0, 0, 9]) + bytes(36)),
    "cifar10": (partial(cifar10.batch_of, "data_batch_1"), partial(batch, 2)),
    "uci": (partial(uci.rows_of, n_features=3), lambda: b"1,2,?,a\n" * 9),
    "office list": (
        partial(office_caltech.listed_names, domain="amazon"),
        lambda: b"/a/mug_frame_0001.jpg 8\n/a/bike_frame_0001.jpg 1\n",
    ),
    "imageclef list": (
        partial(imageclef_da.image_list, folder="p"),
        lambda: b"".join(b"p/%04d.jpg %d\n" % (number, number % 12) for number in range(600)),
    ),
    "celeba attributes": (
        celeba.attribute_table,
        lambda: b"3\nBald Smiling\na.jpg 1 -1\nb.jpg -1 -1\nc.jpg 1 1\n",
    ),
    "celeba partition": (celeba.partition_of, lambda: b"a.jpg 0\nb.jpg 1\nc.jpg 2\n"),
    "adience": (
        adience.faces_of,
        lambda: (FACES + ("u\ti.jpg\t1\t(0, 2)\tf" + "\t1" * 7 + "\n") * 4).encode(),
    ),
    "png": (
        images.pixels_of,
        lambda: encoded(RANDOM.integers(256, size=(9, 9, 3), dtype=np.uint8)),
    ),
    "jpeg": (
        images.pixels_of,
        lambda: encoded(RANDOM.integers(256, size=(9, 9, 3), dtype=np.uint8), "JPEG"),
    ),
    "webp": (
        images.pixels_of,
        lambda: encoded(
            RANDOM.integers(256, size=(9, 9, 3), dtype=np.uint8), "WEBP", lossless=True
        ),
    ),
}


@pytest.mark.parametrize("name", PARSERS)
def test_readers_of_damaged_contents_raise_nothing_but_value_errors(name: str) -> None:
    """Where a changed byte leaves a well-formed content, the file's checksum tells
    (``test_public``).
    """
    parse, make = PARSERS[name]

    def read(content: bytes) -> Any:
        with naming(Path("a file")):
            return parse(content)

    read(make())
    refused = sum(bool(attempt(partial(read, copy))[1]) for copy in damaged(make()))
    assert refused > 250, "a good part of the damage must be seen for this test to say anything"


def test_damaged_files_of_mnist_are_seen(made_mnist: np.ndarray, made_folder: Path) -> None:
    check_damage(
        made_folder / "mnist" / "t10k-labels-idx1-ubyte.gz", lambda: mnist.odd_even().examples(1)
    )


def test_damaged_zips_of_omniglot_are_seen(made_omniglot: Path) -> None:
    path = made_omniglot / "images_evaluation.zip"
    check_damage(
        path,
        lambda: [
            ink for _, ink in sorted(omniglot.drawings_in(path, 12), key=lambda drawing: drawing[0])
        ],
    )


def test_damaged_zips_of_office_caltech_are_seen(made_office: Path) -> None:
    check_damage(
        made_office / "images" / "dslr.zip", lambda: office_caltech.load(size=8).examples(2)
    )


def test_a_damaged_image_is_named_with_its_own_archive(made_office: Path) -> None:
    place = made_office / "images" / "caltech10.zip"
    with zipfile.ZipFile(place) as archive:
        members = {member.filename: archive.read(member) for member in archive.infolist()}
    name = list(members)[3]
    zipped(place, members | {name: b"no image"})
    with pytest.raises(ValueError, match=rf"^{place}: {name}: not an image in JPEG"):
        office_caltech.load(size=8)


def check_damage(place: Path, read: Callable[[], Sequence[Any]]) -> None:
    """Every damaged copy is an error that names the file, or is read as the whole one is; no other
    file comes or goes.
    """

    def others() -> set[Path]:
        home = place.parents[2]
        return {
            path
            for path in home.rglob("*")
            if path.is_file() and path.relative_to(home).parts[0] != "cache"
        }

    expected, before = read(), others()
    for copy in damaged(place.read_bytes()):
        place.write_bytes(copy)
        found, error = attempt(read)
        if error:
            assert error.startswith(f"{place}: ")
            assert error.count(str(place.parents[1])) == 1, "one file is named, and once"
        else:
            np.testing.assert_equal(
                [np.asarray(part) for part in found], [np.asarray(part) for part in expected]
            )
    assert others() == before


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + bytes(50)])
def test_the_command_line_tells_damage_in_one_line(
    made_omniglot: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (made_omniglot / "images_background.zip").write_bytes(content)
    with pytest.raises(SystemExit) as left:
        cli.main(["compare", "omniglot", "--workers", "0"])
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"softshare: \S*images_background\.zip: .+\n", err)


@pytest.fixture
def made_tar(made_cifar10: Path, monkeypatch: Patch) -> Path:
    """The batches as their public archive, whose checksum is never what a test finds fault with."""
    place = made_cifar10.with_name("cifar-10-python.tar.gz")
    with tarfile.open(place, "w:gz") as tar:
        tar.add(made_cifar10, "cifar-10-batches-py")
    monkeypatch.setattr(PublicFile, "check", lambda _: None)
    return place


@pytest.mark.parametrize("damage", ["empty", "half", "foreign", "other type"])
@pytest.mark.parametrize(
    ("made", "source", "path"),
    [
        ("made_mnist", "mnist-odd-even", "mnist/train-images-idx3-ubyte.gz"),
        ("made_cifar10", "cifar10", "cifar10/cifar-10-batches-py/test_batch"),
        ("made_tar", "cifar10", "cifar10/cifar-10-python.tar.gz"),
        ("made_office", "office-caltech", "office_caltech10/images/webcam.zip"),
    ],
)
def test_the_command_line_tells_damage_to_any_kind_of_file_in_one_line(
    made: str,
    source: str,
    path: str,
    damage: str,
    made_folder: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    request.getfixturevalue(made)
    place = made_folder / path
    whole = place.read_bytes()
    contents = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "foreign": b"no such file",
        "other type": pickle.dumps(Fraction(1, 2)),
    }
    place.write_bytes(contents[damage])
    with pytest.raises(SystemExit) as left:
        cli.main(["compare", source, "--workers", "0"])
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(rf"softshare: {place}\S*: .+\n", err)
    assert err.count(str(made_folder)) == 1


def test_the_command_line_says_what_is_missing(
    made_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["compare", "mnist"])
    assert left.value.code == 2
    assert re.fullmatch(
        r"softshare: mnist: .* not found in \S+; `softshare data get mnist` downloads them .*\n",
        capsys.readouterr().err,
    )
    assert list(made_folder.iterdir()) == []


@pytest.mark.parametrize("answer", ["y", "n", None])
def test_missing_files_are_downloaded_only_after_a_yes(
    answer: str | None,
    made_mnist: np.ndarray,
    made_folder: Path,
    monkeypatch: Patch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    labels = mnist.SET.files[3].place
    labels.rename(made_folder / "kept")
    asked = []
    monkeypatch.setattr(
        "sys.stdin", io.StringIO() if answer is None else io.StringIO(f"{answer}\n")
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        "softshare.data.download.download",
        lambda wanted, progress: asked.append(wanted) or [(made_folder / "kept").rename(labels)],
    )
    read = partial(with_files, mnist.odd_even, Console())
    if answer == "y":
        assert len(read()) == 2
        assert asked == [mnist.SET]
    else:
        with pytest.raises(FileNotFoundError):
            read()
        assert asked == []
    assert "Download 0.0 MB? [y/N]" in capsys.readouterr().err


def test_nobody_is_asked_where_nobody_can_answer(made_folder: Path, monkeypatch: Patch) -> None:
    monkeypatch.setattr("builtins.input", lambda: pytest.fail("there is no terminal"))
    with pytest.raises(FileNotFoundError):
        with_files(mnist.load, Console())


def test_sets_are_listed_whether_they_are_there_or_not(
    made_omniglot: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["data", "list"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert re.search(r"omniglot .* yes", out)
    assert re.search(r"celeba .* no ", out)
    assert str(made_omniglot.parent) in out.replace("\n", "")


def test_ages_of_adience_are_categories_in_their_order() -> None:
    frame = adience.faces_of((FACES + "u\ti\t1\t(8, 12)\tf" + "\t" * 7 + "\n").encode())
    assert isinstance(frame["age"].dtype, pd.CategoricalDtype)
    assert frame["age"].cat.categories[:3].tolist() == ["0-2", "4-6", "8-13"]
