"""Any module in all tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_map

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.hooks import has_hooks
from softshare.network.execution.known_modules import can_map, facts_of
from softshare.network.execution.task_norm import AT_ONCE
from softshare.sharing.diagnostic import Diagnostic

MAPPED_FROM = 10
"""Tasks from which ``torch.vmap`` is faster than a loop over them."""

Values = dict[str, Tensor]
"""Names in the module → values of its parameters or buffers."""


class TaskModule(TaskLayer):
    """Any other module with parameters or buffers: in all tasks at once where a way is known, else
    task by task.

    The ways, the first that applies: once on the folded batch, where all tasks have the same values
    and rows are treated one by one (known of norms, said by a module's attribute ``by_row``); the
    module's own ``run_tasks``; the norms' ways; ``torch.vmap`` where nothing in it forbids that; a
    loop over the tasks. Where a hook is on it, or on a module inside, it is the loop.

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
        self._module = (module,)  # in a tuple: its own weights are not this network's parameters
        self._buffer_names = [name for name, _ in module.named_buffers()]
        persistent = module.state_dict().keys()
        for number, (path, value) in enumerate(module.named_buffers()):
            stacked = value.expand(n_tasks, *value.shape).clone()
            self.register_buffer(f"buffer_{number}", stacked, persistent=path in persistent)
        self._n_tasks, self._n_kept = n_tasks, 0

        parts = list(module.modules())
        known = facts_of(module).is_by_row and not self._buffer_names
        self._is_by_row = known or getattr(module, "by_row", False)
        self._is_hooked = any(has_hooks(part) for part in parts)
        self._maps = not self._buffer_names and all(can_map(part) for part in parts)
        self._maps_evaluation = not any(facts_of(part).has_fast_evaluation for part in parts)

    # --- the ways ------------------------------------------------------------------------------

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward, ``(k·B, …)`` → ``(k·B, …)``; further tensor arguments are
        folded alike.
        """
        layout, module = self._layout, self._module[0].train(self.training and self._learns)
        x = layout.join(x)
        if self.is_shared and self._is_by_row and not self._is_hooked:
            return self._once(module, x, *args, **kwargs)
        x = layout.unfold(layout.expand(x))  # (k·B, …) → (k, B, …)
        values = {name: self._stack(name) for name in self._sources}
        if self._is_hooked:
            self._note("task by task, as there are hooks")
            return self._loop(module, x, values, *args, **kwargs)
        if (run_tasks := getattr(module, "run_tasks", None)) is not None:
            self._note("in all tasks at once, by the module's own run_tasks")
            return run_tasks(x, values, *args, **kwargs).flatten(0, 1)
        if self._runs_at_once(module):
            self._note("in all tasks at once")
            return self._at_once(module, x, values).flatten(0, 1)
        if not args and not kwargs and self._runs_mapped(module):
            y = self._mapped(module, x, values)
            if y is not None:
                self._note("mapped over the tasks (vmap)")
                return y
        self._note("task by task")
        return self._loop(module, x, values, *args, **kwargs)

    def _once(self, module: nn.Module, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """On all rows together, whose values are the same for all tasks."""
        self._note("once on the folded batch: the values are the same for all tasks")
        module.train(self.training and not self._n_kept)
        values = {name: self._one(name) for name in self._sources}
        return functional_call(module, values | self.buffers_of(0), (x, *args), kwargs)

    def _runs_at_once(self, module: nn.Module) -> bool:
        if type(module) not in AT_ONCE or self._learns_twice:
            return False
        # A batch norm with momentum None takes the mean over all batches, each task over its own.
        return getattr(module, "momentum", 0.0) is not None

    def _at_once(self, module: nn.Module, x: Tensor, values: Values) -> Tensor:
        """By the module's way in :data:`AT_ONCE`, ``(k, B, …)`` → ``(k, B, …)``."""
        stacked = [getattr(self, f"buffer_{number}") for number in range(len(self._buffer_names))]
        whole = dict(zip(self._buffer_names, stacked, strict=True))
        run, tasks = AT_ONCE[type(module)], self._layout.tasks
        if tasks is None and not self._n_kept:
            return run(module, x, values, whole)
        if tasks is None:
            tasks = torch.arange(self._n_tasks, device=x.device)
        buffers = {name: value.index_select(0, tasks) for name, value in whole.items()}
        y = run(module, x, values, buffers)
        if module.training:
            learning = (tasks >= self._n_kept).nonzero().flatten() if self._n_kept else slice(None)
            for name, value in whole.items():
                value.index_copy_(0, tasks[learning], buffers[name][learning])
        return y

    def _runs_mapped(self, module: nn.Module) -> bool:
        if not self._maps or self._layout.n_tasks < MAPPED_FROM:
            return False
        return module.training or self._maps_evaluation

    def _mapped(self, module: nn.Module, x: Tensor, values: Values) -> Any:
        """By ``torch.vmap``, ``(k, B, …)`` → ``(k·B, …)``; None, now and later, where that does not
        go.
        """

        def of_one(own: Values, rows: Tensor) -> Any:
            return functional_call(module, own, (rows,))

        try:
            stacked = torch.vmap(of_one, randomness="different")(values, x)
            return tree_map(_flattened, stacked)
        except Exception:
            # What vmap cannot do raises many kinds of errors; an error of the module's own the
            # loop raises again.
            self._maps = False
            return None

    def _loop(self, module: nn.Module, x: Tensor, values: Values, *args: Any, **kwargs: Any) -> Any:
        """Task by task, ``(k, B, …)`` → ``(k·B, …)``."""
        layout = self._layout

        def of_task(k: int, argument: Any) -> Any:
            return layout.unfold(argument)[k] if isinstance(argument, Tensor) else argument

        # Unbound once: each index would cost a gradient of the whole stack's size.
        unbound = {name: stack.unbind(0) for name, stack in values.items()}
        tasks = range(layout.n_tasks) if layout.tasks is None else layout.tasks.tolist()
        given = {task: self._buffers_to_change(task) for task in tasks}
        buffers = dict(given)  # a task that stands here twice goes on from what the first time left
        outputs = []
        for k, task in enumerate(tasks):
            if self._n_kept:
                module.train(self.training and task >= self._n_kept)
            state = {name: stack[k] for name, stack in unbound.items()}
            state |= buffers[task]
            own = [of_task(k, argument) for argument in args]
            own_named = {name: of_task(k, argument) for name, argument in kwargs.items()}
            # What the forward assigns to a buffer stands in this dictionary afterwards.
            outputs.append(functional_call(module, state, (x[k], *own), own_named))
            buffers[task] = {name: state[name] for name in self._buffer_names}
        if self._buffer_names:
            self._keep_assigned(given, buffers)
        return tree_map(_joined, *outputs)

    # --- buffers -------------------------------------------------------------------------------

    def buffers_of(self, task: int) -> Values:
        """One task's buffers by their names in the module."""
        return {
            name: getattr(self, f"buffer_{number}")[task]
            for number, name in enumerate(self._buffer_names)
        }

    def _buffers_to_change(self, task: int) -> Values:
        """One task's buffers; copies where what becomes of them is not kept."""
        own = self.buffers_of(task)
        if not self._changes(task):
            return {name: value.clone() for name, value in own.items()}
        return own

    def _changes(self, task: int) -> bool:
        return task >= self._n_kept and self._layout.decisions is None

    def _keep_assigned(self, before: Mapping[int, Values], after: Mapping[int, Values]) -> None:
        """Take over what a forward has assigned to its buffers; what it changed in place is kept
        already.

        Args:
            before: task → the buffers that its pass was given.
            after: task → those that stood in the module after it.
        """
        for number, name in enumerate(self._buffer_names):
            whole = getattr(self, f"buffer_{number}")
            assigned = {
                task: own[name]
                for task, own in after.items()
                if own[name] is not before[task][name] and self._changes(task)
            }
            if not assigned:
                continue
            # A new tensor: the old one may be needed for the gradient.
            changed = whole.clone()
            for task, value in assigned.items():
                if value.shape != whole.shape[1:]:
                    raise RuntimeError(
                        f"{self.layer}: its forward gave the buffer {name!r} the shape "
                        f"{tuple(value.shape)} instead of {tuple(whole.shape[1:])}; a buffer "
                        "of a MultiTaskNetwork keeps its shape"
                    )
                changed[task] = value.detach()
            setattr(self, f"buffer_{number}", changed)

    def keep_statistics(self, n_tasks: int) -> None:
        """Leave the running statistics of the first so many tasks as they are from now on, in
        training too.
        """
        self._n_kept = n_tasks

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
        if not self.training or not self._buffer_names or tasks is None:
            return False
        return len(tasks.unique()) < len(tasks)

    # --- what it tells -------------------------------------------------------------------------

    @property
    def module(self) -> nn.Module:
        """The template's module, which runs with the tasks' values."""
        return self._module[0]

    def diagnostics(self) -> list[Diagnostic]:
        """What the module's own ``diagnostics(values)`` says of all tasks; nothing where it has
        none.
        """
        tell = getattr(self._module[0], "diagnostics", None)
        if tell is None:
            return []
        values = {}
        for name, (parameter, weight) in self._sources.items():
            values[name] = parameter.to_torch(weight.padded())
        return tell(values)

    @property
    def paths(self) -> list[str]:
        """The full names of its parameters in the template."""
        return [parameter.path for parameter, _ in self._sources.values()]

    @property
    def is_frozen(self) -> bool:
        """Whether there are parameters and none of them can be trained."""
        weights = [weight for _, weight in self._sources.values()]
        trained = (
            parameter.requires_grad for weight in weights for parameter in weight.parameters()
        )
        return bool(weights) and not any(trained)

    @property
    def layer(self) -> str:
        return self._name or "(whole)"


def _flattened(part: Any) -> Any:
    return part.flatten(0, 1) if isinstance(part, Tensor) else part


def _joined(*parts: Any) -> Any:
    """The tasks' rows one after the other; what is no tensor is the first task's."""
    return torch.cat(parts) if isinstance(parts[0], Tensor) else parts[0]
