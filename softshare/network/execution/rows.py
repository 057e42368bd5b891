"""Modules without anything that is learned, as they run on several tasks' rows."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout


class JoinedRows(nn.Module):
    """A module without parameters that does the same to a row whichever task it serves.

    Args:
        module: the template's module.
        layout: how the running batch lies.
    """

    def __init__(self, module: nn.Module, layout: BatchLayout) -> None:
        super().__init__()
        self.module = module
        self._layout = layout

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward on the tasks' rows, or on the one copy that all see."""
        rows = self._layout.join(x)
        return self.module(rows, *args, **kwargs)


class OwnRows(JoinedRows):
    """A module without parameters that may treat equal rows differently (dropout): every task gets
    its own copy first.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward on the folded batch."""
        rows = self._layout.expand(x)
        return self.module(rows, *args, **kwargs)
