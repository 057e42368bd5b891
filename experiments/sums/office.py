"""Office-Caltech: a prior around a mean beside a prior around zero, pooling and learning apart.

    SOFTSHARE_DATA=... python -m experiments.sums.office [--features googlenet surf]
        [--percentages 5 10 20] [--seeds N]

Domains are tasks, ten kinds of objects; 5, 10 or 20 % of each kind's images train and the rest
tests, five random splits. The published lists name images, and nothing says which image a row of
features belongs to: the splits are drawn. Every network has one hidden layer of 256 units on the
features (the bottleneck of the paper), and makes the same steps; nothing is chosen but what the
last network says, as at 5 % one domain has one image a kind. A run whose record exists is not run
again. Every run takes some seconds of one core, a choice a minute, all together three quarters of
an hour.

* apart, pooled (the output layer too), and tied lower layers with output layers of their own;
* DRN: a prior on the output layers around zero, at full strength and with no warm-up, on tied lower
  layers, as ``tensor-normal-drn`` has it; and ``TensorNormal()`` as it is, on both layers: a tenth
  of that strength, and warm-up;
* MRN: the same with covariances of features and kinds too (Long, Wang and Yu, equation 8);
* DRN around a mean, ``Tied() + TensorNormal()``: on the output layers, its variance learned;
* the same with its strength chosen by three folds of the training part: a learned variance, or the
  prior around zero's own learned covariance at its full strength or at a tenth.

Published (Long, Wang and Yu 2017, table 1; fine-tuned AlexNet, mean of four domains, 5 / 10 /
20 %): DRN 93.8 / 94.5 / 95.5, apart 82.8 / 87.6 / 90.8, tied lower layers 79.8 / 87.8 / 91.2.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch

import softshare as ss
from softshare.data import office_caltech
from softshare.network.predict import predict
from softshare.sharing.base import Sharing
from softshare.tasks.folds import folds
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split

RECORDS = Path(__file__).parent / "records"
FEATURES = ("googlenet", "surf")
PERCENTAGES = (5, 10, 20)
HIDDEN = 256
STEPS, BATCH_SIZE = 300, 32

FULL = partial(ss.TensorNormal, scale=1.0, warm_up=0)
ALL_MODES = ("in", "out", "task")
AS_IT_IS = ss.TensorNormal()
KINDS: dict[str, dict[str, Sharing]] = {
    "apart": {"output": ss.Independent(), "*": ss.Independent()},
    "pooled": {"output": ss.Tied(), "*": ss.Tied()},
    "tied lower layers": {"output": ss.Independent(), "*": ss.Tied()},
    "DRN": {"output": FULL(), "*": ss.Tied()},
    "DRN, two layers": {"output": AS_IT_IS, "*": AS_IT_IS},
    "MRN": {"output": FULL(ALL_MODES), "*": ss.Tied()},
    "DRN around a mean": {"output": ss.Tied() + FULL(), "*": ss.Tied()},
}
"""The sharing of the output layers, and of the layer below."""

CHOSEN = "DRN around a mean, chosen"
STRENGTHS: dict[str, dict[str, Sharing]] = {
    "learned": {"output": ss.Tied() + FULL(), "*": ss.Tied()},
    "full": {"output": ss.Sum(ss.Tied(), FULL(), 0), "*": ss.Tied()},
    "tenth": {"output": ss.Sum(ss.Tied(), FULL(scale=0.1), 0), "*": ss.Tied()},
}
"""Of the prior around a mean: what three folds choose from."""

N_FOLDS = 3


def main() -> None:
    """Run what the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--features", nargs="*", default=list(FEATURES))
    parser.add_argument("--percentages", nargs="*", type=int, default=list(PERCENTAGES))
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    for seed, features in product(range(asked.seeds), asked.features):
        for percentage in asked.percentages:
            run_cell(features, percentage, seed)


