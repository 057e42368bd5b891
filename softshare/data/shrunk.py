"""Images at fewer pixels: a step takes a fraction of the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from softshare.tasks.sources import Source, as_source
from softshare.tasks.task_set import TaskSet

AT_ONCE = 2048
"""Images that are in memory at their full size."""


def shrunk(tasks: TaskSet, factor: int) -> TaskSet:
    """Tasks whose images are so many times smaller, each pixel the mean of a block.

    Args:
        tasks: of images in bytes ``(N, C, H, W)``, whose sides are multiples of the factor.
        factor: pixels of a side that become one.

    Raises:
        ValueError: a side is no multiple of the factor.
    """
    sources = tuple(as_source(_means(source, factor)) for source in tasks.sources)
    return replace(tasks, sources=sources)


def _means(images: Source, factor: int) -> np.ndarray:
    """``(N, C, H, W)`` → ``(N, C, H / factor, W / factor)``."""
    n_images, channels, height, width = images.shape
    if height % factor or width % factor:
        raise ValueError(f"shrunk: factor {factor} does not divide images of {height} × {width}")
    small = (height // factor, width // factor)
    means = np.empty((n_images, channels, *small), dtype=np.uint8)
    for begin in range(0, n_images, AT_ONCE):
        some = np.asarray(images[begin : begin + AT_ONCE])
        blocks = some.reshape(len(some), channels, small[0], factor, small[1], factor)
        means[begin : begin + len(some)] = blocks.mean((3, 5), dtype=np.float32).round()
    return means
