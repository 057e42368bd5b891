"""One image file as pixels of a given form."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ExifTags import Base

MOST_BYTES = 1 << 28
MOST_PIXELS = 1 << 26
"""Of one image; a small file can claim to be an image of any size."""


@dataclass(frozen=True)
class ImageForm:
    """What all images are made to be.

    Args:
        height: in pixels.
        width: in pixels.
        grey: one channel in place of three.
        resize: images of another size are resized; else they are refused.
        crop: keep proportions when resizing and cut off what stands out, in place of stretching.
    """

    height: int
    width: int
    grey: bool = False
    resize: bool = False
    crop: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return (1 if self.grey else 3), self.height, self.width

    def decode(self, path: Path) -> np.ndarray:
        """An image file's pixels, uint8 ``(C, H, W)``, turned as its EXIF orientation says.

        Raises:
            OSError: the file cannot be opened.
            ValueError: it is no PNG or JPEG, is damaged or too large, has more than 8 bits a
                channel, or another size.
        """
        size, mode = (self.width, self.height), "L" if self.grey else "RGB"
        with opened(path) as image:
            if self.resize:  # a JPEG decodes at a half or a quarter of its size much faster
                image.draft(mode, size[::-1] if _lies_on_its_side(image) else size)
            plain = image.convert(mode)
            ImageOps.exif_transpose(plain, in_place=True)
            if plain.size != size and not self.resize:
                sizes = (
                    f"{plain.width}×{plain.height} pixels, the first has {self.width}×{self.height}"
                )
                raise ValueError(f"it has {sizes}; give one size for all")
            if plain.size != size:
                bilinear = Image.Resampling.BILINEAR
                plain = (
                    ImageOps.fit(plain, size, bilinear)
                    if self.crop
                    else plain.resize(size, bilinear)
                )
            return np.atleast_3d(np.asarray(plain)).transpose(2, 0, 1)


def size_of(path: Path) -> tuple[int, int]:
    """Height and width of an image file, turned as its EXIF orientation says.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no PNG or JPEG, or too large.
    """
    with opened(path) as image:
        return (
            (image.width, image.height) if _lies_on_its_side(image) else (image.height, image.width)
        )


def _lies_on_its_side(image: Image.Image) -> bool:
    return image.getexif().get(Base.Orientation) in (5, 6, 7, 8)


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """An image file in a ``with`` statement; what goes wrong inside with its content becomes one
    kind of error.
    """
    with path.open("rb") as file:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"the file has more than {MOST_BYTES:,} bytes")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(file, formats=("PNG", "JPEG")) as image:
                    if image.width * image.height > MOST_PIXELS:
                        raise ValueError(f"it is too large ({image.width}×{image.height} pixels)")
                    if image.mode.startswith(("I", "F")):
                        raise ValueError("it has more than 8 bits a channel; convert it to 8 bits")
                    yield image
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ValueError(f"it is too large ({error})") from None
        except UnidentifiedImageError:
            raise ValueError("it is neither PNG nor JPEG") from None
        except ValueError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds for damaged content
            raise ValueError(f"it is damaged ({str(error) or type(error).__name__})") from None
