"""What kind of input a shape is."""

from __future__ import annotations

import pytest

from softshare.tasks.input_kinds import LARGE_IMAGE, SMALLEST_IMAGE, input_kind


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((30,), "vector"),
        ((5, 64), "vector"),
        ((1, SMALLEST_IMAGE - 1, 64), "vector"),
        ((1, SMALLEST_IMAGE, SMALLEST_IMAGE), "image"),
        ((3, LARGE_IMAGE, LARGE_IMAGE - 1), "image"),
        ((3, LARGE_IMAGE, LARGE_IMAGE), "large image"),
    ],
)
def test_images_have_three_axes_and_enough_pixels(shape: tuple[int, ...], kind: str) -> None:
    assert input_kind(shape) == kind
