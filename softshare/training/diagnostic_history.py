"""What a network has to show of its tasks, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from softshare.network.diagnostics import readings
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.diagnostic import Reading
from softshare.training.objective import Loss

if TYPE_CHECKING:
    import pandas as pd


class ReadingHistory:
    """A callback that keeps the readings of a network's modules every few steps: the scales of an
    ordering, for instance.

    Args:
        every: steps between readings.

    Attributes:
        rows: the step, and module name → its readings.
    """

    def __init__(self, *, every: int) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1 step, got {every}")
        self.rows: list[tuple[int, dict[str, list[Reading]]]] = []
        self._every = every
        self._tasks: list[str] = []

    def after_step(self, network: MultiTaskNetwork, step: int, loss: Loss) -> bool:
        """Read every few steps; never ends the training."""
        if step % self._every == 0:
            self._tasks = [task.label for task in network.tasks]
            self.rows.append(
                (
                    step,
                    {
                        module: [_kept(reading) for reading in own]
                        for module, own in readings(network).items()
                    },
                )
            )
        return False

    def to_frame(self, name: str) -> pd.DataFrame:
        """All values of one kind of reading, one a row: ``step``, ``module``, ``task``, the
        reading's axes, ``value``.

        Args:
            name: of the reading, such as ``"ordering"``.
        """
        import pandas as pd

        parts = [pd.DataFrame(columns=["step", "module", "task", "value"])]
        for step, by_module in self.rows:
            for module, reading in (
                (module, reading)
                for module, own in by_module.items()
                for reading in own
                if reading.name == name
            ):
                places = pd.MultiIndex.from_product(
                    [self._tasks, *map(range, reading.values.shape[1:])],
                    names=["task", *reading.axes],
                )
                values = places.to_frame(index=False).assign(
                    value=reading.values.flatten().tolist()
                )
                parts.append(
                    pd.DataFrame({"step": step, "module": module}, index=values.index).join(values)
                )
        return pd.concat(parts[1:] or parts, ignore_index=True)


def _kept(reading: Reading) -> Reading:
    return Reading(reading.name, reading.axes, reading.values.detach().cpu().clone())
