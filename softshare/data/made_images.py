"""Small made images, in the form of a public set: they stand in where its files are missing."""

from __future__ import annotations

import numpy as np


def made_images(labels: np.ndarray, *, size: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """A blurred pattern for every class, moved a little and under noise, so that it can be learned.

    Args:
        labels: the class of every image, ``(N,)``, from 0 on.
        size: pixels a side.
        channels: of an image.
        seed: of patterns and noise.

    Returns:
        ``(N, channels, size, size)`` bytes.
    """
    random = np.random.default_rng(seed)
    coarse = random.random((int(labels.max()) + 1, channels, 5, 5)) < 0.4
    scale = -(-size // 5)
    patterns = np.kron(coarse, np.ones((scale, scale)))[..., :size, :size]
    images = np.empty((len(labels), channels, size, size), dtype=np.uint8)
    for number, label in enumerate(labels):
        moves = random.integers(-1, 2, size=2)
        moved = np.roll(patterns[label], moves, axis=(1, 2))
        noisy = 200 * moved + random.integers(0, 56, size=moved.shape)
        images[number] = noisy.astype(np.uint8)
    return images
