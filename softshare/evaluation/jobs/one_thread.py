"""How a process computes that is one of many."""

from __future__ import annotations

import torch


def compute_on_one_thread() -> None:
    """As many processes run as there are CPUs: more threads would only be in each other's way."""
    torch.set_num_threads(1)
