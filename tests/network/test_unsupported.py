"""What a template cannot have is told by name when the network is made."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils import prune, spectral_norm, weight_norm

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task import Task


def old_weight_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return weight_norm(nn.Linear(4, 4))


def run_spectral_norm() -> nn.Module:
    normed = spectral_norm(nn.Linear(4, 4))
    normed(torch.zeros(1, 4))
    return normed


def pruned() -> nn.Module:
    return prune.random_unstructured(nn.Linear(4, 4), "weight", amount=2)


REFUSED = {
    "lazy": (nn.LazyLinear(4), r"layers\.1 \(LazyLinear\) has no weights yet.*a few rows first"),
    "lazy norm": (nn.LazyBatchNorm1d(), r"layers\.1 \(LazyBatchNorm1d\) has no weights yet"),
    "old weight_norm": (old_weight_norm(), r"layers\.1 \(Linear\): its weight is computed"),
    "spectral_norm by hooks": (run_spectral_norm(), r"its weight is computed.*parametrizations"),
    "prune": (pruned(), r"layers\.1 \(Linear\): its weight is computed.*prune\.remove"),
    "max_norm": (nn.Embedding(5, 4, max_norm=1.0), r"layers\.1 \(Embedding\): max_norm=1 changes"),
    "bag": (nn.EmbeddingBag(5, 4, max_norm=2.0), r"\(EmbeddingBag\): max_norm=2 changes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_run_is_refused_by_name(name: str) -> None:
    module, message = REFUSED[name]
    template = nn.Sequential()
    template.add_module("layers", nn.Sequential(nn.Linear(4, 4), module))
    with pytest.raises(ValueError, match=message):
        MultiTaskNetwork(template, [Task(name, "binary") for name in "ab"])
