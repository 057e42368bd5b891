"""Steps of training: ours as :func:`softshare.fit` makes them, and those of a loop over the tasks' own modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.measure import Step
from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.templates import TemplateFactory
from softshare.sharing.base import Sharing
from softshare.tasks.batches import Batch, Batches
from softshare.tasks.task_set import TaskSet
from softshare.training.fit import fused_adam, parameter_groups
from softshare.training.objective import Objective


class Setting:
    """Tasks, a template and one batch, for both sides of a comparison.

    Args:
        template: one task's network.
        input_shape: of one example.
        n_tasks: how many tasks.
        batch_size: examples of each in the batch.
        n_outputs: classes of every task; 1 for tasks of yes and no.
        one_input: whether all tasks see the same rows.
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
        generator = torch.Generator().manual_seed(0)
        n_inputs = 1 if one_input else n_tasks
        n_examples = max(batch_size, n_outputs)  # the classes are told by the labels
        inputs = torch.randn(n_inputs, n_examples, *input_shape, generator=generator).numpy()
        labels = (torch.arange(n_examples) % max(n_outputs, 2)).numpy()
        self.tasks = TaskSet.from_arrays(
            {f"task {t}": (inputs[t % n_inputs], labels) for t in range(n_tasks)}, kinds="binary" if n_outputs == 1 else "multiclass"
        )
        self.template, self.device, self.n_outputs = template, device, n_outputs
        self.input_shape = tuple(input_shape)
        (batch,) = next(iter(Batches(self.tasks, batch_size=batch_size)))
        self.batch: Batch = batch.to(device)

    def network(self, sharing: Sharing | Mapping[str, Sharing]) -> MultiTaskNetwork:
        """Our network for these tasks."""
        return MultiTaskNetwork(self.template, self.tasks, sharing=sharing).to(self.device)

    def ours(self, sharing: Sharing | Mapping[str, Sharing]) -> Step:
        """One step of our network, as the training loop makes it."""
        network = self.network(sharing)
        objective = Objective(self.tasks)
        groups = parameter_groups(network, 1e-4, {})
        trained = [parameter for group in groups for parameter in group["params"]]
        optimizer = fused_adam(groups)

        def step() -> None:
            loss = objective(network, (self.batch,))
            for parameter in trained:
                parameter.grad = None
            loss.total.backward()
            loss.require_finite(self.tasks.tasks, 1)
            optimizer.step()
            network.after_step()

        return step

    def loop(self, modules: Sequence[Callable[[Tensor], Tensor]], parameters: Iterable[nn.Parameter]) -> Step:
        """One step of a loop over the tasks' modules."""
        rows = [self.batch.inputs] * len(modules) if self.batch.one_input else list(self.batch.inputs.unbind(0))
        targets = list(self.batch.targets.unbind(0))

        def loss() -> Tensor:
            each = zip(modules, rows, targets, strict=True)
            return torch.stack([self.loss(module(x), y) for module, x, y in each]).sum()

        return stepping(loss, parameters)

    def modules(self) -> Step:
        """One step of a loop over independent modules."""
        modules = [self.template(self.input_shape, self.n_outputs).to(self.device) for _ in self.tasks.tasks]
        return self.loop(modules, [parameter for module in modules for parameter in module.parameters()])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """One task's mean loss."""
        if self.n_outputs == 1:
            return functional.binary_cross_entropy_with_logits(outputs[:, 0], targets)
        return functional.cross_entropy(outputs, targets.long())


def stepping(loss: Callable[[], Tensor], parameters: Iterable[nn.Parameter]) -> Step:
    """Forward, backward and an update by the optimizer that :func:`softshare.fit` takes."""
    optimizer = fused_adam([{"params": list(parameters), "lr": 1e-4}])

    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return step
