"""Images in memory: every format, one size, no bombs."""

from __future__ import annotations

import numpy as np
import pytest

from softshare.data import (
    images,
)
from tests.data.made_files import (
    encoded,
)

Patch = pytest.MonkeyPatch


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_images_of_all_formats_are_decoded_and_resized(kind: str) -> None:
    content = encoded(np.full((20, 30, 3), 99, np.uint8), kind)
    np.testing.assert_allclose(images.pixels_of(content), np.full((20, 30, 3), 99), atol=1)
    assert images.pixels_of(content, mode="L", size=8).shape == (8, 8)


def test_an_image_that_claims_to_be_vast_is_refused(monkeypatch: Patch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 100)
    with pytest.raises(ValueError, match="an image of 11×10 is too large"):
        images.pixels_of(encoded(np.zeros((10, 11), np.uint8)))
