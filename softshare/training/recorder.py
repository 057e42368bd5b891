"""What training records: validation, early stopping, the best weights kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.predict import run_in_pieces
from softshare.tasks.losses import TaskLosses
from softshare.tasks.task_set import TaskSet
from softshare.training.callbacks import AfterEvaluation
from softshare.training.history import History, Row
from softshare.training.objective import Loss

KeepBest = bool | Literal["jointly"]
"""Whether training ends with the best weights; ``"jointly"`` — those of one step for all tasks,
also where nothing is shared.
"""


class Recorder:
    """Writes a row of history at every evaluation, keeps the best weights and stops when there is
    no progress.

    Args:
        history: where the rows go.
        every: steps between evaluations.
        validation: examples that are not trained on; None records the training loss only.
        losses: the tasks' losses.
        patience: evaluations without a better mean validation loss after which training stops; None
            never stops.
        keep_best: end with the weights of :class:`BestWeights`, a second copy of the network in
            memory.
        mean: of the tasks' losses ``(T,)``, nan where a task has none; several processes take it
            together, so that all decide alike.
        told: is told of every row.

    Raises:
        ValueError: ``patience`` or ``keep_best`` without validation data.
    """

    def __init__(
        self,
        history: History,
        *,
        every: int,
        validation: TaskSet | None,
        losses: TaskLosses,
        patience: int | None = None,
        keep_best: KeepBest = False,
        mean: Callable[[Tensor], Tensor] = Tensor.nanmean,
        told: AfterEvaluation | None = None,
    ) -> None:
        if validation is None and (patience is not None or keep_best):
            raise ValueError("patience and keep_best need validation data: pass validation=")
        self.history = history
        self._every, self._validation, self._losses = every, validation, losses
        self._patience = patience
        self._told = told
        jointly = keep_best == "jointly"
        self._best_weights = BestWeights(jointly=jointly) if keep_best else None
        self._mean, self._best, self._since_best = mean, math.inf, 0
        self._sum, self._count, self._begin = 0.0, 0, time.perf_counter()

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        """Adds to the running mean; at every evaluation a row, and True when patience ran out."""
        self._sum += float(loss.by_task.detach().mean())
        self._count += 1
        return (
            self.evaluate(network, step, float(loss.penalty.detach()))
            if step % self._every == 0
            else False
        )

    def evaluate(self, network: MultiTaskNetwork, step: int, penalty: float = 0.0) -> bool:
        """A row of history now."""
        by_task = (
            None
            if self._validation is None
            else mean_losses(network, self._validation, self._losses)
        )
        value = None if by_task is None else float(self._mean(by_task))
        train = self._sum / self._count if self._count else None
        self._sum, self._count = 0.0, 0
        seconds = round(time.perf_counter() - self._begin, 3)
        row: Row = {
            "step": step,
            "train_loss": train,
            "validation_loss": value,
            "penalty": penalty,
            "seconds": seconds,
        }
        self.history.append(row)
        if self._told is not None:
            self._told.after_evaluation(network, row)
        if by_task is None or value is None:
            return False
        if self._best_weights is not None:
            self._best_weights.update(network, by_task, mean=value)
        self._since_best = 0 if value < self._best else self._since_best + 1
        self._best = min(self._best, value)
        return self._patience is not None and self._since_best >= self._patience

    def finish(self, network: MultiTaskNetwork) -> None:
        """Return to the best weights, if they were to be kept."""
        if self._best_weights is not None:
            self._best_weights.restore(network)

    def state_dict(self) -> dict[str, Any]:
        """The history so far, and what it takes to go on with it."""
        best = self._best_weights
        return {
            "rows": list(self.history),
            "sum": self._sum,
            "count": self._count,
            "best": self._best,
            "since_best": self._since_best,
            "best_weights": None if best is None else best.state_dict(),
            "seconds": time.perf_counter() - self._begin,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.history[:] = state["rows"]
        self._sum, self._count = state["sum"], state["count"]
        self._best, self._since_best = state["best"], state["since_best"]
        if self._best_weights is not None:
            self._best_weights.load_state_dict(state["best_weights"])
        self._begin = time.perf_counter() - state["seconds"]


class BestWeights:
    """The weights of the best validation loss so far: of the mean over tasks, or, where nothing is
    shared, of each task's own.

    Tasks that are learned apart would each stop at their own best step: holding them to a common
    one would make the baseline weaker than it is. But where each has a few examples to stop by,
    its own best step is chance: what it says of these is far better than of any others, and worse
    than at a step that all have in common.

    Args:
        jointly: keep those of one step for all tasks, also where nothing is shared.
    """

    def __init__(self, *, jointly: bool = False) -> None:
        self._jointly = jointly
        self._best: Tensor | None = None
        self._state: dict[str, Tensor] = {}
        self._values: dict[int, list[Tensor]] = {}

    def update(self, network: MultiTaskNetwork, losses: Tensor, *, mean: float) -> None:
        """Keep what is better than before.

        Args:
            network: the network as it is now.
            losses: its tasks' mean validation losses, ``(T,)``.
            mean: their mean over all tasks.
        """
        each_its_own = network.shares_nothing and not self._jointly
        losses = losses if each_its_own else torch.tensor([mean])
        best = torch.full_like(losses, torch.inf) if self._best is None else self._best
        better = losses < best
        self._best = torch.where(better, losses, best)
        if each_its_own:
            for task in torch.nonzero(better).flatten().tolist():
                self._values[task] = [value.clone() for value in network.own_values(task)]
        elif better.any():
            self._state = {
                name: value.detach().clone() for name, value in network.state_dict().items()
            }

    def restore(self, network: MultiTaskNetwork) -> None:
        """Put the best weights back into the network; a task that was never validated keeps its
        last.
        """
        if self._state:
            network.load_state_dict(self._state)
        with torch.no_grad():
            for task, kept in self._values.items():
                for value, best in zip(network.own_values(task), kept, strict=True):
                    value.copy_(best)

    def state_dict(self) -> dict[str, Any]:
        """The best weights so far, and their losses."""
        return {"best": self._best, "state": self._state, "values": self._values}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self._best = state["best"]
        self._state = state["state"]
        self._values = state["values"]


def mean_losses(network: MultiTaskNetwork, tasks: TaskSet, losses: TaskLosses) -> Tensor:
    """Every task's mean loss on its examples, ``(T,)``, on the CPU; nan for a task without any."""
    sums = torch.zeros(
        len(tasks),
        dtype=torch.promote_types(torch.get_default_dtype(), next(network.parameters()).dtype),
    )
    with torch.no_grad():
        for batch, outputs, _ in run_in_pieces(network, tasks):
            sums.index_add_(0, batch.tasks.cpu(), losses(outputs, batch).to("cpu", sums.dtype))
    return sums.masked_fill_(torch.from_numpy(tasks.n_examples == 0), torch.nan)
