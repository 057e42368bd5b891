"""Small files in the formats of the public sets."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from softshare.data.public import PublicFile

RANDOM = np.random.default_rng(0)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in IDX format, packed."""
    return gzip.compress(
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def zipped(path: Path, members: Mapping[str, bytes]) -> Path:
    """A zip with these members."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def written(folder: Path, file: PublicFile, content: bytes) -> PublicFile:
    """The file with this content in place of the published one, and the checksum of this."""
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return replace(file, size=len(content), content=f"sha256:{hashlib.sha256(plain).hexdigest()}")


def omniglot_zip(path: Path, alphabets: Mapping[str, int], n_drawings: int) -> Path:
    """A zip of the layout of Omniglot, and in it characters of these alphabets."""
    members, number = {}, 0
    for alphabet, n_characters in alphabets.items():
        for character in range(1, n_characters + 1):
            number += 1
            for drawing in range(1, n_drawings + 1):
                ink = np.zeros((105, 105), dtype=bool)
                ink[number, :drawing] = True
                name = (
                    f"{path.stem}/{alphabet}/character{character:02}/{number:04}_{drawing:02}.png"
                )
                members[name] = encoded(~ink)
    return zipped(path, members)


PUBLIC_BATCH = {b"batch_label": b"", b"filenames": [b"a.png"] * 12}


def batch(n: int = 12) -> bytes:
    labels = [number % 10 for number in range(n)]
    pixels = np.repeat(np.arange(n, dtype=np.uint8)[:, None], 3072, axis=1)
    return pickle.dumps({b"data": pixels, b"labels": labels, **PUBLIC_BATCH}, protocol=2)


FACES = (
    "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\tdx\tdy\ttilt_ang\t"
    "fiducial_yaw_angle\tfiducial_score\n"
)
