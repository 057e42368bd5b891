"""Any module in all tasks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._pytree import tree_map

from softshare.network.execution.batch_layout import BatchLayout, Sources
from softshare.network.execution.buffers import BufferedLayer, Values
from softshare.network.execution.hooks import has_hooks
from softshare.network.execution.known_modules import can_map, facts_of
from softshare.network.execution.task_norm import AT_ONCE
from softshare.sharing.diagnostic import Diagnostic

MAPPED_FROM = 10
"""Tasks from which ``torch.vmap`` is faster than a loop over them."""


class TaskModule(BufferedLayer):
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
        super().__init__(module, parameters, layout, n_tasks)
        self._name = name
        self._module = (module,)  # in a tuple: its own weights are not this network's parameters
        facts = facts_of(module)
        known = facts.is_by_row and not self._buffer_names
        self._is_by_row = known or getattr(module, "by_row", False)
        self._is_hooked = False
        self._maps = not self._buffer_names
        self._maps_evaluation = True
        for part in module.modules():
            self._is_hooked |= has_hooks(part)
            self._maps &= can_map(part)
            self._maps_evaluation &= not facts_of(part).has_fast_evaluation

    # --- the ways ------------------------------------------------------------------------------

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward, ``(k·B, …)`` → ``(k·B, …)``; further tensor arguments are
        folded alike.
        """
        layout = self._layout
        module = self._module[0].train(self.training and self._learns)
        x = layout.join(x)
        if self.is_shared and self._is_by_row and not self._is_hooked:
            return self._once(module, x, *args, **kwargs)
        x = layout.unfold(layout.expand(x))  # (k·B, …) → (k, B, …)
        values = {}
        for name in self._sources:
            values[name] = self._stack(name)
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
        state = self.buffers_of(0)
        for name in self._sources:
            state[name] = self._one(name)
        return functional_call(module, state, (x, *args), kwargs)

    def _runs_at_once(self, module: nn.Module) -> bool:
        if type(module) not in AT_ONCE or self._learns_twice:
            return False
        # A batch norm with momentum None takes the mean over all batches, each task over its own.
        return getattr(module, "momentum", 0.0) is not None

    def _at_once(self, module: nn.Module, x: Tensor, values: Values) -> Tensor:
        """By the module's way in :data:`AT_ONCE`, ``(k, B, …)`` → ``(k, B, …)``."""
        whole = {}
        for number, name in enumerate(self._buffer_names):
            whole[name] = self._buffer(number)
        run = AT_ONCE[type(module)]
        tasks = self._layout.tasks
        if tasks is None and not self._n_kept:
            return run(module, x, values, whole)
        if tasks is None:
            tasks = torch.arange(self._n_tasks, device=x.device)
        buffers = {}
        for name, value in whole.items():
            buffers[name] = value.index_select(0, tasks)
        y = run(module, x, values, buffers)
        if not module.training:
            return y
        learning: Tensor | slice = slice(None)
        if self._n_kept:
            learning = (tasks >= self._n_kept).nonzero().flatten()
        learners = tasks[learning]
        for name, value in whole.items():
            learned = buffers[name][learning]
            value.index_copy_(0, learners, learned)
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

    def _loop(
        self,
        module: nn.Module,
        x: Tensor,
        values: Values,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Task by task, ``(k, B, …)`` → ``(k·B, …)``."""
        layout = self._layout

        unbound: dict[str, tuple[Tensor, ...]] = {}
        for name, stack in values.items():
            # At once: each index would cost a gradient of the whole stack's size.
            unbound[name] = stack.unbind(0)
        tasks = list(range(layout.n_tasks))
        if layout.tasks is not None:
            tasks = layout.tasks.tolist()
        given = {task: self._buffers_to_change(task) for task in tasks}
        buffers = dict(given)  # a task that stands here twice goes on from what the first time left
        outputs = []
        for k, task in enumerate(tasks):
            if self._n_kept:
                module.train(self.training and task >= self._n_kept)
            state = dict(buffers[task])
            for name, stacked in unbound.items():
                state[name] = stacked[k]
            own = [x[k]]
            for argument in args:
                own.append(self._rows_of(k, argument))
            named = {}
            for name, argument in kwargs.items():
                named[name] = self._rows_of(k, argument)
            # What the forward assigns to a buffer stands in this dictionary afterwards.
            y = functional_call(module, state, tuple(own), named)
            outputs.append(y)
            buffers[task] = {name: state[name] for name in self._buffer_names}
        if self._buffer_names:
            self._keep_assigned(given, buffers)
        return tree_map(_joined, *outputs)

    def _rows_of(self, k: int, argument: Any) -> Any:
        """The rows of the pass's k-th task."""
        if not isinstance(argument, Tensor):
            return argument
        return self._layout.unfold(argument)[k]

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
        for _, weight in self._sources.values():
            if any(parameter.requires_grad for parameter in weight.parameters()):
                return False
        return bool(self._sources)

    @property
    def layer(self) -> str:
        return self._name or "(whole)"


def _flattened(part: Any) -> Any:
    return part.flatten(0, 1) if isinstance(part, Tensor) else part


def _joined(*parts: Any) -> Any:
    """The tasks' rows one after the other; what is no tensor is the first task's."""
    first = parts[0]
    return torch.cat(parts) if isinstance(first, Tensor) else first
