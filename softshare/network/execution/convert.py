"""How T networks of one template run as one.

The batches of ``k`` tasks lie one after the other in dim 0: ``(k, B, …)`` folded to ``(k·B, …)``.
The template's own ``forward`` runs once on the folded batch; only its layers with parameters are
replaced, by layers that know which rows belong to which task. Everything else (activations,
pooling, residual sums, whatever the template's author wrote) works on the folded batch as it is.

One layer after the other, two tasks a, b and their weights A, B::

    template      Linear          ReLU      Linear
    becomes       TaskLinear      ReLU      TaskLinear

    a0 a1 a2  ┐                ┌  a0·A a1·A a2·A  ┐
              ├─ folded (6, …) ┤                  ├─ folded (6, …) ─ …
    b0 b1 b2  ┘                └  b0·B b1·B b2·B  ┘

In a plain chain of layers, where nothing else sees what one hands to the next, the batch may lie
otherwise: rows that all tasks see stay one copy as long as they can, and between affine layers the
tasks keep a dimension of their own.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import nn

from softshare.network.execution.batch_layout import BatchLayout, Sources, TaskLayer
from softshare.network.execution.hooks import has_hooks
from softshare.network.execution.known_modules import UNKNOWN, facts_of
from softshare.network.execution.rows import JoinedRows, OwnRows
from softshare.network.execution.task_conv import TaskConv
from softshare.network.execution.task_dropout import DROPOUTS, TaskDropout
from softshare.network.execution.task_module import TaskModule
from softshare.network.execution.task_sequential import TaskSequential
from softshare.network.execution.task_sum import affine_layer
from softshare.network.layers import parameters_of
from softshare.sharing.base import SharedWeight


def is_chain(template: nn.Module) -> bool:
    """Whether a network is a plain chain of layers."""
    children = list(template.children())
    if not children:
        return True
    if type(template).forward is not nn.Sequential.forward:
        return False
    return all(is_chain(child) for child in children)


def fold_template(
    template: nn.Module,
    weights: Mapping[str, SharedWeight],
    layout: BatchLayout,
    n_tasks: int,
) -> nn.Module:
    """The template with its layers replaced by the same layers in all tasks.

    Args:
        template: one task's network; it is copied.
        weights: the shared weight behind every parameter, by the parameter's full name.
        layout: how the running batch lies.
        n_tasks: length of the task axis.
    """
    parameters = parameters_of(template)
    in_chain = is_chain(template)
    converted: dict[int, nn.Module] = {}  # a module that stands in two places is one layer in both

    def convert(module: nn.Module, prefix: str) -> nn.Module:
        if id(module) not in converted:
            sources = {}
            for name, _ in module.named_parameters():
                path = f"{prefix}{name}"
                sources[name] = parameters[path], weights[path]
            name = prefix.removesuffix(".")
            layer = _with_parameters(module, sources, layout, n_tasks, name=name)
            converted[id(module)] = layer or around(module, prefix)
        return converted[id(module)]

    def around(module: nn.Module, prefix: str) -> nn.Module:
        for name, child in module._modules.items():
            if child is not None:
                inside = convert(child, f"{prefix}{name}.")
                setattr(module, name, inside)
        return _without_parameters(module, layout, in_chain)

    return convert(copy.deepcopy(template), "")


def _with_parameters(
    module: nn.Module,
    sources: Sources,
    layout: BatchLayout,
    n_tasks: int,
    *,
    name: str,
) -> TaskLayer | None:
    """The layer in all tasks that stands for a module; None where the modules inside it are layers
    of their own.
    """
    facts = UNKNOWN if has_hooks(module) else facts_of(module)
    # Reparametrised weights have other names, and run as any module does.
    if facts.is_by_row and sources.keys() <= {"weight", "bias"}:
        if facts.weight == "affine":
            return affine_layer(sources, layout)
        # A subclass of a convolution may say in _conv_forward how it convolves.
        if facts.weight == "convolution":
            return TaskConv(module, sources, layout)
    if _is_one_layer(module):
        return TaskModule(module, sources, layout, n_tasks, name=name)
    return None


def _is_one_layer(module: nn.Module) -> bool:
    """Whether a module is one layer, with all that is inside it."""
    if runs_whole(module) or getattr(module, "by_row", False):
        return True
    direct = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    return bool(direct)


def _without_parameters(module: nn.Module, layout: BatchLayout, in_chain: bool) -> nn.Module:
    """A module with nothing of its own, whose children are converted."""
    if type(module) in DROPOUTS and not has_hooks(module):
        return TaskDropout(module, layout)
    facts = facts_of(module)
    is_leaf = not list(module.children())
    if is_leaf and not facts.is_same_for_equal_rows:
        return OwnRows(module, layout)
    # In a chain rows may lie apart, (k, B, …), which only what is elementwise does not notice.
    if is_leaf and in_chain and not facts.is_elementwise:
        return JoinedRows(module, layout)
    convolves = any(isinstance(child, TaskConv) for child in module.children())
    if type(module) is nn.Sequential and convolves:
        return TaskSequential(dict(module._modules), layout)
    return module


def runs_whole(module: nn.Module) -> bool:
    """Whether only a module's own forward knows what it does with rows, so that it runs as one with
    one task's rows at a time.

    Such are what has rows in another dimension or reads its layers' weights, like recurrent layers,
    attention and lists of parameters, the modules of one's own around them, which may turn
    dimensions over first, and batch norm without values of its own.
    """
    if getattr(module, "task_by_task", False) or has_hooks(module):
        return True
    if facts_of(module).reach in ("batch", "whole"):
        return True
    if type(module).forward is nn.Sequential.forward:
        return any(isinstance(child, nn.RNNBase) for child in module.children())
    return any(facts_of(part).reach == "whole" for part in module.modules())
