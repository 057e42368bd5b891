"""Ten-way error on digits beside what a person would run instead, on the splits of docs/digits.md.

    python experiments/digits/beside_scikit_learn.py [SEEDS]

``auto --preset quick`` and ``kernel-apart`` learn ten one-vs-all tasks from 108 images. From the
same images scikit-learn tells the ten digits apart, by a support vector machine and by extremely
randomised trees, as they come. Ten seeds take four minutes of one core.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
import torch
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.svm import SVC

import softshare as ss
from softshare.data.built_in import digits
from softshare.reproduction.verdict import estimate
from softshare.tasks.splits import split

FRACTION = 0.1
OURS = ("auto", "kernel-apart")
THEIRS = {"SVC": SVC, "ExtraTrees": ExtraTreesClassifier}


def of_softshare(seeds: int) -> dict[str, list[float]]:
    """Errors of every seed, in per cent."""
    comparison = ss.compare(
        digits(),
        methods=list(OURS),
        preset="quick",
        fractions=[FRACTION],
        seeds=seeds,
        workers=0,
    )
    errors: dict[str, list[float]] = {name: [] for name in OURS}
    for record in comparison.records:
        name = record["settings"]["method"]
        if name in errors:
            errors[name].append(100 * record["set_metrics"]["test"]["multiclass_error"])
    return errors


def of_scikit_learn(seed: int) -> dict[str, float]:
    """Errors of one seed, in per cent."""
    tasks = digits()
    drawn = split(tasks, seed=seed, train_fraction=FRACTION)
    train = pixels_and_digits(tasks.select(drawn.train))
    test = pixels_and_digits(tasks.select(drawn.test))
    errors = {}
    for name, make in THEIRS.items():
        options = {"random_state": seed} | ({"n_estimators": 500} if name == "ExtraTrees" else {})
        errors[name] = 100 * (1 - make(**options).fit(*train).score(*test))
    return errors


def pixels_and_digits(tasks: ss.TaskSet) -> tuple[np.ndarray, np.ndarray]:
    """Each image as a row of 64 numbers, and which digit it shows."""
    rows = tasks.rows[tasks.entries(0)]
    images = np.asarray(tasks.sources[0])[rows].reshape(len(rows), -1)
    is_digit = [tasks.targets[tasks.entries(digit)] for digit in range(len(tasks))]
    return images, np.argmax(is_digit, axis=0)


def table(errors: Mapping[str, list[float]]) -> str:
    """Means, and how much less ``auto`` errs, with 95 % t-intervals of paired differences."""
    lines = ["| | ten-way error, % | `auto` errs less by |", "|---|---|---|"]
    for name, values in errors.items():
        gain = estimate(np.subtract(values, errors["auto"]).tolist())
        assert gain is not None
        told = "" if name == "auto" else f"{gain.mean:+.1f} [{gain.low:.1f}, {gain.high:.1f}]"
        lines.append(f"| {name} | {np.mean(values):.1f} ± {np.std(values, ddof=1):.1f} | {told} |")
    return "\n".join(lines)


if __name__ == "__main__":
    torch.set_num_threads(1)
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    found = of_softshare(n_seeds)
    for name in THEIRS:
        found[name] = [of_scikit_learn(seed)[name] for seed in range(n_seeds)]
    print(table(found))
