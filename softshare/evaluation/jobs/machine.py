"""What this machine has for processes: CPUs and memory, as far as this process may use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from joblib.externals.loky import cpu_count

MEMORY_OF_A_WORKER = 1 << 30
"""Bytes that a process is given at least: with less memory fewer processes are started."""

MEMORY_OF_GROUPS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where Linux says how much memory a container may use, in its second and its first way."""


def default_workers() -> int:
    """Processes that this machine has CPUs and memory for."""
    with_memory = memory_limit() // MEMORY_OF_A_WORKER
    # joblib's own count is 1 where it starts no processes itself, as in the command line
    return max(1, min(cpu_count(), with_memory))


def memory_limit() -> int:
    """Bytes of memory that this process and those it starts may use together."""
    return min(_limits())


def memory_of(process: psutil.Process) -> int:
    """Bytes of memory that a process has to itself; 0 where it has ended.

    Files that it maps are not counted: the system takes their pages back when it needs them.
    """
    try:
        used = process.memory_info()
    except psutil.Error:
        return 0
    # where the system does not tell what is shared, nothing is known to be
    return used.rss - getattr(used, "shared", 0)


def _limits() -> Iterator[int]:
    yield psutil.virtual_memory().total
    for path in MEMORY_OF_GROUPS:
        # no such file: no container; "max": no limit
        with suppress(OSError, ValueError):
            yield int(path.read_text(encoding="ascii"))
