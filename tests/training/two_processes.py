"""Two processes that train together."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import torch.multiprocessing as mp


def in_two_processes(work: Callable[[int, str], None], folder: Path) -> None:
    """Run ``work(rank, folder)`` in two processes at once, which both import PyTorch but once."""
    multiprocessing.set_forkserver_preload(["softshare.training.sharded"])
    mp.start_processes(work, (str(folder),), nprocs=2, start_method="forkserver")
