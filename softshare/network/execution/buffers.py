"""What is a module's own beside its parameters, as running statistics: a row a task."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer

Values = dict[str, Tensor]
"""Names in a module → values of its parameters or buffers."""


class BufferedLayer(TaskLayer):
    """A layer in all tasks, each with its own buffers of the template's module.

    Args:
        module: the template's module.
        parameters: see :data:`~softshare.network.execution.batch_layout.Sources`.
        layout: how the running batch lies.
        n_tasks: all tasks.
    """

    def __init__(
        self,
        module: nn.Module,
        parameters: Sources,
        layout: BatchLayout,
        n_tasks: int,
    ) -> None:
        super().__init__(parameters, layout)
        self._n_tasks = n_tasks
        self._n_kept = 0
        self._buffer_names: list[str] = []
        saved = module.state_dict().keys()
        for number, (path, value) in enumerate(module.named_buffers()):
            stacked = value.expand(n_tasks, *value.shape).clone()
            self.register_buffer(f"buffer_{number}", stacked, persistent=path in saved)
            self._buffer_names.append(path)

    def buffers_of(self, task: int) -> Values:
        """One task's buffers by their names in the module."""
        own = {}
        for number, name in enumerate(self._buffer_names):
            own[name] = self._buffer(number)[task]
        return own

    def _buffer(self, number: int) -> Tensor:
        """All tasks' values of a buffer, ``(T, …)``."""
        buffer: Tensor = getattr(self, f"buffer_{number}")
        return buffer

    def _buffers_to_change(self, task: int) -> Values:
        """One task's buffers; copies where what becomes of them is not kept."""
        own = self.buffers_of(task)
        if self._changes(task):
            return own
        copies = {}
        for name, value in own.items():
            copies[name] = value.clone()
        return copies

    def _changes(self, task: int) -> bool:
        return task >= self._n_kept and self._layout.decisions is None

    def _keep_assigned(self, before: Mapping[int, Values], after: Mapping[int, Values]) -> None:
        """Take over what a forward has assigned to its buffers; what it changed in place is kept
        already.
        """
        kept = {}
        for task, own in after.items():
            if self._changes(task):
                kept[task] = own
        for number, name in enumerate(self._buffer_names):
            rows = assigned_rows(before, kept, name)
            if rows:
                whole = self._buffer(number)
                changed = with_rows(whole, rows, layer=self.layer, name=name)
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
        tasks = self._layout.tasks
        if tasks is None:
            return True
        return bool((tasks >= self._n_kept).any())

    @property
    def _learns_twice(self) -> bool:
        """Whether a task stands in the pass more than once, so that its statistics follow one batch
        after the other.
        """
        tasks = self._layout.tasks
        if not self.training or not self._buffer_names or tasks is None:
            return False
        return len(tasks.unique()) < len(tasks)


def assigned_rows(
    before: Mapping[int, Values],
    after: Mapping[int, Values],
    name: str,
) -> dict[int, Tensor]:
    """Which tasks' passes assigned a new tensor to a buffer, and that tensor.

    What was changed in place is the same tensor still, and needs no more to be done.

    Args:
        before: task → the buffers that its pass was given.
        after: task → those that stood in the module after it.
        name: the buffer's.
    """
    rows = {}
    for task, own in after.items():
        value = own[name]
        if value is not before[task][name]:
            rows[task] = value
    return rows


def with_rows(whole: Tensor, rows: Mapping[int, Tensor], *, layer: str, name: str) -> Tensor:
    """A buffer with some tasks' rows replaced: a new tensor, as the old one may be needed for the
    gradient.

    Args:
        whole: all tasks' values, ``(T, …)``.
        rows: task → its new value, ``(…)``.
        layer: the layer's name, for the message.
        name: the buffer's.

    Raises:
        RuntimeError: a value has another shape.
    """
    changed = whole.clone()
    for task, value in rows.items():
        if value.shape != whole.shape[1:]:
            raise RuntimeError(
                f"{layer}: its forward gave the buffer {name!r} the shape "
                f"{tuple(value.shape)} instead of {tuple(whole.shape[1:])}; a buffer "
                "of a MultiTaskNetwork keeps its shape"
            )
        changed[task] = value.detach()
    return changed
