"""Random numbers for dropout, every task's its own however many tasks run as one.

A number is computed from what it is for: the seed, the step, the task's name, which of the pass's
draws it is, and its place among the task's rows. Neither the order of the tasks nor which others
there are, neither other threads nor how a step's rows are divided among processes change it, and no
generator has a state to keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.random_keys import key_of, mixed, torch_seeded

WORDS = 1 << 32
"""How many keys and places there are: both are numbers of 32 bits."""

HALVES = 1 << 16
"""A random word of 32 bits makes two draws, so probabilities are multiples of 1 / 65536."""


class TaskNoise:
    """The tasks' random streams.

    Args:
        names: the tasks' names, in the order of the task axis.

    Attributes:
        first_row: which row of the step's the first row of a pass is, where a step is divided.
    """

    def __init__(self, names: Sequence[object]) -> None:
        self.first_row = 0
        self._names = tuple(names)
        self._of_names: np.ndarray | None = None  # (T,), once there is something to draw
        self._step: int | None = None
        self._process = 0
        self._of_pass: np.ndarray | None = None  # (k,)
        self._tasks: Tensor | None = None
        self._draws = 0

    @contextmanager
    def training(self) -> Iterator[None]:
        """While it lasts, :meth:`begin_step` says what is drawn; afterwards PyTorch's generator."""
        try:
            yield
        finally:
            self._step, self._process, self.first_row = None, 0, 0

    def begin_step(self, seed: int, step: int, *, process: int = 0) -> None:
        """Draw for this step from now on.

        Args:
            seed: of the whole training.
            step: its number.
            process: the number of this one of several processes, which only what draws from
                PyTorch's generator goes by.
        """
        self._step, self._process = key_of(seed, ("noise", step)), process

    def begin_pass(self, tasks: Tensor | None) -> None:
        """The next draws are for these tasks ``(k,)``, for all when None."""
        self._of_pass, self._tasks, self._draws = None, tasks, 0

    def keep(self, shape: Sequence[int], probability: float, device: torch.device) -> Tensor:
        """Which values are kept, each task's by its own stream.

        Args:
            shape: ``(k, B, …)``.
            probability: of a value to be dropped.
            device: where the values are.

        Returns:
            True for what is kept, of this shape.
        """
        if self._of_pass is None:
            self._of_pass = self._keys_of_pass()
        with np.errstate(over="ignore"):
            keys = mixed(self._of_pass + np.uint64(self._draws)) >> np.uint64(32)
        self._draws += 1
        of_row = int(np.prod(shape[2:], dtype=np.int64))
        first, count = self.first_row * of_row, shape[1] * of_row
        # Two draws a word: the first may begin in the middle of one.
        places = torch.arange(first // 2, (first + count + 1) // 2, device=device)
        words = _words(torch.from_numpy(keys.astype(np.uint32).view(np.int32)).to(device), places)
        draws = words.view(torch.int16)[:, first % 2 : first % 2 + count]
        return (draws >= round(probability * HALVES) - HALVES // 2).view(*shape)

    @contextmanager
    def of_others(self) -> Iterator[None]:
        """What draws from PyTorch's own generator meanwhile has a stream of this step.

        Nothing tells a task's numbers from another's there. Threads wait for each other.
        """
        if self._step is None:
            yield
            return
        with torch_seeded(key_of(self._step, ("process", self._process)) >> 1):
            yield

    def _keys_of_pass(self) -> np.ndarray:
        """A key for each of the pass's tasks, ``(k,)``."""
        if self._of_names is None:
            keys = (key_of("task", name) for name in self._names)
            self._of_names = np.fromiter(keys, dtype=np.uint64, count=len(self._names))
        # Outside of fit, PyTorch's generator is the seed of all streams, as for any dropout.
        step = int(torch.randint(1 << 62, ())) if self._step is None else self._step
        own = self._of_names
        with np.errstate(over="ignore"):
            if self._tasks is not None:
                tasks = self._tasks.cpu().numpy()
                own = own[tasks] + _times_before(tasks)
            return mixed(mixed(own) + np.uint64(step))


def _times_before(tasks: np.ndarray) -> np.ndarray:
    """How often each task has stood in a pass before, ``(k,)``: its second batch draws anew."""
    before = np.zeros(len(tasks), dtype=np.uint64)
    if len(np.unique(tasks)) < len(tasks):
        seen: dict[int, int] = {}
        for place, task in enumerate(tasks.tolist()):
            before[place] = seen.get(task, 0)
            seen[task] = seen.get(task, 0) + 1
    return before


def _words(keys: Tensor, places: Tensor) -> Tensor:
    """Random words of 32 bits: keys ``(k,)`` and places ``(n,)`` → ``(k, n)``.

    A Weyl sequence under the finaliser of MurmurHash3 (Appleby 2011); multiplications wrap around.
    """
    words = places.to(torch.int32).mul_(_signed(0x9E3779B1)) + keys[:, None]
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        words = words.bitwise_xor_(_shifted(words, shift)).mul_(_signed(factor))
    return words.bitwise_xor_(_shifted(words, 16))


def _shifted(words: Tensor, bits: int) -> Tensor:
    # PyTorch shifts copies of the sign in from the left: they are cut off.
    return (words >> bits).bitwise_and_((1 << (32 - bits)) - 1)


def _signed(word: int) -> int:
    """The number that 32 bits stand for with a sign."""
    return word - WORDS if word >= WORDS // 2 else word
