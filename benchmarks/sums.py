"""Steps of a layer whose weight is a sum, beside independent layers and a frozen one.

    python -m benchmarks.sums

About a minute. One affine layer of 784 × 512 in ten tasks of 64 rows each; steps are interleaved
and the ratios are of medians of processor time.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch
from torch import nn

import softshare as ss
from softshare.sharing.base import Sharing
from softshare.training.fit import fused_adam, parameter_groups

N_TASKS, N_ROWS, N_INPUTS, N_OUTPUTS = 10, 64, 784, 512
RANKS = (32, 5)
TURNS = 15


def network_of(sharing: Sharing) -> ss.MultiTaskNetwork:
    """One layer in all tasks, and a small output that is each task's own."""
    numbers = np.random.default_rng(0)
    data = {}
    for task in range(N_TASKS):
        inputs = numbers.normal(size=(2, N_INPUTS)).astype(np.float32)
        data[f"task {task}"] = (inputs, np.array([0, 1]))
    tasks = ss.TaskSet.from_arrays(data, kinds="binary")
    module = nn.Sequential(nn.Linear(N_INPUTS, N_OUTPUTS), nn.ReLU(), nn.Linear(N_OUTPUTS, 1))
    return ss.MultiTaskNetwork(module, tasks, sharing=sharing)


def main() -> None:
    """Print the median step of each, and its ratio to independent layers'."""
    torch.set_num_threads(1)
    kinds = {
        "independent": ss.Independent(),
        "tied + tensor train": ss.Tied() + ss.TensorTrain(RANKS),
        "pretrained": ss.Pretrained(),
        "pretrained + tensor train": ss.Pretrained() + ss.TensorTrain(RANKS),
    }
    rows = torch.randn(N_TASKS, N_ROWS, N_INPUTS)
    examples = torch.full((N_TASKS,), 64.0)
    steps = {}
    for name, sharing in kinds.items():
        network = network_of(sharing)
        optimizer = fused_adam(parameter_groups(network, 1e-4, {}))
        steps[name] = (network, optimizer)
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(TURNS):
        for name, (network, optimizer) in steps.items():
            begin = time.process_time()
            loss = network.run(rows).square().mean((1, 2)).sum()
            if network.is_regularised:
                loss = loss + network.penalty(examples)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seconds[name].append(time.process_time() - begin)
    of_independent = median(seconds["independent"])
    for name, times in seconds.items():
        print(f"{name:28s} {1e3 * median(times):8.2f} ms {median(times) / of_independent:6.2f}")


if __name__ == "__main__":
    main()
