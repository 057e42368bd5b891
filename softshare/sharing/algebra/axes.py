"""The letters and the names of a stack's axes, in the papers' order: the task's last."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

MODES = ascii_lowercase.replace("t", "")
"""Letters of a layer's modes in an equation, ``t`` being the task's."""

RANKS = ascii_uppercase
"""Letters of the ranks, in the paper's order."""

WINDOW = ("depth", "height", "width")
"""A convolution's window; one of fewer dimensions has the last of them."""


def axis_names(n_modes: int, n_axes: int = 1) -> tuple[str, ...]:
    """What the modes of a linear layer or a convolution are, the task's last, or one for each
    factor of a grid.
    """
    tasks = task_names(n_axes)
    n_features = n_modes - n_axes
    n_window = n_features - 2
    if 0 <= n_window <= len(WINDOW):
        # One dimension is the width, two are height and width.
        first = len(WINDOW) - n_window
        return (*WINDOW[first:], "in", "out", *tasks)
    features = []
    for n in range(n_features):
        features.append(f"mode {n + 1}")
    return (*features, *tasks)


def task_names(n_axes: int) -> list[str]:
    """The names of the tasks' own factors: ``task``, or ``task_1``, ``task_2``, … on a grid."""
    if n_axes == 1:
        return ["task"]
    names = []
    for axis in range(n_axes):
        names.append(f"task_{axis + 1}")
    return names
