"""Images decoded once, to bytes of one size."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from softshare.data.archives import naming, open_zip, read_content, read_member
from softshare.data.mapped import new_mapped

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 1 << 26
MOST_BYTES = 1 << 26
"""Of one image; a small file can claim to be an image of any size."""

_DAMAGE = (OSError, SyntaxError, IndexError, TypeError, OverflowError, EOFError)
"""What Pillow raises on broken images."""


def pixels_of(
    content: bytes,
    *,
    mode: str = "RGB",
    size: int | None = None,
) -> np.ndarray:
    """An encoded image as bytes.

    Args:
        content: JPEG, PNG or WebP.
        mode: ``"RGB"``, ``"L"`` (grey) or ``"1"`` (black and white).
        size: height and width to which it is resized, its proportions not kept; as it is when None.

    Raises:
        ValueError: it is damaged, of another format or too large.

    Shape:
        ``(H, W, 3)`` for RGB, else ``(H, W)``.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise ValueError(f"an image of {image.width}×{image.height} is too large")
            if size:
                image.draft(
                    mode, (size, size)
                )  # JPEG decodes at half or a quarter of its size much faster
            plain = image.convert(mode)
            return np.asarray(
                plain.resize((size, size), Image.Resampling.BILINEAR) if size else plain
            )
    except UnidentifiedImageError:
        raise ValueError(f"not an image in {', '.join(FORMATS)}") from None
    except (*_DAMAGE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"the image is damaged ({error})") from None


@contextmanager
def image_reader(collection: Path) -> Iterator[Callable[[str], bytes]]:
    """What reads an image's encoded content by its name, from a folder or a ``.zip`` of it, in a
    ``with`` statement.

    In an archive names may begin with that of the archive.

    Raises:
        OSError: an image cannot be read.
        ValueError: the archive is damaged, or has no such image.
    """
    if collection.is_dir():
        with naming(collection):
            yield lambda name: read_content(collection / name, most=MOST_BYTES)
        return
    with open_zip(collection, most=1 << 37) as archive:
        members = {
            member.filename.removeprefix(f"{collection.stem}/"): member
            for member in archive.infolist()
        }

        def read(name: str) -> bytes:
            if name not in members or members[name].file_size > MOST_BYTES:
                raise ValueError(
                    f"{name} is not in the archive, or has more than {MOST_BYTES:,} bytes"
                )
            return read_member(archive, members[name])

        yield read


def image_files(collection: Path, names: Iterable[str]) -> list[Path]:
    """The files that these images are in: each its own in a folder, or the one archive."""
    return [collection / name for name in names] if collection.is_dir() else [collection]


def write_square_images(
    path: Path,
    names: Sequence[str],
    read: Callable[[str], bytes],
    *,
    size: int,
) -> None:
    """Decode images into one ``.npy`` file of bytes.

    Args:
        path: the file to write, ``(N, 3, size, size)``.
        names: of the images, in the order of the rows.
        read: gives an image's encoded content.
        size: height and width of all.

    Raises:
        ValueError: an image is damaged; the message names it.
    """
    images = new_mapped(
        path,
        dtype=np.uint8,
        shape=(len(names), 3, size, size),
    )
    decode_square(images, names, read)
    images.flush()


def decode_square(
    images: np.ndarray,
    names: Sequence[str],
    read: Callable[[str], bytes],
) -> None:
    """Decode images into an array, in threads (decoding does not hold Python's lock).

    Args:
        images: the array to fill, ``(N, 3, size, size)`` bytes.
        names: of the images, in the order of the rows.
        read: gives an image's encoded content.

    Raises:
        ValueError: an image is damaged; the message names it.
    """

    def decode(row: int, content: bytes) -> None:
        try:
            images[row] = pixels_of(content, size=images.shape[-1]).transpose(2, 0, 1)
        except ValueError as error:
            raise ValueError(f"{names[row]}: {error}") from None

    n_threads = os.cpu_count() or 1
    with ThreadPoolExecutor(n_threads) as threads:
        for begin in range(0, len(names), 64 * n_threads):  # a few contents at a time in memory
            rows = range(begin, min(begin + 64 * n_threads, len(names)))
            list(threads.map(decode, rows, [read(names[row]) for row in rows]))
