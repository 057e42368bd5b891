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

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
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
        alpha: a channel more, which says how opaque each pixel is.
        bits: that numbers of grey images with more than 8 bits take at most; they are scaled to 8.
    """

    height: int
    width: int
    grey: bool = False
    resize: bool = False
    crop: bool = False
    alpha: bool = False
    bits: int = 16

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return (1 if self.grey else 3) + self.alpha, self.height, self.width

    def decode(self, path: Path) -> np.ndarray:
        """An image file's pixels, uint8 ``(C, H, W)``, turned as its EXIF orientation says; what is
        transparent lies over white.

        Raises:
            OSError: the file cannot be opened.
            ValueError: it is no image of a known format, is damaged or too large, has more than 16
                bits a channel, or another size.
        """
        with opened(path) as image:
            if self.resize:  # a JPEG decodes at a half or a quarter of its size much faster
                size = (self.width, self.height)
                draft = size[::-1] if _lies_on_its_side(image) else size
                image.draft("L" if self.grey else "RGB", draft)
            plain = self._plain(image)
            ImageOps.exif_transpose(plain, in_place=True)
            sized = self._sized(plain)
            is_clear = sized.mode == "RGBA"
            colours = over_white(sized) if is_clear else sized
            bands = [np.atleast_3d(np.asarray(colours.convert("L" if self.grey else "RGB")))]
            if self.alpha:
                opaque = np.full((self.height, self.width), 255, np.uint8)
                alpha = np.asarray(sized.getchannel("A")) if is_clear else opaque
                bands.append(alpha[:, :, None])
            return np.concatenate(bands, axis=2).transpose(2, 0, 1)

    def _plain(self, image: Image.Image) -> Image.Image:
        """An image in one of few modes, of bytes: ``RGBA`` where it has transparency."""
        if is_deep(image):
            # all images of a set are scaled alike, so that one that is darker stays so
            scaled = deep_numbers(image) * (255 / ((1 << self.bits) - 1))
            plain = Image.fromarray(np.rint(scaled.clip(0, 255)).astype(np.uint8))
            plain.info["exif"] = image.getexif().tobytes()
            return plain
        if image.has_transparency_data:
            return image.convert("RGBA")
        return image.convert("L" if self.grey else "RGB")

    def _sized(self, image: Image.Image) -> Image.Image:
        size = (self.width, self.height)
        if image.size == size:
            return image
        if not self.resize:
            sizes = f"{image.width}×{image.height} pixels, the first has {self.width}×{self.height}"
            raise ValueError(f"it has {sizes}; give one size for all")
        bilinear = Image.Resampling.BILINEAR
        return ImageOps.fit(image, size, bilinear) if self.crop else image.resize(size, bilinear)


def over_white(image: Image.Image) -> Image.Image:
    """An image of mode ``RGBA`` laid over white, as ``RGB``."""
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def is_deep(image: Image.Image) -> bool:
    """Whether an image is grey, and of more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def deep_numbers(image: Image.Image) -> np.ndarray:
    """The numbers of a grey image of up to 16 bits.

    Raises:
        ValueError: they are fractions, negative, or of more bits.
    """
    numbers = np.asarray(image)
    fits = numbers.dtype.kind in "iu" and numbers.min(initial=0) >= 0
    if not fits or numbers.max(initial=0) >= 1 << 16:
        raise ValueError("it has more than 16 bits a channel, or fractions; convert it to 8 bits")
    return numbers


def size_of(path: Path) -> tuple[int, int]:
    """Height and width of an image file, turned as its EXIF orientation says.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no image of a known format, or too large.
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
                warnings.simplefilter("ignore", UserWarning)  # of metadata, which many files have
                with Image.open(file, formats=FORMATS) as image:
                    if image.width * image.height > MOST_PIXELS:
                        raise ValueError(f"it is too large ({image.width}×{image.height} pixels)")
                    yield image
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise ValueError(f"it is too large ({error})") from None
        except UnidentifiedImageError:
            raise ValueError(f"it is no image in {', '.join(FORMATS)}") from None
        except ValueError:
            raise
        except Exception as error:  # Pillow's decoders raise many kinds for damaged content
            raise ValueError(f"it is damaged ({str(error) or type(error).__name__})") from None
