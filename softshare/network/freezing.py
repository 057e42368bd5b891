"""Layers that training leaves as they are."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from softshare.network.multitask_network import MultiTaskNetwork
from softshare.network.weights import leave_untrained


def freeze(network: MultiTaskNetwork, patterns: str | Sequence[str]) -> None:
    """Leave layers out of training from now on, biases and running statistics included.

    Neither gradients nor weight decay change them; an encoder may so stay the random or the trained
    one that it is. :meth:`~softshare.MultiTaskNetwork.with_sharing` makes new parameters, which are
    trained unless frozen again.

    Args:
        network: changed in place.
        patterns: one or several patterns over the names of the template's modules or parameters,
            such as ``"encoder"`` or ``"layers.*"``.

    Raises:
        ValueError: a pattern matches nothing.
    """
    wanted = [patterns] if isinstance(patterns, str) else list(patterns)
    paths = list(network.shared_weights)
    matched: set[str] = set()
    unmatched = []
    for pattern in wanted:
        of_pattern = {path for path in paths if _matches(path, pattern)}
        matched |= of_pattern
        if not of_pattern:
            unmatched.append(pattern)
    if unmatched:
        raise ValueError(
            f"freeze: nothing matches {', '.join(map(repr, unmatched))}; the parameters "
            f"are {', '.join(map(repr, paths))}"
        )
    leave_untrained(
        network.shared_weights,
        network.bodies,
        matched,
        len(network.tasks),
    )


def _matches(path: str, pattern: str) -> bool:
    """Whether a pattern names a parameter, or the module whose own it is."""
    module, _, _ = path.rpartition(".")
    return fnmatchcase(path, pattern) or fnmatchcase(module, pattern)
