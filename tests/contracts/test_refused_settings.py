"""Settings that cannot be: one line, when the network is made, that names what is wrong and what
to give instead.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

import softshare as ss


def network_of(make: Callable[[], ss.Sharing]) -> ss.MultiTaskNetwork:
    data = {name: (torch.zeros(4, 6), torch.tensor([0.0, 1.0, 0.0, 1.0])) for name in "abc"}
    tasks = ss.TaskSet.from_arrays(data, kinds="binary")
    template = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1))
    sharing = {"0": make(), "*": ss.Tied()}
    return ss.MultiTaskNetwork(template, tasks, sharing=sharing, initial="independent")


@pytest.mark.parametrize(
    ("make", "named", "remedy"),
    [
        (lambda: ss.Tucker(100), "Tucker: ranks .* got .* 100", r"\(32, 5\), or a fraction"),
        (lambda: ss.Tucker((9, 9)), "layer '0': Tucker needs a rank for each", "fraction .* 0.5"),
        (lambda: ss.Tucker((9, 2, 2)), "rank 9 of axis 'in'", "lower it, or give a fraction"),
        (lambda: ss.TensorTrain(100), "TensorTrain: ranks .* got .* 100", "or a fraction"),
        (lambda: ss.TensorTrain((2, 9)), "rank 9 of axis 'out'", "lower it, or give a fraction"),
        (lambda: ss.LastAxisFlattening(100), "rank 100 of axis 'task'", "lower it"),
        (lambda: ss.LastAxisFlattening("many"), "LastAxisFlattening: ranks", "such as 5, or"),
        (lambda: ss.CP(100), "rank 100 of axis 'every mode'", "lower it, or give a fraction"),
        (lambda: ss.TensorRing(2, shared=9), "TensorRing shared=9", "those that tasks can share"),
        (lambda: ss.TensorRing((2, 2)), r"TensorRing ranks \(2, 2\)", "one number for all"),
        (lambda: ss.TraceNorm(gamma=(1.0, 2.0)), "gamma has 2 values", "give one number for all"),
        (lambda: ss.TensorNormal(("height",)), "no mode 'height' here", "the modes are in, out"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    make: Callable[[], ss.Sharing], named: str, remedy: str
) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        network_of(make)
    caught.match(remedy)
    assert "\n" not in str(caught.value)
