"""How T networks of one template run as one.

The batches of ``k`` tasks lie one after the other in dim 0: ``(k, B, …)`` folded to ``(k·B, …)``. The
template's own ``forward`` runs once on the folded batch; only its layers with parameters are replaced, by
layers that know which rows belong to which task. Everything else (activations, pooling, residual
sums, whatever the template's author wrote) works on the folded batch as it is.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from softshare.network.layers import Parameter, parameters_of
from softshare.sharing._contraction import contract, plan
from softshare.sharing.base import SharedWeight
from softshare.sharing.reading import Reading

ROWWISE = (
    nn.Identity, nn.Flatten, nn.Unflatten, nn.ReLU, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Softplus,
    nn.Softmax, nn.LogSoftmax, nn.Hardtanh, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d,
    nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d,
)  # fmt: skip
"""Modules that do the same to a row whichever task it serves: inputs that all tasks see stay one copy through them."""


CONVOLVE = (nn.Conv1d.forward, nn.Conv2d.forward, nn.Conv3d.forward)
"""A subclass that keeps these may say in ``_conv_forward`` how it convolves."""


class Fold:
    """How the batch that is being run lies in dim 0.

    Attributes:
        tasks: the tasks' numbers ``(k,)``, or None for all.
        n_tasks: k.
        folded: whether dim 0 holds the k batches one after the other; False while all tasks
            still see one copy of the same rows.
    """

    def __init__(self) -> None:
        self.tasks: Tensor | None = None
        self.n_tasks = 1
        self.folded = True

    def expand(self, x: Tensor) -> Tensor:
        """One copy of the rows for each task, unless there already is."""
        if self.folded:
            return x
        self.folded = True
        return x.expand(self.n_tasks, *x.shape).flatten(0, 1)

    def unfold(self, x: Tensor) -> Tensor:
        """``(k·B, …)`` → ``(k, B, …)``."""
        return x.unflatten(0, (self.n_tasks, -1))


class TaskLayer(nn.Module):
    """A layer with parameters, in all tasks at once.

    Args:
        parameters: parameter name in the layer → (its place in the template, the shared weight behind it).
        fold: how the running batch lies.
    """

    def __init__(self, parameters: Mapping[str, tuple[Parameter, SharedWeight]], fold: Fold) -> None:
        super().__init__()
        # In a plain dict: the weights are registered once, by the network, and not again here.
        self._sources = dict(parameters)
        self._fold = fold

    def _is_shared(self, name: str) -> bool:
        """Whether all tasks have the same value of this parameter (or the layer has none of that name)."""
        if name not in self._sources:
            return True
        return is_one_for_all(self._sources[name][1])

    def _one(self, name: str) -> Tensor:
        """The value that all tasks have, in PyTorch's axis order."""
        parameter, weight = self._sources[name]
        return parameter.to_torch(weight.of(0))

    def _stack(self, name: str) -> Tensor:
        """The tasks' values ``(k, …)`` in PyTorch's axis order, filled up with zeros where shapes differ."""
        parameter, weight = self._sources[name]
        return parameter.to_torch(weight.padded(self._fold.tasks))

    @property
    def _has_bias(self) -> bool:
        return "bias" in self._sources


