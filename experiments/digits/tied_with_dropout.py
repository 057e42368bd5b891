"""Hard sharing on digits with and without dropout: mean test ROC-AUC over ten seeds, on the splits
of docs/digits.md.

Run ``python experiments/digits/tied_with_dropout.py`` (a minute).
"""

from __future__ import annotations

from functools import partial
from statistics import fmean

import torch

import softshare as ss
from softshare.data.built_in import digits
from softshare.evaluation.jobs.run import measure
from softshare.network.predict import predict
from softshare.tasks.preprocessing import prepare
from softshare.tasks.splits import split


def roc_auc(*, fraction: float, dropout: float, seed: int) -> float:
    """Of one network that all tasks share but for its output, trained as ``compare`` trains
    ``tied``.
    """
    tasks = digits()
    train, validation, test = prepare(tasks, split(tasks, seed=seed, train_fraction=fraction))
    network = ss.MultiTaskNetwork(
        partial(ss.mlp, dropout=dropout), train, sharing=ss.Tied(), initial="common", seed=seed
    )
    ss.fit(
        network,
        train,
        validation=validation,
        steps=1000,
        evaluate_every=20,
        keep_best=True,
        seed=seed,
    )
    by_task, _ = measure(test, [rows.numpy() for rows in predict(network, test)])
    return fmean(metrics["roc_auc"] or 0.0 for metrics in by_task.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    for fraction in (0.05, 0.1):
        for dropout in (0.0, 0.33):
            mean = fmean(
                roc_auc(fraction=fraction, dropout=dropout, seed=seed) for seed in range(10)
            )
            print(f"{fraction:.0%} of the training part, dropout {dropout}: {mean:.4f}", flush=True)
