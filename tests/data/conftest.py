"""Folders of their own for the data and what is derived from it: no test touches the user's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from softshare.data import (
    cifar10,
    mnist,
    office_caltech,
    office_caltech_files,
    omniglot,
)
from tests.data.made_files import (
    RANDOM,
    batch,
    encoded,
    idx,
    omniglot_zip,
    written,
    zipped,
)

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="session")
def derived_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all tests on real files keep what they decode, so that it is done once."""
    return tmp_path_factory.mktemp("derived")


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, derived_folder: Path) -> None:
    monkeypatch.setenv("SOFTSHARE_CACHE", str(derived_folder))


@pytest.fixture
def made_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a cache folder beside it."""
    monkeypatch.setenv("SOFTSHARE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def outside(tmp_path: Path) -> Callable[[], set[Path]]:
    """The files outside the data and cache folders that tests of this one could reach."""
    return lambda: {
        path
        for path in tmp_path.rglob("*")
        if path.relative_to(tmp_path).parts[0] not in ("data", "cache")
    }


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
