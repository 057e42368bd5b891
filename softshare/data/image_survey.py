"""What image files hold that three channels of bytes do not: transparency, and more than 8 bits.

It is looked up before decoding, as it decides what all images of a set are brought to; and kept in
the cache folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from softshare.data.cache import derived
from softshare.data.image_form import deep_numbers, is_deep, opened, over_white

LOOKED_THROUGH = 100
"""Of the images with transparency, spread evenly, so many are asked what it holds."""

DARK = 64
"""Images in colour of 16 bits whose brightest byte is below this hold their shades in the lower
bytes, which would be lost.
"""


@dataclass(frozen=True)
class ImageSurvey:
    """What was found in a set of images.

    Args:
        n_transparent: images of which some pixels may be transparent.
        alpha: whether an image shows nothing once it is laid over white, so that what it holds is
            in its transparency.
        n_deep: grey images of more than 8 bits.
        bits: that the largest number of these takes.
        n_deep_colours: images in colour of more than 8 bits a channel, of which Pillow reads the
            upper 8.
        brightest: the largest number that is then read of these.
        n_moving: images with several frames.
    """

    n_transparent: int = 0
    alpha: bool = False
    n_deep: int = 0
    bits: int = 8
    n_deep_colours: int = 0
    brightest: int = 0
    n_moving: int = 0

    def check(self) -> None:
        """Refuse images in colour of which too little would be read.

        Raises:
            ValueError: says how many there are.
        """
        if self.n_deep_colours and self.brightest < DARK:
            raise ValueError(
                f"{self.n_deep_colours} image(s) in colour have 16 bits a channel and use so few "
                f"of them that 8 bits would keep {self.brightest + 1} shades; convert them to 8 "
                "bits a channel"
            )

    def notes(self) -> tuple[str, ...]:
        """What was done to these images that their owner should know."""
        notes = []
        if self.n_transparent and self.alpha:
            notes.append(
                f"{self.n_transparent} image(s) have transparency, without which some show "
                "nothing: it is a channel of its own, after the colours laid over white"
            )
        elif self.n_transparent:
            notes.append(f"{self.n_transparent} image(s) have transparency: laid over white")
        if self.n_deep:
            notes.append(
                f"{self.n_deep} grey image(s) of more than 8 bits: numbers up to "
                f"{(1 << self.bits) - 1} are scaled to bytes, the same for all"
            )
        if self.n_deep_colours:
            notes.append(
                f"{self.n_deep_colours} image(s) of 16 bits a colour are read with the upper 8"
            )
        if self.n_moving:
            notes.append(f"{self.n_moving} image(s) have several frames: the first is taken")
        return tuple(notes)


def survey(root: Path, names: Sequence[str]) -> ImageSurvey:
    """Look through the heads of image files, and decode those of more than 8 bits; images that
    cannot be read are passed over.

    Args:
        root: the images' folder.
        names: of the images, relative to it.
    """

    def build(folder: Path) -> None:
        found = _survey([root / name for name in names])
        (folder / "survey.json").write_text(json.dumps(asdict(found)), encoding="utf-8")

    folder = derived("image-survey-1", [root / name for name in names], build)
    return ImageSurvey(**json.loads((folder / "survey.json").read_text(encoding="utf-8")))


def _survey(paths: Sequence[Path]) -> ImageSurvey:
    transparent = []
    largest, brightest = 0, 0
    counts = {"n_deep": 0, "n_deep_colours": 0, "n_moving": 0}
    for path in paths:
        try:
            with opened(path) as image:
                counts["n_moving"] += bool(getattr(image, "is_animated", False))
                if is_deep(image):
                    counts["n_deep"] += 1
                    largest = max(largest, int(deep_numbers(image).max(initial=0)))
                elif _has_deep_colours(image):
                    counts["n_deep_colours"] += 1
                    brightest = max(brightest, int(np.asarray(image).max()))
                if image.has_transparency_data:
                    transparent.append(path)
        except (OSError, ValueError):
            continue  # whoever decodes it says so
    chosen = np.linspace(0, len(transparent) - 1, min(len(transparent), LOOKED_THROUGH))
    alpha = any(_is_in_alpha(transparent[int(place)]) for place in chosen)
    bits = max(8, largest.bit_length())
    return ImageSurvey(len(transparent), alpha, bits=bits, brightest=brightest, **counts)


def _has_deep_colours(image: Image.Image) -> bool:
    """Whether Pillow leaves out the lower halves of an image's numbers."""
    modes = [str(tile[3]) for tile in getattr(image, "tile", ())]
    return any("16" in mode for mode in modes)


def _is_in_alpha(path: Path) -> bool:
    """Whether an image has one colour only once it is laid over white, and had more to show."""
    try:
        with opened(path) as image:
            colours = image.convert("RGBA")
    except (OSError, ValueError):
        return False
    alpha = np.asarray(colours.getchannel("A"))
    return not _is_plain(alpha) and _is_plain(np.asarray(over_white(colours)))


def _is_plain(pixels: np.ndarray) -> bool:
    return bool((pixels == pixels[:1, :1]).all())
