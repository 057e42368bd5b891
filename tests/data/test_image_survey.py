"""What images hold beside three channels of bytes is kept, or laid over white, never cut."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softshare.data.image_folder import ImageReading, image_folder
from softshare.data.image_form import ImageForm
from softshare.data.image_survey import survey
from softshare.tasks.task_set import TaskSet, take


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / "cache"))


def shape(place: int, colour: tuple[int, int, int]) -> Image.Image:
    """A square of a colour on a transparent ground."""
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[..., :3] = colour
    pixels[place : place + 3, place : place + 3, 3] = 255
    return Image.fromarray(pixels)


def folder(root: Path, make: Callable[[int], Image.Image], ending: str = "png") -> Path:
    for task in "ab":
        for label in range(2):
            (root / task / str(label)).mkdir(parents=True)
            for number in range(3):
                make(label).save(root / task / str(label) / f"{number}.{ending}")
    return root


def classes_of(tasks: TaskSet) -> tuple[np.ndarray, np.ndarray]:
    """An image of each class."""
    inputs, targets = tasks.examples(0)
    return inputs[targets == 0][0].numpy(), inputs[targets == 1][0].numpy()


@pytest.mark.parametrize("ending", ["png", "webp", "gif", "tif"])
def test_black_shapes_on_nothing_are_black_on_white(tmp_path: Path, ending: str) -> None:
    tasks = image_folder(folder(tmp_path / "p", lambda label: shape(4 * label, (0, 0, 0)), ending))
    first, second = classes_of(tasks)
    assert first.shape == (3, 8, 8)
    assert first[:, 7, 7].tolist() == [255] * 3
    assert first[:, 1, 1].tolist() == [0] * 3
    assert not np.array_equal(first, second)
    assert tasks.notes == ("12 image(s) have transparency: laid over white",)


@pytest.mark.parametrize("grey", [False, True])
def test_white_shapes_on_nothing_keep_their_transparency(tmp_path: Path, grey: bool) -> None:
    root = folder(tmp_path / "p", lambda label: shape(4 * label, (255, 255, 255)))
    Image.new("RGB", (8, 8)).save(root / "a/0/9.png")
    tasks = image_folder(root, ImageReading(grey=grey))
    first, second = classes_of(tasks)
    assert first.shape == (2 if grey else 4, 8, 8)
    assert (first[0] == 255).all()
    assert first[-1, 1, 1] == 255
    assert first[-1, 7, 7] == 0
    assert not np.array_equal(first, second)
    assert (take(tasks.sources[0], np.array([3]))[0, -1] == 255).all()  # has no transparency
    assert "it is a channel of its own" in tasks.notes[0]


def test_a_plain_image_with_an_alpha_channel_stays_three_channels(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    opaque = random.integers(0, 256, (8, 8, 4), dtype=np.uint8)
    opaque[..., 3] = 255
    tasks = image_folder(folder(tmp_path / "p", lambda _: Image.fromarray(opaque)))
    assert np.array_equal(classes_of(tasks)[0], opaque[..., :3].transpose(2, 0, 1))


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("most", [255, 4095, 65535])
def test_sixteen_bits_are_scaled_alike(tmp_path: Path, ending: str, most: int) -> None:
    def make(label: int) -> Image.Image:
        rising = np.linspace(0, most if label else most // 2, 64).astype(np.uint16)
        return Image.fromarray(rising.reshape(8, 8))

    tasks = image_folder(folder(tmp_path / "p", make, ending))
    dark, bright = classes_of(tasks)
    assert bright.max() == 255
    assert 126 <= dark.max() <= 128
    expected = np.rint(np.linspace(0, most, 64).astype(np.uint16) * (255 / most))
    assert np.array_equal(bright[0].ravel(), expected)
    assert tasks.notes[0].startswith("12 grey image(s) of more than 8 bits: numbers up to")


@pytest.mark.parametrize("ending", ["webp", "bmp", "tif", "tiff", "gif", "PNG"])
def test_images_of_every_format_are_read(tmp_path: Path, ending: str) -> None:
    plain = np.zeros((8, 8, 3), dtype=np.uint8)
    plain[:4] = 255
    root = folder(tmp_path / "p", lambda label: Image.fromarray(255 - plain if label else plain))
    for path in list(root.rglob("*.png")):
        Image.open(path).save(path.with_suffix(f".{ending}"))
        if ending != "PNG":
            path.unlink()
    first, _ = classes_of(image_folder(root))
    assert np.abs(first.astype(int) - plain.transpose(2, 0, 1)).max() < 4


def test_the_first_of_several_frames_is_taken_with_a_note(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "0.gif", save_all=True, append_images=frames[1:])
    found = survey(tmp_path, ["0.gif"])
    assert found.notes() == ("1 image(s) have several frames: the first is taken",)
    assert ImageForm(8, 8).decode(tmp_path / "0.gif")[:, 0, 0].tolist() == [255, 0, 0]


def test_colours_of_sixteen_bits_are_noted(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(deep_colours(300, 40_000, 65_535))
    found = survey(tmp_path, ["0.png"])
    found.check()
    assert found.notes() == ("1 image(s) of 16 bits a colour are read with the upper 8",)


def test_colours_that_would_lose_their_shades_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(deep_colours(300, 2_000, 4_095))
    with pytest.raises(ValueError, match=r"that 8 bits would keep 16 shades; convert them"):
        survey(tmp_path, ["0.png"]).check()


def deep_colours(*pixel: int) -> bytes:
    """A PNG of one pixel with 16 bits a channel."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    row = b"\0" + struct.pack(">HHH", *pixel)
    signature = b"\x89PNG\r\n\x1a\n"
    return (
        signature
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(row))
        + chunk(b"IEND", b"")
    )
