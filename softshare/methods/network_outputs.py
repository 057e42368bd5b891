"""What a trained network says of entries, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from softshare.methods.method import State
from softshare.methods.plain_entries import on_inputs, plain_entries
from softshare.network.execution.batch_layout import is_one_for_all
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import predict
from softshare.tasks.columns import offsets_of
from softshare.tasks.task_set import TaskSet

Outputs = np.ndarray
"""One row an entry, ``(N, n_outputs)``: the widest where tasks differ, filled up with zeros."""

MOST_OTHERS = 100
"""Tasks whose networks stand for all, at even distances, where there are more."""


def joint_outputs(network: MultiTaskNetwork, tasks: TaskSet) -> Outputs:
    """A network's outputs on every entry."""
    width = max(task.n_outputs for task in tasks.tasks)
    joint = np.zeros((len(tasks.rows), width))
    for number, rows in enumerate(predict(network, tasks)):
        joint[tasks.entries(number), : rows.shape[1]] = rows.numpy()
    return joint


def outputs_of_others(network: MultiTaskNetwork, tasks: TaskSet) -> Outputs:
    """What a network says of tasks that it has not learned: the mean of what it says of each that
    it has, for a new task may be any of them.

    Args:
        network: of other tasks of the same form.
        tasks: the new ones, of one form.

    Raises:
        ValueError: the learned tasks differ in form.
    """
    others = network.tasks
    if len({(task.kind, task.n_outputs) for task in others}) > 1:
        raise ValueError("the tasks that were learned differ in form, and have no answer in common")
    if all(is_one_for_all(weight) for weight in network.shared_weights.values()):
        others = others[:1]
    places = np.linspace(0, len(others) - 1, min(len(others), MOST_OTHERS)).round().astype(int)
    entries = on_inputs(tasks, plain_entries(tasks).inputs)
    total = np.zeros((len(entries.rows), max(task.n_outputs for task in others)))
    for place in places:
        of_one = replace(
            entries,
            tasks=(others[place],),
            source_of=np.zeros(1, dtype=np.int64),
            offsets=offsets_of([len(entries.rows)]),
            target_scaling=None,
            units=None,
        )
        total += joint_outputs(network, of_one)
    return total / len(places)


def network_state(network: MultiTaskNetwork) -> State:
    """The numbers of a network by their names; those that only training needs among them."""
    return {name: value.detach().cpu().numpy() for name, value in _numbers(network).items()}


def load_network(network: MultiTaskNetwork, state: State) -> None:
    """Take the numbers of :func:`network_state`.

    Factors may have other ranks than the network's own: those were found in training.

    Raises:
        ValueError: the state is of a network of another form.
    """
    own = _numbers(network)
    if own.keys() != state.keys():
        strange = sorted(own.keys() ^ state.keys())
        raise ValueError(f"its numbers are of a network of another form ({strange[0]})")
    for name, value in state.items():
        values = torch.from_numpy(np.array(value))
        if own[name].ndim != values.ndim:
            raise ValueError(f"its numbers are of a network of another form ({name})")
        own[name].data = values.to(own[name])


def _numbers(network: MultiTaskNetwork) -> dict[str, Tensor]:
    """Every parameter and kept buffer once, by the first of its names."""
    saved = network.state_dict().keys()
    buffers = {name: value for name, value in network.named_buffers() if name in saved}
    return {**dict(network.named_parameters()), **buffers}
