"""The tasks' networks as they run: one module for each shape of inputs, in all its tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from softshare.network.execution.batch_layout import BatchLayout
from softshare.network.execution.convert import fold_template, is_chain
from softshare.network.execution.noise import TaskNoise
from softshare.network.execution.observed import Observed
from softshare.network.execution.plan import Decision
from softshare.network.execution.task_dropout import may_draw
from softshare.sharing.base import SharedWeight


class Bodies(nn.ModuleList):
    """The templates folded over the tasks' weights.

    Args:
        templates: one for each shape of inputs.
        groups: for every task the number of its template.
        weights: the shared weight behind every parameter, by the parameter's full name.
        names: the tasks' names, by which each has its random stream.
        sparse_rows: fetch the tasks' rows by their numbers even where all tasks run, so that
            gradients are sparse.
    """

    def __init__(
        self,
        templates: Sequence[nn.Module],
        groups: Sequence[int],
        weights: Mapping[str, SharedWeight],
        *,
        names: Sequence[object],
        sparse_rows: bool,
    ) -> None:
        noise = TaskNoise(names)
        layout = BatchLayout(noise)
        super().__init__(
            [fold_template(template, weights, layout, len(groups)) for template in templates]
        )
        self.noise = noise
        self.groups = tuple(groups)
        self._may_draw = [may_draw(body) for body in self]
        self._in_order = tuple(self)  # a ModuleList's own indexing takes longer than a small layer
        self._layout, self._sparse_rows = layout, sparse_rows
        self._chains = [is_chain(template) for template in templates]
        self._everyone = torch.arange(len(groups))

    def of(self, task: int) -> nn.Module:
        """The module that runs one task."""
        return self[self.groups[task]]

    def run(self, inputs: Tensor, tasks: Tensor | None, *, one_input: bool) -> Tensor:
        """See :meth:`softshare.MultiTaskNetwork.run`."""
        n_tasks = len(self.groups) if tasks is None else len(tasks)
        if n_tasks == 0 or (len(inputs) != n_tasks and not one_input):
            raise ValueError(
                f"inputs: their first dimension is the tasks', {n_tasks} in this pass, but "
                f"they have the shape {tuple(inputs.shape)}; "
                "rows that all tasks see go with one_input=True"
            )
        everyone = tasks is None or (
            n_tasks == len(self.groups)
            and not self._sparse_rows
            and torch.equal(tasks.cpu(), self._everyone)
        )
        body = 0 if tasks is None or len(self._chains) == 1 else self.groups[int(tasks[0])]
        layout = self._layout
        layout.tasks = None if everyone else tasks
        layout.n_tasks = n_tasks
        layout.one_copy, layout.apart, layout.in_chain = (
            one_input,
            not one_input,
            self._chains[body],
        )
        layout.in_pass = True
        self.noise.begin_pass(layout.tasks)
        draws = self.training and self._may_draw[body]
        try:
            with self.noise.of_others() if draws else nullcontext():
                return layout.separate(
                    self._in_order[body](inputs if layout.in_chain else layout.expand(inputs))
                )
        finally:  # a layer that runs again after this comes to BatchLayout.join, which refuses it
            layout.in_pass = layout.one_copy = layout.apart = False

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode while it lasts; afterwards every module is in the mode it was in."""
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training

    @contextmanager
    def observing(self) -> Iterator[list[Observed]]:
        """While it lasts, runs change no running statistics, and layers whose weights are sums hand
        out here what they see.
        """
        observed: list[Observed] = []
        with self.deciding():
            self._layout.observed = observed
            try:
                yield observed
            finally:
                self._layout.observed = None

    @contextmanager
    def deciding(self) -> Iterator[list[Decision]]:
        """While it lasts, runs change no running statistics, and the layers write down here how
        they run.
        """
        decisions: list[Decision] = []
        with self.evaluating():
            self._layout.decisions = decisions
            try:
                yield decisions
            finally:
                self._layout.decisions = None
