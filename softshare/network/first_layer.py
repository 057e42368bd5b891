"""What rows a network takes, as the first layer of its template tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from torch import Tensor, nn

from softshare.network.execution.known_modules import facts_of
from softshare.tasks.task import Task

Needs = tuple[int, int]
"""Numbers, or channels, that a first layer takes, and those that rows have for it."""


def needs_of(template: nn.Module, shape: Sequence[int]) -> Needs | None:
    """What the first affine or convolutional layer takes, and what rows of a shape have for it;
    None where the template does not tell, or begins otherwise (with an embedding of tokens).

    Args:
        template: one task's network.
        shape: of one row.
    """
    if not shape:
        return None
    width = shape[-1]  # what an affine layer sees of inputs that are not flattened
    for module in leaves_of_chain(template):
        if isinstance(module, nn.Linear):
            return module.in_features, width
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            return module.in_channels, shape[0]
        if _flattens(module):
            width = prod(shape)
        elif not facts_of(module).is_elementwise:
            return None  # it may change the width
    return None


def taken(
    inputs: Tensor,
    shape: Sequence[int],
    template: nn.Module,
    task: Task,
) -> Tensor:
    """Inputs as a task's network takes them: whole numbers and truth values as numbers, where they
    are no tokens.

    Args:
        inputs: rows of a shape, with the dimensions that stand before it.
        shape: of one row.
        template: the task's.
        task: whose these rows are.

    Raises:
        ValueError: rows have more or fewer numbers, or channels, than the first layer takes.
    """
    needs = needs_of(template, shape)
    if needs is None:
        return inputs
    takes, has = needs
    if takes != has:
        raise ValueError(
            f"inputs: a row of shape {tuple(shape)} has {has} numbers or channels for the first "
            f"layer, and that of task {task.label!r} takes {takes}; give rows as those that it was "
            "made for"
        )
    return inputs if inputs.is_floating_point() else inputs.to(next(template.parameters()).dtype)


def leaves_of_chain(module: nn.Module) -> Iterator[nn.Module]:
    """The layers of a chain in the order in which they run, up to one that is none."""
    if type(module).forward is not nn.Sequential.forward:
        yield module
        return
    for child in module.children():
        yield from leaves_of_chain(child)


def _flattens(module: nn.Module) -> bool:
    """Whether a layer makes one row of all that a row holds."""
    if not isinstance(module, nn.Flatten):
        return False
    dims = (module.start_dim, module.end_dim)
    return dims == (1, -1)
