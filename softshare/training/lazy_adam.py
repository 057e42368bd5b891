"""Adam for very many tasks: a step touches only the rows of the tasks in its batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch.optim import Adam, Optimizer, SparseAdam


class LazyAdam(Optimizer):
    """Adam whose moments of a task's own parameters move only in steps that have the task in their
    batch.

    Plain Adam moves every parameter in every step, those of absent tasks by what is left of their
    momentum; with a million tasks and 32 in a batch nearly all its work is of that kind. Here the
    rows with a gradient are updated as Adam would update them, the others not at all: the one place
    where training very many
    tasks differs in its numbers from training few. The correction of moments that begin at zero
    counts all steps, so a row whose first gradient comes late is at first moved by up to ``(1 −
    β₁)/√(1 − β₂)`` times the learning rate, 3.2 times by default. Everything shared is updated by
    fused Adam as ever.

    Needs a network made with ``sparse_rows=True``.

    Args:
        groups: parameter groups as :func:`softshare.training.fit.parameter_groups` makes them;
            those marked ``sparse_rows`` are updated lazily.
        lr: learning rate of groups without one of their own.
        betas: Adam's decay rates.

    Raises:
        TypeError: plain parameters, which do not say whose gradients are rows.
    """

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
    ) -> None:
        groups = list(groups)
        if any(not isinstance(group, dict) for group in groups):
            raise TypeError(
                "LazyAdam takes parameter groups that say whose gradients are rows, not "
                "plain parameters: make it by "
                "LazyAdam(softshare.training.fit.parameter_groups(network, 1e-3, {})), or "
                "let ss.fit make it (optimizer=LazyAdam)"
            )
        groups = [dict(group) for group in groups]
        super().__init__(groups, {"lr": lr, "sparse_rows": False})
        lazy = [group for group in self.param_groups if group["sparse_rows"]]
        dense = [group for group in self.param_groups if not group["sparse_rows"]]
        # The inner optimizers share these groups' lists and dicts, so a scheduler's changes reach
        # them.
        self._inner: list[Optimizer] = []
        if dense:
            self._inner.append(
                _with_groups(Adam([torch.zeros(1)], lr=lr, betas=betas, fused=True), dense)
            )
        if lazy:
            self._inner.append(_with_groups(SparseAdam([torch.zeros(1)], lr=lr, betas=betas), lazy))

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], float] | None = None
    ) -> float | None:
        """One update of everything that has a gradient."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for optimizer in self._inner:
            optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The inner optimizers' states, in order."""
        return {"inner": [optimizer.state_dict() for optimizer in self._inner]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """The states that :meth:`state_dict` gave."""
        for optimizer, state in zip(self._inner, state_dict["inner"], strict=True):
            groups = optimizer.param_groups
            optimizer.load_state_dict(state)
            for group, loaded in zip(groups, optimizer.param_groups, strict=True):
                group.update(loaded)
            optimizer.param_groups = groups


def _with_groups(optimizer: Optimizer, groups: list[dict[str, Any]]) -> Optimizer:
    """The optimizer made over these group dicts themselves."""
    defaults = dict(optimizer.defaults)
    for group in groups:
        for name, value in defaults.items():
            group.setdefault(name, value)
    optimizer.param_groups = groups
    return optimizer
