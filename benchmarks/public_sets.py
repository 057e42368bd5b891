"""Seconds until the papers' image sets are there: decoded from their files the first time, then
from the cache.

Run ``SOFTSHARE_DATA=… python -m benchmarks.public_sets``; a set whose files are missing is passed
over.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

from softshare.data import mnist, omniglot

LOADERS = {"mnist": mnist.load, "omniglot": omniglot.load}


def main() -> None:
    """Print a line a set."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SOFTSHARE_CACHE"] = folder
        for name, load in LOADERS.items():
            try:
                seconds = [_seconds(load) for _ in ("first", "again")]
            except FileNotFoundError as error:
                print(error)
            else:
                print(
                    f"{name}: {seconds[0]:.2f} s the first time, {seconds[1]:.2f} s from the cache"
                )


def _seconds(load: Callable[[], object]) -> float:
    begin = time.perf_counter()
    load()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
