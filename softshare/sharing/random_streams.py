"""Where the tasks' initial values come from, whatever order the tasks stand in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


class RandomStreams:
    """Where initial values come from: a stream for what is shared and one for every task.

    A task's stream depends on the seed and the task's name alone, so neither the order of the tasks
    nor which others there are changes what it draws.

    Args:
        seed: the seed of all streams.
        names: the tasks' names, in the order of the task axis.
        everyone: the names of all tasks, where these are some and others are kept elsewhere; what a
            sharing decides by all tasks, such as a rank, goes by these.
    """

    def __init__(
        self,
        seed: int,
        names: Sequence[object],
        *,
        everyone: Sequence[object] | None = None,
    ) -> None:
        self.seed = seed
        self.names = tuple(names)
        self.everyone = self.names if everyone is None else tuple(everyone)

    @property
    def n_tasks(self) -> int:
        """Length of the task axis."""
        return len(self.names)

    @property
    def n_tasks_in_all(self) -> int:
        """How many tasks there are, those kept elsewhere included."""
        return len(self.everyone)

    def normal(self, label: str, shape: Sequence[int]) -> Tensor:
        """Standard normal values that belong to no task, shape ``shape``; ``label`` says which
        (layer and factor).
        """
        generator = self.generator(label)
        return torch.randn(tuple(shape), generator=generator)

    def normal_by_task(self, label: str, shape: Sequence[int]) -> Tensor:
        """Standard normal values from each task's own stream, shape ``(T, *shape)``."""
        values = torch.empty(self.n_tasks, *shape)
        generator = torch.Generator()
        for row, name in zip(values, self.names, strict=True):
            key = self._key(label, name)
            row.normal_(generator=generator.manual_seed(key))
        return values

    def everyone_by_chance(self, label: str) -> list[object]:
        """All tasks' names in an order that the seed and the names decide, for what is dealt out
        among them.
        """
        return sorted(self.everyone, key=lambda name: (self._key(label, name), repr(name)))

    def generator(self, label: str, name: object = None) -> torch.Generator:
        """A generator for what is shared, or for one task."""
        key = self._key(label, name)
        return torch.Generator().manual_seed(key)

    def _key(self, label: str, name: object) -> int:
        text = f"{self.seed}\0{label}\0{name!r}".encode()
        # Four bytes: the generator looks at 32 bits of a seed.
        key = hashlib.blake2b(text, digest_size=4).digest()
        return int.from_bytes(key, "big")
