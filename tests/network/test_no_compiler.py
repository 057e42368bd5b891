"""Whoever makes and runs networks does not wait for torch's compiler to be loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

IMPORT = "import softshare as ss"

MAKE = """
import softshare as ss
from torch import nn
template = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Mish(), nn.Flatten(), nn.Linear(8, 1))
tasks = [ss.Task(name, "binary") for name in "ab"]
network = ss.MultiTaskNetwork(template, tasks, sharing=ss.TensorTrain(ranks=0.5))
"""

RUN = f"""{MAKE}
import torch
network.run(torch.zeros(2, 3, 1, 4, 4)).sum().backward()
"""


@pytest.mark.parametrize("code", [IMPORT, MAKE, RUN], ids=["import", "make", "run"])
def test_the_compiler_is_not_loaded(code: str) -> None:
    ends = "import sys\nprint('torch._dynamo' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ends}"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
