"""All tasks' outputs on all their examples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod

import numpy as np
import torch
from torch import Tensor

from softshare.network.execution.batch_layout import is_one_for_all
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.batch import Batch, weights_at
from softshare.tasks.task_set import TaskSet, take

ROWS_AT_ONCE = 512
"""Rows of a task that go through the network in one pass."""

FEW_ROWS, FEW_TASKS, NUMBERS_AT_ONCE = 32, 32, 1 << 23
"""With large inputs fewer rows, with very many tasks some at a time, but no fewer than these: as
many as hold so many numbers, inputs and the tasks' own weights together."""

Piece = tuple[np.ndarray, np.ndarray, np.ndarray, bool]
"""Tasks ``(k,)``; the rows that they see, ``(k, B)``, or ``(B,)`` where all see the same; the
entries that these are, ``(k, B)``, -1 where they are none; and whether all see the same."""


def predict(network: MultiTaskNetwork, tasks: TaskSet) -> list[Tensor]:
    """Every task's outputs on its examples, in the order of its entries.

    Args:
        network: it is run in evaluation mode, and its modules are left in the modes they were in.
        tasks: the examples of the network's tasks, or of some of them.

    Returns:
        For every task ``(N_t, n_outputs_t)``, on the CPU.
    """
    widest = max(task.n_outputs for task in tasks.tasks)
    parameter = next(network.parameters())
    joint = torch.empty(
        len(tasks.rows),
        widest,
        dtype=parameter.dtype,
    )
    for _, outputs, entries in run_in_pieces(network, tasks):
        is_example = entries >= 0  # (k, B): shorter tasks are filled up
        width = outputs.shape[2]
        own = outputs.cpu()[is_example]  # (examples, W)
        joint[entries[is_example], :width] = own.to(joint.dtype)
    counts = tasks.n_examples.tolist()
    by_task = []
    for rows, task in zip(joint.split(counts), tasks.tasks, strict=True):
        by_task.append(rows[:, : task.n_outputs])
    return by_task


@torch.no_grad()
def run_in_pieces(
    network: MultiTaskNetwork, tasks: TaskSet
) -> Iterator[tuple[Batch, Tensor, Tensor]]:
    """Runs the network on all examples, those of many tasks at once, yet in bounded memory.

    Args:
        network: it is run in evaluation mode, and its modules are left in the modes they were in.
        tasks: the examples of the network's tasks, or of some of them.

    Yields:
        A batch of ``tasks``, whose divisors are the tasks' numbers of examples: the losses of a
        task's batches add up to its mean loss. Then its outputs ``(k, B, W)``, and the entries it
        is made of ``(k, B)``, -1 where a task has none.
    """
    parameter = next(network.parameters())
    numbers = network.numbers(tasks.tasks).to(parameter.device)
    own, shared = _composed_numbers(network)
    with network.bodies.evaluating():
        suits_same_rows = _suits_same_rows(tasks, own, shared)
        pieces = _on_same_rows if suits_same_rows else _on_own_rows
        for piece in pieces(tasks, own):
            _, _, entries, _ = piece
            batch = _read(tasks, piece).to(parameter.device, parameter.dtype)
            outputs = network.run(
                batch.inputs,
                tasks=numbers[batch.tasks],
                one_input=batch.one_input,
            )
            yield batch, outputs, torch.from_numpy(entries)


def _composed_numbers(network: MultiTaskNetwork) -> tuple[int, int]:
    """How many numbers one task's composed weights are: those that are its own, and those that are
    the same for all.
    """
    counts = {True: 0, False: 0}
    for weight in network.shared_weights.values():
        # By its shape: a large weight of few factors may never be composed otherwise.
        n_numbers = weight.independent_parameters() // weight.n_tasks
        is_common = is_one_for_all(weight)
        counts[is_common] += n_numbers
    own = counts[False]
    common = counts[True]
    return own, common


def _suits_same_rows(tasks: TaskSet, own: int, shared: int) -> bool:
    """Whether all tasks on all rows, what they share run once, take fewer multiply-adds than each
    task on the rows with its labels.
    """
    if not tasks.one_input:
        return False
    distinct = np.unique(tasks.rows)
    n_rows = len(distinct)
    n_labels = len(tasks.rows)
    of_row_in_all = shared + len(tasks) * own
    of_labelled_row = shared + own
    return n_rows * of_row_in_all <= n_labels * of_labelled_row


