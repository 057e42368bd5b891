"""Work done ahead of its use, in another thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def ahead(
    make: Callable[[Item], Made],
    items: Iterable[Item],
    depth: int,
) -> Iterator[Made]:
    """What is made of every item, in their order, up to ``depth`` of them made in a background
    thread before they are asked for.

    An error is raised where its item would have come. The thread ends with the iterator.
    """
    remaining = iter(items)
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="softshare-ahead") as thread:
        try:
            waiting.extend(thread.submit(make, item) for item in islice(remaining, depth))
            while waiting:
                made = waiting.popleft().result()
                waiting.extend(thread.submit(make, item) for item in islice(remaining, 1))
                yield made
        finally:
            for future in waiting:
                future.cancel()