class TaskLinear(TaskLayer):
    """``nn.Linear`` in all tasks: one batched product, or the input joins the weight's own contraction."""

    def forward(self, x: Tensor) -> Tensor:
        """``(k·B, *, in)`` (or ``(B, *, in)`` while all tasks see the same rows) → ``(k·B, *, out)``."""
        fold = self._fold
        if self._is_shared("weight"):
            if self._is_shared("bias"):
                return nn.functional.linear(x, self._one("weight"), self._one("bias") if self._has_bias else None)
            return self._add_bias(fold.expand(nn.functional.linear(x, self._one("weight"))))
        flat = x.reshape(-1, x.shape[-1])
        y = self._product(fold.unfold(flat) if fold.folded else flat, self._stack("bias") if self._has_bias else None)
        fold.folded = True
        return y.reshape(-1, *x.shape[1:-1], y.shape[-1])

    def _product(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """``(k, B, in)`` or ``(B, in)`` → ``(k, B, out)``, in the order with the fewest multiply-adds."""
        _, weight = self._sources["weight"]
        network = weight.contraction(self._fold.tasks)
        if network is not None:
            joined, composed, order = _orders(network, x, self._fold.n_tasks)
            if joined < composed:
                y = contract(order, [*network[1], x])
                return y if bias is None else y + bias.unsqueeze(1)
        w = weight.padded(self._fold.tasks)
        x = x.expand(self._fold.n_tasks, *x.shape) if x.ndim == 2 else x
        return torch.bmm(x, w) if bias is None else torch.baddbmm(bias.unsqueeze(1), x, w)

    def _add_bias(self, y: Tensor) -> Tensor:
        bias = self._stack("bias")
        y = self._fold.unfold(y)
        return (y + bias.reshape(len(bias), *([1] * (y.ndim - 2)), -1)).flatten(0, 1)


class TaskConv(TaskLayer):
    """A convolution in all tasks: one convolution where the weight or the input is the same for all, else one a task.

    Args:
        conv: the template's layer, for its stride, padding and dilation.
        parameters: see :class:`TaskLayer`.
        fold: how the running batch lies.
    """

    def __init__(self, conv: Any, parameters: Mapping[str, tuple[Parameter, SharedWeight]], fold: Fold) -> None:
        super().__init__(parameters, fold)
        self._conv = (conv,)  # in a tuple: its own weights are not this network's parameters

    def forward(self, x: Tensor) -> Tensor:
        """``(k·B, in, *)`` (or ``(B, in, *)`` while all tasks see the same rows) → ``(k·B, out, *)``."""
        fold, conv = self._fold, self._conv[0]
        if self._is_shared("weight") and self._is_shared("bias"):
            return conv._conv_forward(x, self._one("weight"), self._one("bias") if self._has_bias else None)
        weights, biases = self._stack("weight"), self._stack("bias") if self._has_bias else None
        if not fold.folded and conv.groups == 1:
            fold.folded = True
            y = conv._conv_forward(x, weights.flatten(0, 1), None if biases is None else biases.flatten())
            return y.unflatten(1, (fold.n_tasks, -1)).transpose(0, 1).flatten(0, 1)
        x = fold.unfold(fold.expand(x))
        # Unbound once: indexing the stack task by task would back-propagate through a full-size zero tensor each.
        each = zip(x.unbind(0), weights.unbind(0), biases.unbind(0) if biases is not None else [None] * fold.n_tasks, strict=True)
        return torch.cat([conv._conv_forward(rows, weight, bias) for rows, weight, bias in each])


class TaskModule(TaskLayer):
    """Any other module with parameters or buffers, run task by task, or by the module's own ``run_tasks`` where it has one.

    ``run_tasks(x, values, …)`` gets the tasks' rows ``(k, B, …)`` and their parameters, name → ``(k, …)``, and gives
    ``(k, B, …)``. The module's buffers (running statistics) are each task's own; a frozen module's stay as they are.

    Args:
        module: the template's module.
        parameters: see :class:`TaskLayer`.
        fold: how the running batch lies.
        n_tasks: all tasks, for the buffers.
    """

    def __init__(self, module: nn.Module, parameters: Mapping[str, tuple[Parameter, SharedWeight]], fold: Fold, n_tasks: int) -> None:
        super().__init__(parameters, fold)
        self._module = (module,)
        self._buffer_names = [name for name, _ in module.named_buffers()]
        for number, (_, value) in enumerate(module.named_buffers()):
            self.register_buffer(f"buffer_{number}", value.expand(n_tasks, *value.shape).clone())

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward, ``(k·B, …)`` → ``(k·B, …)``; further tensor arguments are folded alike."""
        fold, module = self._fold, self._module[0].train(self.training and not self._is_frozen)
        x = fold.unfold(fold.expand(x))
        run_tasks = getattr(module, "run_tasks", None)
        if run_tasks is not None:
            return run_tasks(x, {name: self._stack(name) for name in self._sources}, *args, **kwargs).flatten(0, 1)
        values = {name: self._stack(name).unbind(0) for name in self._sources}
        tasks = range(fold.n_tasks) if fold.tasks is None else fold.tasks.tolist()
        outputs = []
        for k, task in enumerate(tasks):
            state = {name: stack[k] for name, stack in values.items()}
            state |= {name: getattr(self, f"buffer_{number}")[task] for number, name in enumerate(self._buffer_names)}
            own = [fold.unfold(arg)[k] if isinstance(arg, Tensor) else arg for arg in args]
            own_named = {name: fold.unfold(arg)[k] if isinstance(arg, Tensor) else arg for name, arg in kwargs.items()}
            outputs.append(functional_call(module, state, (x[k], *own), own_named))
        return torch.utils._pytree.tree_map(lambda *parts: torch.cat(parts) if isinstance(parts[0], Tensor) else parts[0], *outputs)

    def readings(self) -> list[Reading]:
        """What the module's own ``readings(values)`` says of all tasks; nothing where it has none."""
        read = getattr(self._module[0], "readings", None)
        values = {name: parameter.to_torch(weight.padded()) for name, (parameter, weight) in self._sources.items()}
        return [] if read is None else read(values)

    @property
    def _is_frozen(self) -> bool:
        parameters = [parameter for _, weight in self._sources.values() for parameter in weight.parameters()]
        return bool(parameters) and not any(parameter.requires_grad for parameter in parameters)

    def buffers_of(self, task: int) -> dict[str, Tensor]:
        """One task's buffers by their names in the module."""
        return {name: getattr(self, f"buffer_{number}")[task] for number, name in enumerate(self._buffer_names)}


class OwnRows(nn.Module):
    """A module without parameters that may treat equal rows differently (dropout): every task gets its own copy first.

    Args:
        module: the template's module.
        fold: how the running batch lies.
    """

    def __init__(self, module: nn.Module, fold: Fold) -> None:
        super().__init__()
        self.module = module
        self._fold = fold

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The module's own forward on the folded batch."""
        return self.module(self._fold.expand(x), *args, **kwargs)


def is_one_for_all(weight: SharedWeight) -> bool:
    """Whether all tasks have the same weight: no factor of it carries the task axis."""
    network = weight.contraction()
    return network is not None and not any(term.startswith("t") for term in network[0].split("->")[0].split(","))


def keeps_one_copy(template: nn.Module) -> bool:
    """Whether rows that all tasks see may stay one copy until the first layer of a task's own: in a plain chain of layers."""
    children = list(template.children())
    is_chain = isinstance(template, nn.Sequential) and type(template).forward is nn.Sequential.forward
    return not children or (is_chain and all(keeps_one_copy(child) for child in children))


def fold_template(template: nn.Module, weights: Mapping[str, SharedWeight], fold: Fold, n_tasks: int) -> nn.Module:
    """The template with its layers replaced by the same layers in all tasks.

    Args:
        template: one task's network; it is copied.
        weights: the shared weight behind every parameter, by the parameter's full name.
        fold: how the running batch lies.
        n_tasks: length of the task axis.
    """
    parameters = parameters_of(template)

    def convert(module: nn.Module, prefix: str) -> nn.Module:
        inside = {name: f"{prefix}{name}" for name, _ in module.named_parameters()}
        sources = {name: (parameters[path], weights[path]) for name, path in inside.items()}
        if type(module) is nn.Linear:
            return TaskLinear(sources, fold)
        if type(module).forward in CONVOLVE and sources.keys() <= {"weight", "bias"}:
            return TaskConv(module, sources, fold)
        direct = list(module.parameters(recurse=False)) + list(module.buffers(recurse=False))
        if direct and (sources or list(module.buffers())):
            return TaskModule(module, sources, fold, n_tasks)
        for name, child in list(module.named_children()):
            setattr(module, name, convert(child, f"{prefix}{name}."))
        if not list(module.children()) and not isinstance(module, ROWWISE):
            return OwnRows(module, fold)
        return module

    return convert(copy.deepcopy(template), "")


def _orders(network: tuple[str, list[Tensor]], x: Tensor, n_tasks: int) -> tuple[int, int, str]:
    """Multiply-adds with the input joining the contraction, with the weight composed first, and the joint equation."""
    equation, operands = network
    inputs, output = equation.split("->")
    if len(output) != 3:  # modes still to be merged: the input has no letter to join by
        return 1, 0, equation
    batch = next(letter for letter in "nmpqrsuvwxyz" if letter not in equation)
    term = f"t{batch}{output[1]}" if x.ndim == 3 else f"{batch}{output[1]}"
    joint = f"{inputs},{term}->t{batch}{output[2]}"
    shapes = tuple(tuple(operand.shape) for operand in operands)
    joined = plan(joint, (*shapes, tuple(x.shape))).cost
    size = dict(zip("".join(inputs.split(",")), [extent for shape in shapes for extent in shape], strict=True))
    composing = plan(equation, shapes).cost if len(operands) > 1 else 0
    applying = plan("tni,tio->tno", ((n_tasks, x.shape[-2], size[output[1]]), (n_tasks, size[output[1]], size[output[2]]))).cost
    return joined, composing + applying, joint
