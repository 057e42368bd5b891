"""Tasks that have nothing in common: what ``auto`` loses by having looked for it.

    python -m experiments.few_rows.unrelated [SEEDS]

Ten regression tasks of 30 rows and five inputs, of which none, or all but three, have the same
coefficients. Each is learned by ``auto --preset quick`` and by each way apart that it weighs, and
judged on 1,000 new rows a task by the RMSE in standard deviations of the noise. The paired
differences of 20 seeds go to ``unrelated.json``; about three minutes of one core.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from scipy import stats

from softshare.methods.named import AUTO, RIDGE
from softshare.methods.settings import checked_settings
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split
from softshare.tasks.task_set import TaskSet

RECORD = Path(__file__).parent / "unrelated.json"
N_TASKS, N_TRAIN, N_TEST, N_INPUTS = 10, 30, 1000, 5


def made(n_related: int, seed: int) -> TaskSet:
    """Tasks of which the first so many have the same coefficients, the others each their own."""
    generator = np.random.default_rng(seed)
    coef = generator.normal(size=(N_TASKS, N_INPUTS))
    coef[:n_related] = coef[0]
    tasks = np.repeat(np.arange(N_TASKS), N_TRAIN + N_TEST)
    inputs = generator.normal(size=(len(tasks), N_INPUTS))
    outputs = (inputs * coef[tasks]).sum(axis=1)
    return TaskSet.from_task_column(inputs, outputs + generator.normal(size=len(tasks)), tasks)


def errors(tasks: TaskSet, seed: int) -> np.ndarray:
    """Each task's RMSE by ``auto`` and by ridge regressions apart. Shape (2, T)."""
    part = N_TRAIN / (N_TRAIN + N_TEST)
    train, nothing, test = prepare(tasks, split(tasks, seed=seed, fractions=(part, 0.0, 1 - part)))
    found = []
    for method, options in ((AUTO, {"preset": "quick"}), (RIDGE, {})):
        settings = checked_settings(
            {
                "source": "made",
                "method": method.name,
                "fraction": 1.0,
                "seed": seed,
                "method_options": options,
            }
        )
        learned = method.learn(train, nothing, settings)
        residuals = test.targets - np.concatenate(learned.predict(test))[:, 0]
        # The noise has the standard deviation 1 before targets are scaled.
        scale = tasks.targets.std() / test.targets.std()
        squares = np.bincount(test.task_of, residuals**2) / np.bincount(test.task_of)
        found.append(scale * np.sqrt(squares))
    return np.array(found)


def main(n_seeds: int) -> None:
    """Run both kinds of tasks and tell what is lost."""
    record = {}
    for n_related in (0, 7):
        differences = []
        for seed in range(n_seeds):
            of_auto, of_ridge = errors(made(n_related, seed), seed)
            differences.append((of_auto - of_ridge).round(4).tolist())
        unrelated = np.array(differences)[:, n_related:].mean(axis=1)
        half = stats.t.ppf(0.975, n_seeds - 1) * stats.sem(unrelated)
        told = f"{unrelated.mean():+.4f} [{unrelated.mean() - half:.4f}, "
        told += f"{unrelated.mean() + half:.4f}]"
        print(f"{n_related} of {N_TASKS} related: RMSE of the unrelated beside apart {told}")
        if n_related:
            related = np.array(differences)[:, :n_related].mean()
            print(f"  of the related {related:+.4f}")
        record[f"{n_related} of {N_TASKS} related"] = differences
        RECORD.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
