"""What all sharings need of the tasks' weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from softshare.sharing import base
from softshare.sharing.base import root_mean_square


@pytest.mark.parametrize("at_once", [1, 7, 24, 2**24])
@pytest.mark.parametrize("shape", [(24,), (2, 3, 4), (6, 4)])
def test_root_mean_square_is_the_same_in_parts(
    monkeypatch: pytest.MonkeyPatch, at_once: int, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(base, "AT_ONCE", at_once)
    values = torch.arange(24, dtype=torch.float32).reshape(shape).requires_grad_()
    expected = np.sqrt(np.mean(np.arange(24) ** 2.0))
    assert root_mean_square(values) == pytest.approx(expected, rel=1e-12)


def test_root_mean_square_squares_in_double_precision() -> None:
    # In single precision 1e-30² is zero.
    assert root_mean_square(torch.full((3,), 1e-30)) == pytest.approx(1e-30, rel=1e-6)
