"""How T networks of one template run as one.

The batches of ``k`` tasks lie one after the other in dim 0: ``(k, B, …)`` folded to ``(k·B, …)``. The
template's own ``forward`` runs once on the folded batch; only its layers with parameters are replaced, by
layers that know which rows belong to which task. Everything else (activations, pooling, residual
sums, whatever the template's author wrote) works on the folded batch as it is.

In a plain chain of layers, where nothing else sees what one hands to the next, the batch may lie otherwise: rows that all
tasks see stay one copy as long as they can, and between affine layers the tasks keep a dimension of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

from softshare.network.fold import Fold
from softshare.network.layers import parameters_of
from softshare.network.task_conv import CONVOLVE, TaskConv
from softshare.network.task_linear import TaskLinear
from softshare.network.task_module import JoinedRows, OwnRows, TaskModule
from softshare.network.task_sequential import TaskSequential
from softshare.sharing.base import SharedWeight
from softshare.sharing.soft_ordering import ELEMENTWISE

ROWWISE = (
    *ELEMENTWISE, nn.Flatten, nn.Unflatten, nn.Softmax, nn.LogSoftmax, nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d,
    nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d,
)  # fmt: skip
"""Modules that do the same to a row whichever task it serves: inputs that all tasks see stay one copy through them."""


def is_chain(template: nn.Module) -> bool:
    """Whether a network is a plain chain of layers."""
    children = list(template.children())
    is_sequence = isinstance(template, nn.Sequential) and type(template).forward is nn.Sequential.forward
    return not children or (is_sequence and all(is_chain(child) for child in children))


def fold_template(template: nn.Module, weights: Mapping[str, SharedWeight], fold: Fold, n_tasks: int) -> nn.Module:
    """The template with its layers replaced by the same layers in all tasks.

    Args:
        template: one task's network; it is copied.
        weights: the shared weight behind every parameter, by the parameter's full name.
        fold: how the running batch lies.
        n_tasks: length of the task axis.
    """
    parameters, in_chain = parameters_of(template), is_chain(template)

    def convert(module: nn.Module, prefix: str) -> nn.Module:
        inside = {name: f"{prefix}{name}" for name, _ in module.named_parameters()}
        sources = {name: (parameters[path], weights[path]) for name, path in inside.items()}
        if type(module) is nn.Linear:
            return TaskLinear(sources, fold)
        if type(module).forward in CONVOLVE and sources.keys() <= {"weight", "bias"}:
            return TaskConv(module, sources, fold)
        direct = list(module.parameters(recurse=False)) + list(module.buffers(recurse=False))
        if getattr(module, "by_row", False) or (direct and (sources or list(module.buffers()))):
            return TaskModule(module, sources, fold, n_tasks)
        for name, child in list(module.named_children()):
            setattr(module, name, convert(child, f"{prefix}{name}."))
        if not list(module.children()) and not isinstance(module, ROWWISE):
            return OwnRows(module, fold)
        if not list(module.children()) and in_chain and type(module) not in ELEMENTWISE:
            return JoinedRows(module, fold)
        if type(module) is nn.Sequential and any(isinstance(child, TaskConv) for child in module):
            return TaskSequential(dict(module.named_children()), fold)
        return module

    return convert(copy.deepcopy(template), "")
