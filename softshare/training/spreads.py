"""How far the tasks' own parts spread, learned in training by empirical Bayes.

Every few steps, on the rows of the step and without dropout, each layer whose weight is a sum is
asked what its own parts' deviations could be: the gradients say where each task wants to go from
the common weights, the curvature how sure it is of that, and what is left of the squares beyond
sampling error is the variance (:mod:`softshare.sharing.algebra.excess`). No row that is held out is
looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from softshare.network.execution.observed import Observed
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.algebra.excess import excess_squares
from softshare.sharing.weights.sum_weight import SumWeight
from softshare.tasks.batch import Batch
from softshare.tasks.curvature import curvature_roots
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training.distributed import Processes, add_up

EVERY = 10
"""Steps between updates."""

MOST_ROWS = 32
"""Of a task that are looked at in one update."""

MOST_TASKS = 256
"""Tasks that are looked at in one update."""

PRIOR_ROWS = 20.0
"""Rows of the common dispersion that a task's own is weighed against."""

MEMORY = 0.9
"""Of the squared errors so far, what stays at each update."""


class SpreadUpdates:
    """Sets the variance of the own parts of every sum, in training.

    Args:
        network: nothing is done where none of its weights learns a spread.
        train: the training examples.
        losses: the tasks' losses.
        processes: that train together.
    """

    def __init__(
        self,
        network: MultiTaskNetwork,
        train: TaskSet,
        losses: TaskLosses,
        processes: Processes,
    ) -> None:
        self._losses = losses
        self._processes = processes
        self._tasks = train.tasks
        self._counts = torch.from_numpy(train.n_examples.astype("float32"))
        self._places = network.numbers(train.tasks)
        self._sums = [part for part in network.modules() if isinstance(part, SumWeight)]
        self._learned = [weight for weight in self._sums if _learns(weight)]
        self._is_centred: dict[SumWeight, bool] = {}
        self._errors = torch.full((len(train.tasks),), torch.nan)

    def after_step(self, network: MultiTaskNetwork, step: int, batches: Sequence[Batch]) -> None:
        """An update when it is due."""
        if not self._sums or step % EVERY:
            return
        for weight in self._sums:
            self._is_centred[weight] = weight.regularises and weight.recentre()
        if not self._learned:
            return
        evidence: dict[SumWeight, Tensor] = {}
        with network.bodies.observing() as observed:
            for batch in batches:
                observed.clear()
                part = _some(batch)
                self._look(network, part, observed, evidence)
        self._learn(evidence)

    def state_dict(self) -> dict[str, Any]:
        """What is remembered beside the network's own numbers."""
        return {"errors": self._errors}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self._errors = state["errors"]

    def _look(
        self,
        network: MultiTaskNetwork,
        batch: Batch,
        observed: list[Observed],
        evidence: dict[SumWeight, Tensor],
    ) -> None:
        """Add what one batch says of each layer's variance."""
        numbers = batch.tasks.cpu()
        tasks = [self._tasks[number] for number in numbers.tolist()]
        places = self._places[numbers]
        with torch.enable_grad():
            outputs = network.run(
                batch.inputs,
                tasks=places.to(batch.inputs.device),
                one_input=batch.one_input,
            )
            by_task = self._losses(outputs, batch)
        layers = []
        for part in observed:
            if _learns(part.weight) and part.outputs.requires_grad:
                layers.append(part)
        if not layers:
            return

        self._note_errors(numbers, by_task.detach())
        dispersion = self._dispersion()[numbers].to(outputs)
        weights = self._row_weights(batch, numbers).to(outputs)  # (k, B)
        roots = curvature_roots(outputs, tasks, dispersion)
        roots = roots * weights.sqrt().unsqueeze(-1)
        ends = [part.outputs for part in layers]
        columns = []
        for root in roots:
            of_root = torch.autograd.grad(outputs, ends, root, retain_graph=True)
            columns.append(of_root)
        pulls = torch.autograd.grad(by_task.sum(), ends)

        # From a task's mean loss to minus its log-likelihood.
        to_likelihood = weights.sum(1) / dispersion
        for number, part in enumerate(layers):
            of_layer = [part.by_place(column[number]) for column in columns]
            pull = part.by_place(pulls[number])
            pull = -pull * to_likelihood[:, None, None, None]
            found = _evidence(part, torch.stack(of_layer), pull, weights)
            before = evidence.get(part.weight)
            evidence[part.weight] = found if before is None else before + found

    def _row_weights(self, batch: Batch, numbers: Tensor) -> Tensor:
        """How much each row counts, ``(k, B)``: 1, or less where rows come twice in a step, which
        are not two rows; 0 where the label is missing.
        """
        present = batch.present
        if present is None:
            present = torch.ones_like(batch.targets)
        labels = present.float().cpu()
        counted = labels.sum(1)
        distinct = torch.minimum(counted, self._counts[numbers])
        share = distinct / counted.clamp(min=1)
        return labels * share.unsqueeze(1)

    def _note_errors(self, numbers: Tensor, losses: Tensor) -> None:
        """Remember the mean losses of the tasks."""
        before = self._errors[numbers]
        new = losses.float().cpu()
        kept = MEMORY * before + (1 - MEMORY) * new
        self._errors[numbers] = torch.where(before.isnan(), new, kept)

    def _dispersion(self) -> Tensor:
        """Twice the noise's variance of every task with a squared loss, 1 of the others: ``(T,)``.

        A task's few rows weigh against what all tasks' errors are.
        """
        dispersion = torch.ones(len(self._tasks))
        squared = torch.tensor([task.kind == "regression" for task in self._tasks])
        known = squared & ~self._errors.isnan()
        if not known.any():
            return dispersion
        counts = self._counts
        common = (counts * self._errors)[known].sum() / counts[known].sum()
        own = self._errors.where(known, common)
        mixed = (PRIOR_ROWS * common + counts * own) / (PRIOR_ROWS + counts)
        return (2 * mixed).clamp(min=1e-6).where(squared, dispersion)

    def _learn(self, evidence: Mapping[SumWeight, Tensor]) -> None:
        """Every layer's update, the same in all processes."""
        dispersion = self._dispersion()
        found = []
        for weight in self._learned:
            own = evidence.get(weight)
            if own is None:
                device = next(weight.parameters()).device
                own = torch.zeros(2, dtype=torch.float64, device=device)
            found.append(own)
        if self._processes.count > 1:
            shared = dispersion.to(found[0])
            add_up([*found, shared], divide_by=self._processes.count)
            dispersion = shared.cpu()
        for weight, (excess, total) in zip(self._learned, found, strict=True):
            spread = weight.spread
            assert spread is not None
            # Around their own mean T deviations have T − 1 of T parts of their variance.
            n_tasks = weight.n_tasks
            lost = n_tasks / (n_tasks - 1) if self._is_centred[weight] and n_tasks > 1 else 1.0
            spread.dispersion[self._places] = dispersion.to(spread.dispersion)
            weight.own.scale(spread.learn(lost * excess, total))


