"""Any module in all tasks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.known_modules import can_map, facts_of
from softshare.network.execution.task_norm import AT_ONCE
from softshare.sharing.diagnostic import Diagnostic

MAPPED_FROM = 10
"""Tasks from which ``torch.vmap`` is faster than a loop over them."""


class TaskModule(TaskLayer):
    """Any other module with parameters or buffers: in all tasks at once where a way is known, else
    task by task.

    The ways, the first that applies: once on the folded batch, where all tasks have the same values
    and rows are
    treated one by one (known of norms, said by a module's attribute ``by_row``); the module's own
    ``run_tasks``; the norms' ways; ``torch.vmap`` where nothing in it forbids that; a loop over the
    tasks.

    ``run_tasks(x, values, …)`` gets the tasks' rows ``(k, B, …)`` and their parameters, name →
    ``(k, …)``, and gives ``(k, B, …)``. The module's buffers (running statistics) are each task's
    own; those of tasks that are kept stay as they are.

    Args:
        module: the template's module.
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
        n_tasks: all tasks, for the buffers.
        name: the module's name in the template.
    """

    def __init__(
        self,
        module: nn.Module,
        parameters: Sources,
        layout: BatchLayout,
        n_tasks: int,
        *,
        name: str,
    ) -> None:
        super().__init__(parameters, layout)
        self._name = name
        self._module = (module,)
        self._buffer_names = [name for name, _ in module.named_buffers()]
        for number, (_, value) in enumerate(module.named_buffers()):
            self.register_buffer(f"buffer_{number}", value.expand(n_tasks, *value.shape).clone())
        self._n_tasks, self._n_kept = n_tasks, 0
        self._maps = not self._buffer_names and all(can_map(part) for part in module.modules())
        self._is_by_row = getattr(module, "by_row", False) or facts_of(module).is_by_row

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward, ``(k·B, …)`` → ``(k·B, …)``; further tensor arguments are
        folded alike.
        """
        layout, module = self._layout, self._module[0].train(self.training and self._learns)
        x = layout.join(x)
        if self.is_shared and self._is_by_row:
            self._note("once on the folded batch: the values are the same for all tasks")
            module.train(self.training and not self._n_kept)
            return functional_call(
                module,
                {name: self._one(name) for name in self._sources} | self.buffers_of(0),
                (x, *args),
                kwargs,
            )
        x = layout.unfold(layout.expand(x))
        values = {name: self._stack(name) for name in self._sources}
        if (run_tasks := getattr(module, "run_tasks", None)) is not None:
            self._note("in all tasks at once, by the module's own run_tasks")
            return run_tasks(x, values, *args, **kwargs).flatten(0, 1)
        if (
            type(module) in AT_ONCE
            and getattr(module, "momentum", 0.0) is not None
            and not self._learns_twice
        ):
            self._note("in all tasks at once")
            return self._at_once(module, x, values).flatten(0, 1)
        if self._maps and layout.n_tasks >= MAPPED_FROM and not args and not kwargs:
            try:
                y = _flattened(
                    torch.vmap(
                        lambda own, rows: functional_call(module, own, (rows,)),
                        randomness="different",
                    )(values, x)
                )
                self._note("mapped over the tasks (vmap)")
                return y
            except Exception:
                # What vmap cannot do raises many kinds of errors; an error of the module's own the
                # loop raises again.
                self._maps = False
        self._note("task by task")
        return self._loop(module, x, values, *args, **kwargs)

    def _at_once(self, module: nn.Module, x: Tensor, values: dict[str, Tensor]) -> Tensor:
        whole = {
            name: getattr(self, f"buffer_{number}")
            for number, name in enumerate(self._buffer_names)
        }
        if self._layout.tasks is None and not self._n_kept:
            return AT_ONCE[type(module)](module, x, values, whole)
        tasks = (
            torch.arange(self._n_tasks, device=x.device)
            if self._layout.tasks is None
            else self._layout.tasks
        )
        buffers = {name: value.index_select(0, tasks) for name, value in whole.items()}
        y = AT_ONCE[type(module)](module, x, values, buffers)
        if module.training:
            learning = (tasks >= self._n_kept).nonzero().flatten() if self._n_kept else slice(None)
            for name, value in whole.items():
                value.index_copy_(0, tasks[learning], buffers[name][learning])
        return y

    def _loop(
        self, module: nn.Module, x: Tensor, values: dict[str, Tensor], *args: Any, **kwargs: Any
    ) -> Any:
        layout = self._layout
        unbound = {name: stack.unbind(0) for name, stack in values.items()}
        tasks = range(layout.n_tasks) if layout.tasks is None else layout.tasks.tolist()
        outputs = []
        for k, task in enumerate(tasks):
            state = {name: stack[k] for name, stack in unbound.items()} | self.buffers_of(task)
            if self._n_kept:
                module.train(self.training and task >= self._n_kept)
            own = [layout.unfold(arg)[k] if isinstance(arg, Tensor) else arg for arg in args]
            own_named = {
                name: layout.unfold(arg)[k] if isinstance(arg, Tensor) else arg
                for name, arg in kwargs.items()
            }
            outputs.append(functional_call(module, state, (x[k], *own), own_named))
        return torch.utils._pytree.tree_map(
            lambda *parts: torch.cat(parts) if isinstance(parts[0], Tensor) else parts[0], *outputs
        )

    def diagnostics(self) -> list[Diagnostic]:
        """What the module's own ``diagnostics(values)`` says of all tasks; nothing where it has none."""
        read = getattr(self._module[0], "diagnostics", None)
        values = {
            name: parameter.to_torch(weight.padded())
            for name, (parameter, weight) in self._sources.items()
        }
        return [] if read is None else read(values)

    def keep_statistics(self, n_tasks: int) -> None:
        """Leave the running statistics of the first so many tasks as they are from now on, in
        training too.
        """
        self._n_kept = n_tasks

    @property
    def paths(self) -> list[str]:
        """The full names of its parameters in the template."""
        return [parameter.path for parameter, _ in self._sources.values()]

    @property
    def is_frozen(self) -> bool:
        """Whether there are parameters and none of them can be trained."""
        weights = [weight for _, weight in self._sources.values()]
        return bool(weights) and not any(
            parameter.requires_grad for weight in weights for parameter in weight.parameters()
        )

    @property
    def _learns(self) -> bool:
        """Whether a task that runs still learns its statistics."""
        if self._n_kept in (0, self._n_tasks):
            return not self._n_kept
        return self._layout.tasks is None or bool((self._layout.tasks >= self._n_kept).any())

    @property
    def _learns_twice(self) -> bool:
        """Whether a task stands in the pass more than once, so that its statistics follow one batch
        after the other.
        """
        tasks = self._layout.tasks
        return (
            self.training
            and bool(self._buffer_names)
            and tasks is not None
            and len(tasks.unique()) < len(tasks)
        )

    @property
    def layer(self) -> str:
        return self._name or "(whole)"

    def buffers_of(self, task: int) -> dict[str, Tensor]:
        """One task's buffers by their names in the module."""
        return {
            name: getattr(self, f"buffer_{number}")[task]
            for number, name in enumerate(self._buffer_names)
        }


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
        return self.module(self._layout.join(x), *args, **kwargs)


class OwnRows(JoinedRows):
    """A module without parameters that may treat equal rows differently (dropout): every task gets
    its own copy first.
    """

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward on the folded batch."""
        return self.module(self._layout.expand(x), *args, **kwargs)


def _flattened(outputs: Any) -> Any:
    return torch.utils._pytree.tree_map(
        lambda part: part.flatten(0, 1) if isinstance(part, Tensor) else part, outputs
    )
