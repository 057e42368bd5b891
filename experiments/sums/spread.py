"""Whether the learned spread is the one that tasks were made with.

    python -m experiments.sums.spread

About 5 minutes on two CPU cores. Twenty linear tasks of ten inputs and 40 rows, whose coefficients
spread normally around common ones with a known deviation; twenty seeds for each of three
deviations. Writes ``spread.csv``: a row a deviation, the median and the range of what is learned,
and how many seeds are within a factor of 1.5.
"""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median

import numpy as np
from torch import nn

import softshare as ss
from softshare.sharing.weights.sum_weight import SumWeight

DEVIATIONS = (0.0, 0.2, 1.0)
N_SEEDS = 20
N_TASKS, N_ROWS, N_INPUTS, NOISE = 20, 40, 10, 0.7


def made_tasks(deviation: float, *, seed: int) -> ss.TaskSet:
    """Linear regressions whose coefficients have this deviation around common ones."""
    numbers = np.random.default_rng(seed)
    common = 0.5 * numbers.normal(size=N_INPUTS)
    data = {}
    for task in range(N_TASKS):
        own = common + deviation * numbers.normal(size=N_INPUTS)
        inputs = numbers.normal(size=(N_ROWS, N_INPUTS))
        data[f"task {task}"] = (inputs, inputs @ own + NOISE * numbers.normal(size=N_ROWS))
    return ss.TaskSet.from_arrays(data, kinds="regression")


def learned_spread(deviation: float, *, seed: int, steps: int = 500) -> float:
    """What training finds."""
    tasks = made_tasks(deviation, seed=seed)
    sharing = {"0": ss.Tied() + ss.Independent()}
    network = ss.MultiTaskNetwork(
        nn.Sequential(nn.Linear(N_INPUTS, 1)),
        tasks,
        sharing=sharing,
        initial="independent",
        seed=seed,
    )
    ss.fit(network, tasks, steps=steps, batch_size=32, learning_rate=1e-2, seed=seed)
    weight = network.layers["0"]
    assert isinstance(weight, SumWeight)
    assert weight.spread is not None
    return float(weight.spread.variance) ** 0.5


def main() -> None:
    """All seeds of all deviations."""
    rows = []
    for deviation in DEVIATIONS:
        found = sorted(learned_spread(deviation, seed=seed) for seed in range(N_SEEDS))
        near = [value for value in found if deviation / 1.5 <= value <= deviation * 1.5]
        row = {
            "deviation": deviation,
            "median": round(median(found), 4),
            "least": round(found[0], 4),
            "most": round(found[-1], 4),
            "within 1.5": len(near) if deviation else "",
        }
        print(row, flush=True)
        rows.append(row)
    with (Path(__file__).parent / "spread.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
