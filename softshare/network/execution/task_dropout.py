"""Dropout in all tasks, each task's by a stream of its own."""

from __future__ import annotations

from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.task_module import TaskModule

BY_FEATURE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
"""Drop a whole feature map of a row."""

DROPOUTS = (nn.Dropout, *BY_FEATURE)


class TaskDropout(nn.Module):
    """``nn.Dropout`` and its kinds by feature map, in all tasks.

    Args:
        module: the template's module.
        layout: how the running batch lies.
    """

    def __init__(self, module: nn.Module, layout: BatchLayout) -> None:
        super().__init__()
        assert isinstance(module, DROPOUTS)
        self.p = module.p
        self._by_feature = isinstance(module, BY_FEATURE)
        self._rows_are_features = isinstance(module, nn.Dropout1d)
        self._layout = layout

    @property
    def is_active(self) -> bool:
        """Whether it drops anything."""
        return self.training and self.p > 0

    def forward(self, x: Tensor) -> Tensor:
        """``(k·B, …)`` or, between the layers of a chain, ``(k, B, …)`` → the same."""
        if not self.is_active:
            return x
        layout = self._layout
        if layout.apart and not layout.one_copy:
            return self.drop(x)
        rows = layout.unfold(layout.expand(x))
        return self.drop(rows).flatten(0, 1)

    def drop(self, rows: Tensor) -> Tensor:
        """``(k, B, …)`` → the same, by the noise of the tasks, or the portion, that now run."""
        if not self.is_active:
            return rows
        if self.p == 1:
            return rows * 0.0
        kept = self._layout.noise.keep(self._shape(rows), self.p, rows.device)
        within = [1] * (rows.ndim - kept.ndim)  # a feature map is kept or dropped as a whole
        kept = kept.view(*kept.shape, *within)
        # What is kept is scaled up, so that the mean stays.
        scales = kept.to(rows.dtype).mul_(1 / (1 - self.p))
        return rows * scales

    def _shape(self, rows: Tensor) -> tuple[int, ...]:
        """Where there is a draw of its own: for every number, or for every feature map."""
        if not self._by_feature:
            return tuple(rows.shape)
        # PyTorch takes rows without a window for one example's (C, L): each is a feature map.
        if self._rows_are_features and rows.ndim == 3:
            return tuple(rows.shape[:2])
        return tuple(rows.shape[:3])


def may_draw(body: nn.Module) -> bool:
    """Whether a template, as it runs, may draw from PyTorch's own generator.

    Known not to are the layers here and PyTorch's modules without a probability; whatever others
    write may.
    """
    for module in body.modules():
        parts = [module]
        if isinstance(module, TaskModule):
            # A template's own module is hidden in what runs it, with all its parts.
            parts = list(module.module.modules())
        if any(_may_draw(part) for part in parts):
            return True
    return False


def _may_draw(module: nn.Module) -> bool:
    """Whether a module by itself, apart from its children, may draw."""
    if not type(module).__module__.startswith(("torch.nn.", "softshare.")):
        return True
    probability = getattr(module, "dropout", 0.0)  # of recurrent layers and attention
    if isinstance(probability, float) and probability > 0:
        return True
    random = (
        nn.RReLU,
        nn.modules.dropout._DropoutNd,
        nn.FractionalMaxPool2d,
        nn.FractionalMaxPool3d,
    )
    return isinstance(module, random)
