"""Damage to the files of any public set, and what the command line tells of it."""

from __future__ import annotations

import pickle
import re
import tarfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softshare import cli
from softshare.data import (
    adience,
    celeba,
    cifar10,
    imageclef_da,
    images,
    mnist,
    office_caltech,
    uci,
)
from softshare.data.archives import naming
from softshare.data.public import PublicFile
from tests.data.damage import attempt, damaged
from tests.data.made_files import (
    FACES,
    RANDOM,
    batch,
    encoded,
)

Patch = pytest.MonkeyPatch


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