def run_cell(features: str, percentage: int, seed: int) -> None:
    """All kinds of networks on one split; each is written as it ends."""
    path = RECORDS / f"office-{features}-{percentage}-{seed}.json"
    record: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    record |= {"features": features, "percentage": percentage, "seed": seed}
    known: dict[str, Any] = record.setdefault("kinds", {})
    if all(kind in known for kind in (*KINDS, CHOSEN)):
        return
    train, test = parts(features, percentage, seed)
    for kind, sharing in KINDS.items():
        if kind not in known:
            known[kind] = run(sharing, train, test, seed)
            _write(path, record)
    if CHOSEN not in known:
        strength, figures = choose(train, seed)
        found = run(STRENGTHS[strength], train, test, seed)
        known[CHOSEN] = found | {"strength": strength, "folds": figures}
        _write(path, record)
    told = [f"{kind} {100 * found['mean']:.1f}" for kind, found in known.items()]
    print(f"{path.stem}: {', '.join(told)}", flush=True)


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")


def choose(train: ss.TaskSet, seed: int) -> tuple[str, dict[str, float]]:
    """The strength whose networks are right on the most rows that they did not learn, of all
    domains together, as one of them has a row a kind; and all strengths' shares of such rows.
    """
    fold = folds(train, N_FOLDS, seed=seed)
    figures = dict.fromkeys(STRENGTHS, 0.0)
    for number, strength in product(range(N_FOLDS), STRENGTHS):
        rest, held_out = train.select(fold != number), train.select(fold == number)
        found = run(STRENGTHS[strength], rest, held_out, seed)
        right = [found["right"][task.label] for task in held_out.tasks]
        figures[strength] += float(np.dot(right, held_out.n_examples)) / len(train.targets)
    best = max(figures, key=lambda strength: figures[strength])
    return best, {strength: round(value, 5) for strength, value in figures.items()}


def parts(features: str, percentage: int, seed: int) -> tuple[ss.TaskSet, ss.TaskSet]:
    """The prepared training and test part of one split."""
    tasks = office_caltech.surf() if features == "surf" else office_caltech.googlenet()
    share = percentage / 100
    drawn = split(tasks, seed=seed, fractions=(share, 0.0, 1 - share), train_fraction=share)
    train, _, test = prepare(tasks, drawn)
    return train, test


def run(
    sharing: dict[str, Sharing], train: ss.TaskSet, test: ss.TaskSet, seed: int
) -> dict[str, Any]:
    """Train one network and measure it."""
    begin = time.process_time()
    # Priors start from weights of the tasks' own: equal ones are perfectly correlated.
    has_prior = any(isinstance(one, ss.TensorNormal) for one in sharing.values())
    network = ss.MultiTaskNetwork(
        partial(ss.mlp, hidden=(HIDDEN,)),
        train,
        sharing=sharing,
        initial="independent" if has_prior else "common",
        seed=seed,
    )
    ss.fit(network, train, steps=STEPS, batch_size=BATCH_SIZE, seed=seed)
    right: dict[str, float] = {}
    outputs = predict(network, test)
    for number, (task, scores) in enumerate(zip(test.tasks, outputs, strict=True)):
        wanted = test.targets[test.task_of == number]
        right[task.label] = round(float((scores.numpy().argmax(1) == wanted).mean()), 5)
    found = {"right": right, "mean": round(float(np.mean(list(right.values()))), 5)}
    correlation = _correlation(network)
    if correlation is not None:
        found["correlation"] = correlation
    return found | {"seconds": round(time.process_time() - begin, 1)}


def _correlation(network: ss.MultiTaskNetwork) -> float | None:
    """The mean learned correlation of two tasks' output layers, or None."""
    correlation = network.layers["output"].task_correlation()
    if correlation is None:
        return None
    pairs = correlation[~torch.eye(len(correlation), dtype=torch.bool)]
    return round(float(pairs.mean()), 3)


if __name__ == "__main__":
    main()
