"""Image folders against Pillow; each image decoded once, elsewhere; every damaged file an error
that names it.
"""

from __future__ import annotations

import io
import os
import pickle
import resource
import shutil
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageOps

from softshare.cli import main
from softshare.data import decoded_images
from softshare.data.image_folder import ImageReading, image_folder, image_table
from softshare.data.image_form import MOST_PIXELS, ImageForm, size_of
from softshare.tasks.task_set import take
from tests.data.damage import attempt, damaged


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SOFTSHARE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    return tmp_path / "cache"


def image(seed: int, size: tuple[int, int] = (12, 10)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two tasks of three and two classes, four images each; classes with numbers for names."""
    root, seed = tmp_path / "photos", 0
    for folder in ("birds/2", "birds/10", "birds/30", "cars/old", "cars/new"):
        (root / folder).mkdir(parents=True)
        for number in range(4):
            image(seed).save(root / folder / f"{number}.{'png' if number % 2 else 'jpg'}")
            seed += 1
    return root


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).transpose(2, 0, 1)


def test_folders_name_tasks_and_classes(root: Path) -> None:
    (root / ".hidden").write_text("not looked at")
    (root / "labels.csv").write_text("file,target")
    tasks = image_folder(root)
    assert [(task.name, task.kind, task.classes) for task in tasks.tasks] == [
        ("birds", "multiclass", ("10", "2", "30")),
        ("cars", "binary", ("new", "old")),
    ]
    for number, task in enumerate(tasks.tasks):
        inputs, targets = tasks.examples(number)
        files = [
            path
            for name in task.classes
            for path in sorted((root / str(task.name) / name).iterdir())
        ]
        assert targets.tolist() == sorted(list(range(len(task.classes))) * 4)
        for row, path in zip(inputs, files, strict=True):
            assert np.array_equal(row, pixels(path))


def test_linked_folders_are_tasks_and_classes_too(root: Path, tmp_path: Path) -> None:
    direct = image_folder(root)
    (root / "cars").rename(tmp_path / "elsewhere")
    (root / "birds/30").rename(tmp_path / "owls")
    (root / "cars").symlink_to(tmp_path / "elsewhere")
    (root / "birds/30").symlink_to(tmp_path / "owls")
    linked = image_folder(root)
    assert linked.tasks == direct.tasks
    assert linked.fingerprint() == direct.fingerprint()


def test_empty_folders_are_noted_where_files_may_be_left_out(root: Path) -> None:
    (root / "boats").mkdir()
    (root / "birds/40").mkdir()
    tasks = image_folder(root, ImageReading(skip_broken=True))
    assert tasks.notes == ("left out 2 folder(s) without images: birds/40, boats",)
    assert len(tasks) == 2


def test_an_image_is_decoded_once_when_it_is_asked_for(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = image_folder(root)
    (states,) = cache.rglob(decoded_images.STATES)
    assert np.load(states).sum() == 0
    wanted = take(tasks.sources[0], np.array([3, 3, 7]))
    assert np.flatnonzero(np.load(states)).tolist() == [3, 7]
    monkeypatch.setattr(decoded_images, "Decoders", None)
    again = pickle.loads(pickle.dumps(image_folder(root).sources[0]))
    assert np.array_equal(again[np.array([3, 3, 7])], wanted)
    with pytest.raises(TypeError):
        again[np.array([0])]


def test_a_full_disk_is_one_error_that_names_the_cache_folder(
    root: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = image_folder(root).sources[0]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (500, hard)
    )  # room for the first image, and for a part of the second
    try:
        for _ in range(2):
            with pytest.raises(
                OSError,
                match=rf"cannot write decoded images to {cache}/\S+ \(File too large\); make "
                r"room there, or name",
            ):
                take(source, np.arange(5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert capfd.readouterr().err == ""
    with pytest.raises(OSError, match="cannot write decoded images"):
        take(
            source, np.arange(5)
        )  # the process still has its limit, and nothing was taken for decoded


def test_a_decoding_process_that_ends_is_an_error(root: Path) -> None:
    images = image_folder(root).sources[0]
    images[np.array([0])]
    (process,) = images._decoders._processes
    process.kill()
    process.wait()
    with pytest.raises(OSError, match="a process that decodes images has ended"):
        images[np.array([1])]


def test_a_changed_file_is_decoded_again(root: Path) -> None:
    before = image_folder(root)
    first = take(before.sources[0], np.array([0]))[0]
    image(99).save(root / "birds/10/0.jpg")
    after = image_folder(root)
    assert not np.array_equal(take(after.sources[0], np.array([0]))[0], first)
    assert before.fingerprint() != after.fingerprint()


@pytest.mark.parametrize("crop", [False, True])
def test_images_are_brought_to_one_size(root: Path, crop: bool) -> None:
    image(99, (30, 9)).save(root / "birds/10/1.png")
    with pytest.raises(
        ValueError, match=r"birds/10/1.png: it has 9×30 pixels, the first has 10×12; give one size"
    ):
        image_folder(root, ImageReading(decode_first=True))
    tasks = image_folder(root, ImageReading(size=(6, 8), crop=crop, grey=True))
    plain = image(99, (30, 9)).convert("L")
    how = Image.Resampling.BILINEAR
    expected = ImageOps.fit(plain, (8, 6), how) if crop else plain.resize((8, 6), how)
    assert np.array_equal(take(tasks.sources[0], np.array([1]))[0, 0], np.asarray(expected))


def test_a_broken_image_is_named_or_left_out_with_a_note(root: Path) -> None:
    broken = root / "cars/new/2.jpg"
    broken.write_bytes(broken.read_bytes()[:300])
    tasks = image_folder(root)
    with pytest.raises(ValueError, match=r"cannot read .*cars/new/2.jpg: it is damaged"):
        take(tasks.sources[0], np.arange(20))
    (root / "cars/notes.txt").write_text("no image")
    with pytest.raises(ValueError, match=r"cars/notes.txt has no place: .*TASK/CLASS"):
        image_folder(root)
    tasks = image_folder(root, ImageReading(skip_broken=True))
    assert tasks.notes == (
        "left out 1 file(s) that are no images: cars/notes.txt",
        "left out 1 file(s) that cannot be read: cars/new/2.jpg",
    )
    assert tasks.n_examples.tolist() == [12, 7]
    assert np.array_equal(tasks.examples(1)[0][2], pixels(root / "cars/new/3.png"))
    assert np.array_equal(tasks.sources[0].kept, np.delete(np.arange(20), 14))
    assert tasks.fingerprint()


def test_an_image_once_broken_is_tried_again(root: Path) -> None:
    path = root / "cars/new/2.jpg"
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(bytes(len(content)))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # as where a disk fails for a while
    assert image_folder(root, ImageReading(skip_broken=True)).n_examples.tolist() == [12, 7]
    with pytest.raises(ValueError, match=r"cannot read .*cars/new/2.jpg: it is no image"):
        image_folder(root, ImageReading(decode_first=True))
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    tasks = image_folder(root, ImageReading(decode_first=True))
    assert tasks.n_examples.tolist() == [12, 8]
    assert np.array_equal(tasks.examples(1)[0][2], pixels(path))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_stand_as_their_orientation_says(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    gradient = (
        np.add.outer(np.arange(48), 3 * np.arange(64))[:, :, None].repeat(3, 2).astype(np.uint8)
    )
    Image.fromarray(gradient).save(tmp_path / "photo.jpg", exif=exif, quality=95)
    stored = np.asarray(Image.open(tmp_path / "photo.jpg"))
    quarter_turns, mirrored = {
        1: (0, 0),
        2: (0, 1),
        3: (2, 0),
        4: (2, 1),
        5: (3, 1),
        6: (3, 0),
        7: (1, 1),
        8: (1, 0),
    }[orientation]
    upright = np.rot90(stored, quarter_turns)
    upright = upright[:, ::-1] if mirrored else upright
    assert size_of(tmp_path / "photo.jpg") == upright.shape[:2]
    assert np.array_equal(
        ImageForm(*upright.shape[:2]).decode(tmp_path / "photo.jpg"), upright.transpose(2, 0, 1)
    )
    small = ImageForm(12, 8, resize=True).decode(tmp_path / "photo.jpg").transpose(1, 2, 0)
    whole = Image.fromarray(upright).resize((8, 12), Image.Resampling.BILINEAR)
    assert np.abs(small.astype(int) - np.asarray(whole)).max() < 8


def test_names_that_are_not_utf8_are_names(root: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    try:
        image(99).save(root / "birds/10" / name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    tasks = image_folder(root, ImageReading(decode_first=True))
    assert np.array_equal(tasks.examples(0)[0][4], pixels(root / "birds/10" / name))


@pytest.mark.parametrize("file", ["images.npy", "states.npy"])
def test_a_damaged_cache_names_the_file_and_the_folder_to_delete(
    root: Path, cache: Path, file: str
) -> None:
    tasks = image_folder(root, ImageReading(decode_first=True))
    expected = tasks.examples(0)[0]
    (path,) = cache.rglob(file)
    for size in (0, 40, path.stat().st_size - 1):
        os.truncate(path, size)
        with pytest.raises(
            ValueError,
            match=rf"{file} is damaged .*; delete the folder .*{path.parent.name} and it is made "
            r"again",
        ):
            image_folder(root)
    path.unlink()
    with pytest.raises(
        FileNotFoundError,
        match=rf"{file} is not there; delete the folder .*{path.parent.name} and it is made again",
    ):
        image_folder(root)
    shutil.rmtree(path.parent)
    assert np.array_equal(image_folder(root).examples(0)[0], expected)


def test_a_cache_deleted_in_use_says_so(root: Path, cache: Path) -> None:
    tasks = image_folder(root)
    shutil.rmtree(cache)
    with pytest.raises(
        FileNotFoundError, match="was deleted while it was in use; read the images again"
    ):
        tasks.examples(0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: image(0).save(root / "birds/loose.png"), "loose.png has no place"),
        (
            lambda root: (root / "birds/10/0.jpg").rename(root / "birds/10/0.heic"),
            "0.heic has no place",
        ),
        (
            lambda root: [path.unlink() for path in (root / "cars/old").iterdir()],
            "cars/old has no images: a folder of images is laid",
        ),
        (lambda root: (root / "boats").mkdir(), "boats has no images"),
        (
            lambda root: (root / "boats/sail/large/huge").mkdir(parents=True),
            "boats/sail/large/huge has no place",
        ),
        (
            lambda root: shutil.rmtree(root / "cars/old"),
            "task 'cars': the target has one class only",
        ),
        (
            lambda root: [path.unlink() for path in root.rglob("*.*")],
            "has no images; a folder of images is laid out as TASK/CLASS",
        ),
        (
            lambda root: (root / "birds/10/0.jpg").write_text("text"),
            "0.jpg: it is no image in PNG, JPEG",
        ),
        (
            lambda root: (root / "birds/10/0.jpg").write_bytes(b""),
            "0.jpg: it is no image in PNG, JPEG",
        ),
        (lambda root: (root / "birds/10/1.png").write_bytes(bomb()), "1.png: it is too large"),
        (
            lambda root: Image.fromarray(np.zeros((12, 10), np.float32)).save(
                root / "birds/10/9.tif"
            ),
            "9.tif: it has more than 16 bits a channel, or fractions",
        ),
    ],
)
def test_a_wrong_folder_is_one_line_on_the_command_line(
    root: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Path], object], message: str
) -> None:
    change(root)
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(root)])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def bomb() -> bytes:
    """A PNG of a few bytes that claims to be 60,000 pixels a side."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def encoded(name: str) -> bytes:
    file = io.BytesIO()
    image(1, (40, 40)).save(file, format=name)
    return file.getvalue()


@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_a_thousand_damaged_images_are_errors_or_images_and_nothing_else(
    name: str, tmp_path: Path
) -> None:
    path, form, errors = tmp_path / "image", ImageForm(40, 40), 0
    for content in damaged(encoded(name)):
        path.write_bytes(content)
        decoded, error = attempt(partial(form.decode, path))
        errors += bool(error)
        assert error or decoded.shape == (3, 40, 40)
    assert errors > (
        950 if name == "PNG" else 300
    )  # JPEG has no checksum: pixels may change unseen


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF"])
def test_a_truncated_image_is_never_taken_for_a_whole_one(name: str, tmp_path: Path) -> None:
    content = encoded(name)
    for size in range(0, len(content) - 12, 31):
        (tmp_path / "image").write_bytes(content[:size])
        with pytest.raises(ValueError, match=r"damaged|no image in"):
            ImageForm(40, 40).decode(tmp_path / "image")


def test_more_pixels_than_an_image_may_have_are_refused(tmp_path: Path) -> None:
    side = int(MOST_PIXELS**0.5) + 1
    Image.new("1", (side, side)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match="too large"):
        ImageForm(8, 8, resize=True).decode(tmp_path / "large.png")


@pytest.fixture
def labels(root: Path) -> pd.DataFrame:
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*.*"))
    table = pd.DataFrame(
        {
            "file": files,
            "where": ["a", "b"] * 10,
            "good": np.arange(20) % 3 == 0,
            "sum": np.arange(20.0) / 7,
        }
    )
    table.to_csv(root / "labels.csv", index=False)
    return table


def test_a_table_names_images_tasks_and_targets(root: Path, labels: pd.DataFrame) -> None:
    tasks = image_table(root / "labels.csv", target="good", task="where")
    assert tasks.names == ("a", "b")
    assert tasks.n_examples.tolist() == [10, 10]
    inputs, targets = tasks.examples(1)
    assert np.array_equal(inputs[2], pixels(root / labels["file"][5]))
    assert targets.tolist() == labels["good"][1::2].astype(float).tolist()
    both = image_table(labels, root, target=["good", "sum"])
    assert both.one_input
    assert [task.kind for task in both.tasks] == ["binary", "regression"]


def test_rows_of_one_image_stay_in_one_part(root: Path, labels: pd.DataFrame) -> None:
    twice = pd.concat([labels, labels.assign(where="c")], ignore_index=True)
    tasks = image_table(twice, root, target="good", task="where")
    train, validation, test = tasks.split(seed=0)
    files = [set(twice["file"][part.rows]) for part in (train, validation, test)]
    assert sum(map(len, files)) == len(set().union(*files)) == 20


def test_one_image_written_in_several_ways_is_one(root: Path) -> None:
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*.*"))
    table = pd.DataFrame(
        {
            "file": [
                *files,
                *(f"./{name}" for name in files),
                *(name.replace("/", "//") for name in files),
            ]
        }
    )
    table = table.assign(good=np.arange(60) % 2 == 0)
    train, validation, test = image_table(table, root, target="good").split(seed=0)
    images = [set(part.rows % 20) for part in (train, validation, test)]
    assert sum(map(len, images)) == len(set().union(*images)) == 20


def test_groups_that_share_an_image_stay_in_one_part(root: Path, labels: pd.DataFrame) -> None:
    chains = {
        number: number % 7 for number in range(20)
    }  # seven sets of images, each rated by a chain of raters
    rows = [
        (labels["file"][number], f"rater {chain}.{number // 7 + other}")
        for number, chain in chains.items()
        for other in (0, 1)
    ]
    table = pd.DataFrame(rows, columns=["file", "rater"]).assign(good=np.arange(40) % 4 < 2)
    train, validation, test = image_table(table, root, target="good", group="rater").split(seed=0)
    for column in ("file", "rater"):
        found = [set(table[column][part.rows]) for part in (train, validation, test)]
        assert sum(map(len, found)) == table[column].nunique()
    empty = table.assign(rater=table["rater"].where(table.index > 0))
    with pytest.raises(ValueError, match="group: column 'rater' is empty in 1 row"):
        image_table(empty, root, target="good", group="rater")


def test_an_image_of_several_rows_is_decoded_and_kept_once(
    root: Path, labels: pd.DataFrame, cache: Path
) -> None:
    (root / labels["file"][3]).write_bytes(b"broken")
    table = pd.concat([labels, labels[::-1], labels], ignore_index=True)
    tasks = image_table(table, root, target="good", reading=ImageReading(size=9, skip_broken=True))
    (states,) = cache.rglob(decoded_images.STATES)
    assert len(np.load(states)) == 20
    rows = table["file"].drop(np.flatnonzero(table["file"] == labels["file"][3]))
    inputs, targets = tasks.examples(0)
    assert targets.tolist() == table["good"][rows.index].astype(float).tolist()
    assert tasks.source_rows().tolist() == rows.index.tolist()  # of the table, broken ones counted
    form = ImageForm(9, 9, resize=True)
    assert np.array_equal(inputs, [form.decode(root / name) for name in rows])


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("../birds/10/1.png", "paths must lead to files within"),
        ("/etc/passwd", "paths must lead"),
        ("birds/none.png", "are not there"),
        (None, "empty in row 1"),
    ],
)
def test_a_table_with_wrong_paths_is_refused(
    root: Path, labels: pd.DataFrame, file: str | None, message: str
) -> None:
    labels.loc[0, "file"] = file
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        image_table(labels, root, target="good")


def test_damaged_tables_of_labels_are_errors_or_tables(root: Path, labels: pd.DataFrame) -> None:
    path, errors = root / "labels.csv", 0
    for content in damaged(path.read_bytes(), n=300):
        path.write_bytes(content)
        tasks, error = attempt(partial(image_table, path, target="good", task="where"))
        errors += bool(error)
        assert error or tasks.n_examples.sum() <= 40
    assert errors > 150


def test_wrong_arguments_are_refused(root: Path, labels: pd.DataFrame) -> None:
    with pytest.raises(
        ValueError, match=r"file: no column 'path'.*target: no column 'god', did you mean 'good'"
    ):
        image_table(labels, root, target="god", file="path")
    with pytest.raises(ValueError, match="root: name the images' folder"):
        image_table(labels, target="good")
    with pytest.raises(ValueError, match="size: must be a number of pixels"):
        ImageReading(size=(3, 0))
    with pytest.raises(FileNotFoundError, match="no such folder"):
        image_folder(root / "none")
