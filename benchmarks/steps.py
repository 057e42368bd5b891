"""Steps of training: ours as :func:`softshare.fit` makes them, and those of a loop over the tasks'
own modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates.standard import TemplateFactory
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.tasks.batches import Batch, Batches
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fused_adam, parameter_groups
from softshare.training.objective import Objective

LEARNING_RATE = 1e-4

Forward = Callable[[Tensor], Tensor]


class Training:
    """A step of training: forward, backward and an update.

    The gradients of the step before are let go where ``fit`` does so, after the forward pass.

    Args:
        loss: the forward pass.
        optimizer: of all that is trained.
        after: what follows the update.
    """

    def __init__(
        self,
        loss: Callable[[], Tensor],
        optimizer: Optimizer,
        *,
        after: Callable[[], object] | None = None,
    ) -> None:
        self.loss, self._optimizer, self._after = loss, optimizer, after
        self.trained = [
            parameter for group in optimizer.param_groups for parameter in group["params"]
        ]

    def __call__(self) -> None:
        """Make the step."""
        loss = self.loss()
        for parameter in self.trained:
            parameter.grad = None
        loss.backward()
        self._optimizer.step()
        if self._after is not None:
            self._after()


class Setting:
    """Tasks, a template and one batch, for both sides of a comparison.

    Args:
        template: one task's network.
        input_shape: of one example.
        n_tasks: how many tasks.
        batch_size: examples of each in the batch.
        n_outputs: classes of every task; 1 for tasks of yes and no.
        one_input: whether all tasks see the same rows, each with labels of its own.
        device: where it runs.
    """

    def __init__(
        self,
        template: TemplateFactory,
        input_shape: Sequence[int],
        *,
        n_tasks: int,
        batch_size: int,
        n_outputs: int,
        one_input: bool = False,
        device: torch.device,
    ) -> None:
        n_examples = max(batch_size, n_outputs)  # the classes are told by the labels
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(
            1 if one_input else n_tasks, n_examples, *input_shape, generator=generator
        ).numpy()
        labels = (torch.arange(n_examples) % max(n_outputs, 2)).numpy()
        kinds: Kind = "binary" if n_outputs == 1 else "multiclass"
        names = [f"task {number}" for number in range(n_tasks)]
        if one_input:
            self.tasks = TaskSet.from_shared_inputs(
                inputs[0], {name: np.roll(labels, t) for t, name in enumerate(names)}, kinds=kinds
            )
        else:
            self.tasks = TaskSet.from_arrays(
                {name: (own, labels) for name, own in zip(names, inputs, strict=True)}, kinds=kinds
            )
        self.template, self.device, self.n_outputs = template, device, n_outputs
        self.input_shape = tuple(input_shape)
        (batch,) = next(iter(Batches(self.tasks, batch_size=batch_size)))
        self.batch: Batch = batch.to(device)

    def network(self, sharing: Sharing | Mapping[str, Sharing]) -> MultiTaskNetwork:
        """Our network for these tasks; always the same start."""
        return MultiTaskNetwork(self.template, self.tasks, sharing=sharing).to(self.device)

    def ours(self, sharing: Sharing | Mapping[str, Sharing]) -> Training:
        """One step of our network, as the training loop makes it."""
        network = self.network(sharing)
        objective = Objective(self.tasks)

        def loss() -> Tensor:
            loss = objective(network, (self.batch,))
            loss.require_finite(self.tasks.tasks, 1)
            return loss.total

        return Training(
            loss, fused_adam(parameter_groups(network, LEARNING_RATE, {})), after=network.after_step
        )

    def modules(self, sharing: Sharing) -> list[nn.Sequential]:
        """Each task's network as a plain module, with our network's start."""
        network = self.network(sharing)
        return [cast(nn.Sequential, network.task(name).train()) for name in self.tasks.names]

    def rows(self) -> list[Tensor]:
        """Each task's inputs."""
        return (
            [self.batch.inputs] * len(self.tasks)
            if self.batch.one_input
            else list(self.batch.inputs.unbind(0))
        )

    def loop(
        self, networks: Callable[[], Iterable[Forward]], parameters: Iterable[nn.Parameter]
    ) -> Training:
        """One step of a loop over the tasks' networks.

        Args:
            networks: gives them anew for each step, where something is composed for it.
            parameters: what is trained.
        """
        rows = self.rows()
        return stepping(
            lambda: self.loss(network(x) for network, x in zip(networks(), rows, strict=True)),
            parameters,
        )

    def independent_loop(self) -> Training:
        """One step of a loop over independent modules."""
        modules = self.modules(Independent())
        return self.loop(lambda: modules, nn.ModuleList(modules).parameters())

    def loss(self, outputs: Iterable[Tensor]) -> Tensor:
        """The sum of the tasks' mean losses."""
        return torch.stack(
            [
                self._loss(own, targets)
                for own, targets in zip(outputs, self.batch.targets.unbind(0), strict=True)
            ]
        ).sum()

    def _loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        if self.n_outputs == 1:
            return functional.binary_cross_entropy_with_logits(outputs[:, 0], targets)
        return functional.cross_entropy(outputs, targets.long())


def stepping(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter]) -> Training:
    """A step that trains these parameters by the optimizer that :func:`softshare.fit` takes."""
    return Training(loss, fused_adam([{"params": list(parameters), "lr": LEARNING_RATE}]))
