"""Whoever makes and runs networks does not wait for torch's compiler to be loaded."""

from __future__ import annotations

import subprocess
import sys

RUN = """
import softshare as ss
import torch
from torch import nn
template = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Mish(), nn.Flatten(), nn.Linear(8, 1))
tasks = [ss.Task(name, "binary") for name in "ab"]
network = ss.MultiTaskNetwork(template, tasks, sharing=ss.TensorTrain(ranks=0.5))
network.run(torch.zeros(2, 3, 1, 4, 4)).sum().backward()
import sys
print("torch._dynamo" in sys.modules)
"""


def test_the_compiler_is_not_loaded() -> None:
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
