"""Training as TensorBoard shows it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from softshare.network.diagnostics import diagnostics
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.tasks.task_set import TaskSet
from softshare.training.history import Row
from softshare.training.objective import Loss

SummaryWriter: Any = None
try:
    from torch.utils import tensorboard
except ImportError:  # it is an extra
    pass
else:
    SummaryWriter = tensorboard.SummaryWriter

OF_A_ROW = {
    "train_loss": "loss/train",
    "validation_loss": "loss/validation",
    "penalty": "loss/penalty",
}
"""A column of history → the name of its curve."""


class TensorBoard:
    """A callback that writes the history, and what the network has to show of its tasks.

    At every evaluation there is a point of each curve of the history, of each task's training loss
    since the one before, and a histogram of each of the network's diagnostics.

    Args:
        folder: what ``tensorboard --logdir`` is given.
        tasks: the training examples, whose tasks' losses are to have curves; none when None.

    Raises:
        ImportError: TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path, *, tasks: TaskSet | None = None) -> None:
        if SummaryWriter is None:
            raise ImportError("TensorBoard is not installed: pip install 'softshare[tensorboard]'")
        self._folder = str(folder)
        self._names = [] if tasks is None else [task.label for task in tasks.tasks]
        self._losses: dict[int, list[float]] = defaultdict(list)
        self._step = 0
        self._goes_on = False
        self._writer: Any = None

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        """Remembers the tasks' losses; never ends the training."""
        if self._names:
            values = loss.by_task.detach().tolist()
            for task, value in zip(loss.tasks.tolist(), values, strict=True):
                self._losses[task].append(value)
        return False

    def after_evaluation(self, network: MultiTaskNetwork, row: Row) -> None:
        """Writes all that is new."""
        if self._writer is None:
            # What a stopped training has written beyond its checkpoint is written again.
            again = self._step + 1 if self._goes_on else None
            self._writer = SummaryWriter(self._folder, purge_step=again)
        self._step = int(row["step"] or 0)
        for column, curve in OF_A_ROW.items():
            if row[column] is not None:
                self._writer.add_scalar(curve, row[column], self._step)
        for task, losses in sorted(self._losses.items()):
            mean = sum(losses) / len(losses)
            self._writer.add_scalar(f"task/{self._names[task]}", mean, self._step)
        self._losses.clear()
        for module, own in diagnostics(network).items():
            for each in own:
                name = f"{each.name}/{module}"
                self._writer.add_histogram(name, each.values.detach().cpu(), self._step)
        self._writer.flush()

    def close(self) -> None:
        """Close the file; training on opens another."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def state_dict(self) -> dict[str, Any]:
        """How far the curves go, and the losses since."""
        return {"step": self._step, "losses": dict(self._losses)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self._step, self._goes_on = state["step"], True
        self._losses = defaultdict(list, state["losses"])
