"""What all tests share: one thread, fixed seeds, and the folder with public data sets."""

from __future__ import annotations

import os
import random
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import torch

torch.set_num_threads(1)
hypothesis.settings.register_profile("softshare", deadline=None, derandomize=True)
hypothesis.settings.load_profile("softshare")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries still draw from the old global generator
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the public data sets, named by the environment variable SOFTSHARE_DATA."""
    folder = os.environ.get("SOFTSHARE_DATA")
    if not folder:
        pytest.skip("SOFTSHARE_DATA names no folder with the public data sets")
    if not Path(folder).is_dir():
        pytest.fail(f"SOFTSHARE_DATA names {folder!r}, which is no folder")
    return Path(folder)