def _at_once(shape: tuple[int, ...], own: int, n_tasks: int) -> tuple[int, int]:
    """How many tasks, and how many rows of each, go through the network in one pass."""
    of_row = prod(shape)
    of_task = own + FEW_ROWS * of_row
    that_fit = NUMBERS_AT_ONCE // of_task
    many = min(n_tasks, max(FEW_TASKS, that_fit))
    rows_that_fit = NUMBERS_AT_ONCE // (many * of_row)
    rows = min(ROWS_AT_ONCE, max(FEW_ROWS, rows_that_fit))
    return many, rows


def _on_same_rows(tasks: TaskSet, own: int) -> Iterator[Piece]:
    """Every row once for all tasks that go through at once."""
    rows, place = np.unique(tasks.rows, return_inverse=True)
    n_tasks, n_rows = _at_once(tasks.input_shape(0), own, len(tasks))
    starts = np.arange(0, len(rows) + n_rows, n_rows)
    for first in range(0, len(tasks), n_tasks):
        last = min(first + n_tasks, len(tasks))
        members = np.arange(first, last)
        begin = tasks.offsets[first]
        end = tasks.offsets[last]
        entries = np.arange(begin, end)
        by_row = np.argsort(place[entries], kind="stable")
        entries = entries[by_row]
        cuts = np.searchsorted(place[entries], starts[1:-1])
        parts = np.split(entries, cuts)
        for (start, stop), inside in zip(pairwise(starts), parts, strict=True):
            seen = rows[start:stop]
            shape = (len(members), len(seen))
            table = np.full(shape, -1)
            of_task = tasks.task_of[inside] - first
            of_row = place[inside] - start
            table[of_task, of_row] = inside  # -1 where a task has no label for a row
            yield members, seen, table, True


def _on_own_rows(tasks: TaskSet, own: int) -> Iterator[Piece]:
    """Tasks of about one size together, rows after rows, each over those that still have some."""
    sizes = tasks.n_examples
    for source in np.unique(tasks.source_of):
        has_source = tasks.source_of == source
        has_rows = sizes > 0
        members = np.flatnonzero(has_source & has_rows)
        largest_first = np.argsort(-sizes[members], kind="stable")
        members = members[largest_first]
        inputs = tasks.sources[source]
        shape = tuple(inputs.shape[1:])
        n_members = max(1, len(members))
        n_tasks, n_rows = _at_once(shape, own, n_members)
        for first in range(0, len(members), n_tasks):
            together = members[first : first + n_tasks]
            most = int(sizes[together[0]])
            for begin in range(0, most, n_rows):
                active = together[sizes[together] > begin]
                end = min(begin + n_rows, most)
                within = np.arange(begin, end)  # (B,)
                firsts = tasks.offsets[active]
                entries = firsts[:, None] + within
                counts = sizes[active][:, None]
                present = within < counts
                # A task that has run out of rows is filled up with its first of these.
                filled = np.where(present, entries, entries[:, :1])
                known = np.where(present, entries, -1)
                yield active, tasks.rows[filled], known, False


def _read(tasks: TaskSet, piece: Piece) -> Batch:
    """A piece's examples; entries that are none have the target 0 and do not count."""
    members, rows, entries, one_input = piece
    present = entries >= 0
    source = tasks.source_of[members[0]]
    inputs = take(tasks.sources[source], rows.ravel())
    if not one_input:
        inputs = inputs.unflatten(0, entries.shape)  # (k, B, *input)
    targets = np.where(present, tasks.targets[entries], 0)
    dtype = torch.get_default_dtype()
    is_whole = bool(present.all())
    mask = None if is_whole else torch.from_numpy(present)
    return Batch(
        torch.from_numpy(members),
        inputs,
        torch.from_numpy(targets).to(dtype),
        mask,
        one_input,
        torch.from_numpy(tasks.n_examples[members]),
        weights=weights_at(tasks, entries),
    )
