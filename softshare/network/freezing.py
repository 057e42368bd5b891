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
    names = {path: (path, path.rpartition(".")[0]) for path in network.shared_weights}
    unmatched = [
        p
        for p in wanted
        if not any(fnmatchcase(name, p) for pair in names.values() for name in pair)
    ]
    if unmatched:
        raise ValueError(
            f"freeze: nothing matches {', '.join(map(repr, unmatched))}; the parameters "
            f"are {', '.join(map(repr, names))}"
        )
    matched = {
        path for path in names if any(fnmatchcase(name, p) for name in names[path] for p in wanted)
    }
    leave_untrained(network.shared_weights, network.bodies, matched, len(network.tasks))
