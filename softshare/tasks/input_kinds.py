"""What kind of input a task has, by its shape: what decides the default network and budget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

InputKind = Literal["vector", "image", "large image"]

SMALLEST_IMAGE = 8
"""Pixels a side from which on a three-dimensional input is taken for an image."""

LARGE_IMAGE = 96
"""Pixels a side from which on LeNet, whose cost grows with the pixels, takes minutes for what a
smaller network does in seconds.
"""


def input_kind(input_shape: Sequence[int]) -> InputKind:
    """Whether inputs of this shape are images, and large ones."""
    if len(input_shape) != 3 or min(input_shape[1:]) < SMALLEST_IMAGE:
        return "vector"
    return "large image" if min(input_shape[1:]) >= LARGE_IMAGE else "image"
