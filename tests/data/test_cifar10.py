"""CIFAR-10 from small made batches: its tasks and forms, and batches of others."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softshare.data import (
    cifar10,
)
from tests.data.made_files import (
    RANDOM,
    batch,
    encoded,
    written,
)

Patch = pytest.MonkeyPatch


def pairs_of_pairs(depth: int) -> list[Any]:
    """A list that holds one list twice, which holds one twice, …"""
    pair: list[Any] = [1]
    for _ in range(depth):
        pair = [pair, pair]
    return pair


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
