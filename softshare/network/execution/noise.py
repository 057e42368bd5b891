"""Random numbers for dropout, every task's its own however many tasks run as one.

A number is computed from what it is for: the seed, the step, the task's name, which of the pass's
draws it is, and its place among the task's rows. Neither the order of the tasks nor which others
there are, neither other threads nor how a step's rows are divided among processes change it, and no
generator has a state to keep.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.random_keys import key_of, mixed, torch_seeded

WORDS = 1 << 32
"""How many keys and places there are: both are numbers of 32 bits."""

HALVES = 1 << 16
"""A random word of 32 bits makes two draws, so probabilities are multiples of 1 / 65536."""

WEYL = 0x9E3779B1
"""The step of the Weyl sequence: 2³² / φ, made a prime."""

ROUNDS = ((16, 0x85EBCA6B), (13, 0xC2B2AE35))
"""Shifts and factors of MurmurHash3's finaliser, which ends with a shift by 16."""


@dataclass(frozen=True)
class Portion:
    """Some rows of a pass, which are run by themselves: rows of several tasks, all that these have,
    or of one task.

    Args:
        first_task: where its tasks begin among the pass's.
        n_tasks: how many there are.
        first_row: which of its task's rows in the pass the first one is.
    """

    first_task: int
    n_tasks: int
    first_row: int = 0


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
        self._portion: Portion | None = None

    @contextmanager
    def training(self) -> Iterator[None]:
        """While it lasts, :meth:`begin_step` says what is drawn; afterwards PyTorch's generator."""
        try:
            yield
        finally:
            self._step = None
            self._process = 0
            self.first_row = 0

    def begin_step(self, seed: int, step: int, *, process: int = 0) -> None:
        """Draw for this step from now on.

        Args:
            seed: of the whole training.
            step: its number.
            process: the number of this one of several processes, which only what draws from
                PyTorch's generator goes by.
        """
        self._step = key_of(seed, ("noise", step))
        self._process = process

    def begin_pass(self, tasks: Tensor | None) -> None:
        """The next draws are for these tasks ``(k,)``, for all when None."""
        self._of_pass = None
        self._tasks = tasks
        self._draws = 0

    @contextmanager
    def one_by_one(self, portions: Sequence[Portion]) -> Iterator[Iterator[Portion]]:
        """While it lasts, draws are for one portion after the other, each as though it ran with all
        the others.
        """
        begin = self._draws
        try:
            yield self._turns(portions, begin)
        finally:
            self._portion = None

    def _turns(self, portions: Sequence[Portion], begin: int) -> Iterator[Portion]:
        for portion in portions:
            self._portion = portion
            self._draws = begin  # the same layers run again
            yield portion

    def keep(self, shape: Sequence[int], probability: float, device: torch.device) -> Tensor:
        """Which values are kept, each task's by its own stream.

        Args:
            shape: ``(k, B, …)``.
            probability: of a value to be dropped.
            device: where the values are.

        Returns:
            True for what is kept, of this shape.
        """
        keys = self._keys_of_draw()
        first_row = self.first_row
        if self._portion is not None:
            begin = self._portion.first_task
            end = begin + self._portion.n_tasks
            keys = keys[begin:end]
            first_row += self._portion.first_row
        _, n_rows, *of_row = shape
        a_row = prod(of_row)
        first = first_row * a_row
        count = n_rows * a_row
        # Two draws a word: the first may begin in the middle of one.
        begin_word, skipped = divmod(first, 2)
        end_word = (first + count + 1) // 2
        words = _words(keys, begin_word, end_word, device)  # (k, words)
        halves = words.view(torch.int16)  # (k, 2 · words), from -32768 to 32767
        draws = halves[:, skipped : skipped + count]
        smallest_kept = round(probability * HALVES) - HALVES // 2
        kept = draws >= smallest_kept
        return kept.view(*shape)

    def _keys_of_draw(self) -> np.ndarray:
        """A key of 32 bits for each of the pass's tasks, ``(k,)``, another one for every draw."""
        if self._of_pass is None:
            self._of_pass = self._keys_of_pass()
        of_draw = self._of_pass + np.uint64(self._draws)
        self._draws += 1
        upper = mixed(of_draw) >> np.uint64(32)
        return upper.astype(np.uint32)

    @contextmanager
    def of_others(self) -> Iterator[None]:
        """What draws from PyTorch's own generator meanwhile has a stream of this step.

        Nothing tells a task's numbers from another's there. Threads wait for each other.
        """
        if self._step is None:
            yield
            return
        key = key_of(self._step, ("process", self._process))
        with torch_seeded(key >> 1):  # a seed has 63 bits
            yield

    def _keys_of_pass(self) -> np.ndarray:
        """A key for each of the pass's tasks, ``(k,)``."""
        if self._of_names is None:
            keys = (key_of("task", name) for name in self._names)
            self._of_names = np.fromiter(keys, dtype=np.uint64, count=len(self._names))
        # Outside of fit, PyTorch's generator is the seed of all streams, as for any dropout.
        step = self._step
        if step is None:
            step = int(torch.randint(1 << 62, ()))
        own = self._of_names
        if self._tasks is not None:
            tasks = self._tasks.cpu().numpy()
            own = own[tasks] + _times_before(tasks)
        of_step = mixed(own) + np.uint64(step)
        return mixed(of_step)


def _times_before(tasks: np.ndarray) -> np.ndarray:
    """How often each task has stood in a pass before, ``(k,)``: its second batch draws anew."""
    before = np.zeros(len(tasks), dtype=np.uint64)
    if len(np.unique(tasks)) < len(tasks):
        seen: dict[int, int] = {}
        for place, task in enumerate(tasks.tolist()):
            times = seen.get(task, 0)
            before[place] = times
            seen[task] = times + 1
    return before


def _words(keys: np.ndarray, begin: int, end: int, device: torch.device) -> Tensor:
    """Random words of 32 bits: keys ``(k,)`` and n places → ``(k, n)``.

    A Weyl sequence under the finaliser of MurmurHash3 (Appleby 2011); multiplications wrap around.
    """
    if device.type == "cpu":
        # NumPy has unsigned words, and takes a fraction of the time where there are few.
        unsigned = _words_by_numpy(keys, begin, end)
        return torch.from_numpy(unsigned.view(np.int32))
    signed = torch.from_numpy(keys.view(np.int32)).to(device)
    places = torch.arange(begin, end, device=device)
    multiples = places.to(torch.int32).mul_(_signed(WEYL))  # (n,)
    words = multiples + signed[:, None]  # (k, n)
    for shift, factor in ROUNDS:
        words.bitwise_xor_(_shifted(words, shift))
        words.mul_(_signed(factor))
    return words.bitwise_xor_(_shifted(words, 16))


def _words_by_numpy(keys: np.ndarray, begin: int, end: int) -> np.ndarray:
    places = np.arange(begin, end).astype(np.uint32)
    words = places * np.uint32(WEYL) + keys[:, None]
    for shift, factor in ROUNDS:
        words ^= words >> np.uint32(shift)
        words *= np.uint32(factor)
    words ^= words >> np.uint32(16)
    return words


def _shifted(words: Tensor, bits: int) -> Tensor:
    # PyTorch shifts copies of the sign in from the left: they are cut off.
    without_copies = (1 << (32 - bits)) - 1
    return (words >> bits).bitwise_and_(without_copies)


def _signed(word: int) -> int:
    """The number that 32 bits stand for with a sign."""
    return word - WORDS if word >= WORDS // 2 else word
