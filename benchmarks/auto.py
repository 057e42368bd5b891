"""``python -m benchmarks.auto [PRESET ...]``: what ``auto`` takes on 15,000 rows of 139 tasks.

(Two of them are too small to be split, and left out.)

28 features, the rows of ``benchmarks.shallow``, numbers to predict, one thread. Prints what the
processor spent and the most memory that was held, which are the same beside a busy neighbour. On
two cores ``quick`` must take less than a minute, ``default`` less than ten, in less than 3 GiB.
Some minutes of one core.
"""

from __future__ import annotations

import resource
import sys
from time import process_time

import numpy as np
import torch

from benchmarks.shallow import rows
from softshare.methods.named import AUTO
from softshare.methods.settings import checked_settings
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

ROWS, TRAIN = 15_000, 0.9
"""That train, and the part of all that they are."""


def main(presets: list[str]) -> None:
    """Print a line for every preset."""
    torch.set_num_threads(1)
    inputs, numbers, _, of_task = rows(round(ROWS / TRAIN))
    tasks = TaskSet.from_task_column(inputs, numbers, of_task)
    parts = (TRAIN, 0.0, 1 - TRAIN)
    tasks = tasks.drop_small_tasks(fractions=parts)
    train, nothing, test = prepare(tasks, split(tasks, seed=0, fractions=parts))
    for preset in presets:
        settings = checked_settings(
            {
                "source": "made",
                "method": "auto",
                "fraction": 1.0,
                "seed": 0,
                "method_options": {"preset": preset},
            }
        )
        begin = process_time()
        learned = AUTO.learn(train, nothing, settings)
        seconds = process_time() - begin
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        weights = learned.decided["weights"]
        print(f"{preset}: {seconds:.0f} s of processor, {held:.2f} GiB, {weights}", flush=True)
        assert np.isfinite(np.concatenate(learned.predict(test))).all()


if __name__ == "__main__":
    main(sys.argv[1:] or ["quick", "default"])
