"""Optimizers and schedules are stepped without arguments."""

from __future__ import annotations

import inspect
from typing import Any


def require_plain_step(given: Any, argument: str, remedy: str) -> None:
    """Make sure that an optimizer's or a schedule's ``step()`` can be called as it is.

    Args:
        given: has a method ``step``.
        argument: the argument's name, for the message.
        remedy: what to pass instead.

    Raises:
        TypeError: its ``step`` cannot do without an argument, such as a closure.
    """
    needed = [
        parameter.name
        for parameter in inspect.signature(given.step).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if needed:
        raise TypeError(
            f"{argument}: {type(given).__name__}.step needs {needed[0]}=, and fit calls step() "
            f"once after every batch; {remedy}"
        )