def _learns(weight: SumWeight) -> bool:
    """Whether training sets the variance of the own parts."""
    return weight.spread is not None and weight.spread.is_learned


def _evidence(part: Observed, columns: Tensor, pull: Tensor, weights: Tensor) -> Tensor:
    """The sums of excess squares and of their weights that one layer gives, ``(2,)``."""
    spread = part.weight.spread
    assert spread is not None
    centred = _beside_bias(part, weights)
    kernel, pulled, own = _inner_products(centred, columns, pull)
    excess, total = excess_squares(kernel, pulled, own, spread.variance)
    return torch.stack([excess, total])


def _beside_bias(part: Observed, weights: Tensor) -> Observed:
    """A weight's inputs around each task's mean: what they have in common over a task's rows moves
    its outputs as a bias does, which is free to do that and says nothing of the weight's spread.

    Args:
        part: of a weight or a bias; the latter stays.
        weights: of the rows, ``(k, B)``.
    """
    if part.inputs.shape[-1] == 1 and part.own.shape[1] == 1:
        return part
    of_rows = weights[:, :, None, None]
    total = of_rows.sum(1, keepdim=True).clamp(min=1e-12) * part.inputs.shape[2]
    mean = (of_rows * part.inputs).sum((1, 2), keepdim=True) / total
    return replace(part, inputs=part.inputs - mean)


def _inner_products(part: Observed, columns: Tensor, pull: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``JJᵀ``, ``Js`` and ``Jv`` of every task, where a row of J is the gradient of a row's output
    in one column's direction: ``x ⊗ g``, summed over places.

    Shape:
        columns ``(C, k, B, P, out)``, pull ``(k, B, P, out)`` → ``(k, R, R)``, ``(k, R)``, ``(k,
        R)`` with R = C·B.
    """
    x = part.inputs.expand(*columns.shape[1:4], -1)
    gradients = columns.movedim(0, 1)  # (k, C, B, P, out)
    own = (torch.einsum("kbpi,kio->kbpo", x, part.own).unsqueeze(1) * gradients).sum((3, 4))
    if x.shape[2] == 1:
        # The inner product of two outer products is the product of two inner products.
        rows = x[:, :, 0]
        g = gradients[:, :, :, 0]  # (k, C, B, out)
        of_inputs = rows @ rows.mT  # (k, B, B)
        of_columns = torch.einsum("kcbo,kdeo->kcbde", g, g)
        kernel = of_columns * of_inputs[:, None, :, None, :]
        of_pull = torch.einsum("kcbo,keo->kcbe", g, pull[:, :, 0])
        pulled = (of_pull * of_inputs.unsqueeze(1)).sum(-1)
    else:
        jacobian = torch.einsum("kbpi,kcbpo->kcbio", x, gradients).flatten(3)
        total = torch.einsum("kbpi,kbpo->kio", x, pull).flatten(1)
        kernel = torch.einsum("kcbn,kden->kcbde", jacobian, jacobian)
        pulled = torch.einsum("kcbn,kn->kcb", jacobian, total)
    n_rows = kernel.shape[1] * kernel.shape[2]
    return (
        kernel.reshape(len(x), n_rows, n_rows),
        pulled.reshape(len(x), n_rows),
        own.reshape(len(x), n_rows),
    )


def _some(batch: Batch) -> Batch:
    """No more tasks and rows than an update looks at."""
    rows, tasks = slice(MOST_ROWS), slice(MOST_TASKS)
    inputs = batch.inputs[rows] if batch.one_input else batch.inputs[tasks, rows]
    present = None if batch.present is None else batch.present[tasks, rows]
    return replace(
        batch,
        tasks=batch.tasks[tasks],
        inputs=inputs,
        targets=batch.targets[tasks, rows],
        present=present,
        divisors=None,
        weights=None if batch.weights is None else batch.weights[tasks, rows],
    )
