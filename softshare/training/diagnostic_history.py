"""What a network has to show of its tasks, over training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from softshare.network.diagnostics import diagnostics
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.sharing.diagnostic import Diagnostic
from softshare.training.objective import Loss

if TYPE_CHECKING:
    import pandas as pd


class DiagnosticHistory:
    """A callback that keeps the diagnostics of a network's modules every few steps: the scales of
    an ordering, for instance.

    Args:
        every: steps between diagnostics.

    Attributes:
        rows: the step, and module name → its diagnostics.
    """

    def __init__(self, *, every: int) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1 step, got {every}")
        self.rows: list[tuple[int, dict[str, list[Diagnostic]]]] = []
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
                        module: [_kept(diagnostic) for diagnostic in own]
                        for module, own in diagnostics(network).items()
                    },
                )
            )
        return False

    def state_dict(self) -> dict[str, Any]:
        """The rows so far, and whose they are."""
        rows = []
        for step, by_module in self.rows:
            plain = {}
            for module, own in by_module.items():
                plain[module] = [(each.name, each.axes, each.values) for each in own]
            rows.append((step, plain))
        return {"rows": rows, "tasks": self._tasks}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.rows = []
        for step, plain in state["rows"]:
            by_module = {}
            for module, own in plain.items():
                by_module[module] = [Diagnostic(*each) for each in own]
            self.rows.append((step, by_module))
        self._tasks = state["tasks"]

    def to_frame(self, name: str) -> pd.DataFrame:
        """All values of one kind of diagnostic, one a row: ``step``, ``module``, ``task``, the
        diagnostic's axes, ``value``.

        Args:
            name: of the diagnostic, such as ``"ordering"``.
        """
        import pandas as pd

        parts = [pd.DataFrame(columns=["step", "module", "task", "value"])]
        for step, by_module in self.rows:
            for module, diagnostic in (
                (module, diagnostic)
                for module, own in by_module.items()
                for diagnostic in own
                if diagnostic.name == name
            ):
                places = pd.MultiIndex.from_product(
                    [self._tasks, *map(range, diagnostic.values.shape[1:])],
                    names=["task", *diagnostic.axes],
                )
                values = places.to_frame(index=False).assign(
                    value=diagnostic.values.flatten().tolist()
                )
                parts.append(
                    pd.DataFrame({"step": step, "module": module}, index=values.index).join(values)
                )
        return pd.concat(parts[1:] or parts, ignore_index=True)


def _kept(diagnostic: Diagnostic) -> Diagnostic:
    return Diagnostic(diagnostic.name, diagnostic.axes, diagnostic.values.detach().cpu().clone())
