"""Hooks that a template's author put on its modules."""

from __future__ import annotations

from torch import nn

KINDS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")
"""Where torch keeps the hooks of a module's passes."""


def has_hooks(module: nn.Module) -> bool:
    """Whether something else happens when this very module is called, or differentiated.

    A hook may look at all rows that it is shown, as a mean over the batch does, so it is shown one
    task's rows at a time, as in the task's own network.
    """
    return any(getattr(module, kind) for kind in KINDS)
