"""Two ways to do the same step, timed in turns: what a busy machine slows down, it slows down for
both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

Step = Callable[[], object]
"""Forward, backward and update, or whatever else is timed. One that leaves gradients behind names
their parameters in ``trained``.
"""

SAMPLE = 0.03
"""Seconds that one sample should last at least: shorter steps are repeated within it."""

GEMM_SIZE = 768

PROFILED = 2
"""Steps whose memory is read: the second begins with the gradients of the first."""


@dataclass(frozen=True)
class Measurement:
    """What one pair of steps took.

    Args:
        ratio: median over the turns of the other's time by ours; above 1 ours is faster.
        low: first quartile of these ratios.
        high: third quartile.
        seconds: median time of our step, and of the other.
        peak_bytes: most memory that our step, and the other, held at once beyond parameters and the
            optimizer's state.
        gemm_share: arithmetic of our step, and of the other, by what a large matrix product does in
            that time.
    """

    ratio: float
    low: float
    high: float
    seconds: tuple[float, float]
    peak_bytes: tuple[int, int]
    gemm_share: tuple[float, float]


def measure(ours: Step, other: Step, *, seconds: float, device: torch.device) -> Measurement:
    """Time two steps and a matrix product in turns.

    Args:
        ours: our step.
        other: the step to compare with.
        seconds: to spend on the timing; at least seven turns are made.
        device: where the steps run.
    """
    steps = (ours, other, _gemm(device))
    repeats = [_repeats(step, device) for step in steps]
    turns: list[list[float]] = []
    begin = time.perf_counter()
    while len(turns) < 7 or time.perf_counter() - begin < seconds:
        turns.append(
            [timed(step, count, device) for step, count in zip(steps, repeats, strict=True)]
        )
    ratios = np.array([theirs / own for own, theirs, _ in turns])
    times = [median(column) for column in zip(*turns, strict=True)]
    rate = 2 * GEMM_SIZE**3 / times[2]
    low, middle, high = (float(value) for value in np.quantile(ratios, (0.25, 0.5, 0.75)))
    return Measurement(
        middle,
        low,
        high,
        (times[0], times[1]),
        (peak_bytes(ours, device), peak_bytes(other, device)),
        (_flops(ours) / times[0] / rate, _flops(other) / times[1] / rate),
    )


def peak_bytes(step: Step, device: torch.device) -> int:
    """Most memory that steps hold at once, beyond what lasts: gradients count, also those of the
    step before while they are held.
    """
    for parameter in getattr(step, "trained", ()):
        parameter.grad = None  # a profile knows the sizes of those blocks only that were made in it
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        _repeated(step, PROFILED)
        return int(torch.cuda.max_memory_allocated(device)) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as trace:
        _repeated(step, PROFILED)
    changes = [
        event.nbytes()
        for event in trace.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    return int(np.cumsum([0, *changes]).max())


def _repeated(step: Step, count: int) -> None:
    for _ in range(count):
        step()


def _gemm(device: torch.device) -> Step:
    a, b = torch.randn(2, GEMM_SIZE, GEMM_SIZE, device=device)
    return lambda: a @ b


def _repeats(step: Step, device: torch.device) -> int:
    """How often a step goes into a sample; the first runs, which set things up, do not count."""
    timed(step, 2, device)
    return max(1, round(SAMPLE / timed(step, 1, device)))


def timed(step: Step, count: int, device: torch.device) -> float:
    """Seconds of one step, the mean over ``count``.

    On a processor those that it gave to this process, which is one thread: a neighbour's turns do
    not count.
    """
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    begin = clock()
    _repeated(step, count)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (clock() - begin) / count


def _flops(step: Step) -> int:
    with FlopCounterMode(display=False) as counter:
        step()
    return int(counter.get_total_flops())
