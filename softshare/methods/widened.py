"""Hard sharing as large as another method: the user-defined baseline of equal size (UD-MTL-Large).

A method that needs others is handed them: nothing here knows the list of all methods.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from softshare.methods.method import CROSS_VALIDATED
from softshare.methods.network_method import NetworkMethod

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.network.multitask_network import MultiTaskNetwork
    from softshare.tasks.task_set import TaskSet

STEPS_OF_WIDTH = 16
"""Hidden layers are widened in steps of a sixteenth of their width."""


def widened(
    method: NetworkMethod, others: Sequence[NetworkMethod], *, as_many_as: str
) -> NetworkMethod:
    """A method at the width at which it has as many parameters as another one.

    Args:
        method: what is widened.
        others: the methods whose size can be asked for.
        as_many_as: name of the one whose size it has by default.
    """
    of_known_size = {
        other.name: other for other in others if CROSS_VALIDATED not in other.options.values()
    }
    return replace(
        method,
        name=f"{method.name}-wide",
        shares="all layers but the output, as wide as another method has parameters",
        paper="Yang & Hospedales 2017 (DMTRL)",
        options={"as_many_as": as_many_as},
        decide=partial(_match_size, of_known_size),
        default=False,
    )


def _match_size(
    others: dict[str, NetworkMethod], trainer: Trainer, settings: RunSettings, train: TaskSet
) -> RunSettings:
    """Hidden layers of the width at which both networks have as many parameters.

    The other method has its default options. Of networks for images only the affine layer is
    widened.

    Raises:
        ValueError: there is no such method, its number of parameters depends on the data, or the
            network has no widths to choose.
    """
    name = trainer.method.name

    def at_width(width: int) -> RunSettings:
        return replace(settings, hidden=_times(settings.hidden, width))

    def size(width: int) -> int:
        return _size(trainer.start(at_width(width), train))

    target = _size(_network_to_match(others, trainer, settings, train))
    if size(2 * STEPS_OF_WIDTH) <= size(STEPS_OF_WIDTH):
        raise ValueError(
            f"{name}: the network's size does not grow with hidden={settings.hidden}, so it "
            "cannot be made wider"
        )
    most = STEPS_OF_WIDTH
    while size(most) < target:
        most *= 2
    # The sizes grow with the width: find where they pass the target, and take the nearer side.
    first = 1 + bisect_left(range(1, most), target, key=size)
    beside = [width for width in (first - 1, first) if width]
    return at_width(min(beside, key=lambda width: abs(size(width) - target)))


def _network_to_match(
    others: dict[str, NetworkMethod], trainer: Trainer, settings: RunSettings, train: TaskSet
) -> MultiTaskNetwork:
    name, wanted = trainer.method.name, trainer.method.option(settings, "as_many_as")
    if wanted not in others:
        raise ValueError(
            f"{name}: as_many_as must name another method whose size is not chosen by "
            f"cross-validation, got {wanted!r}; the methods are {', '.join(others)}"
        )
    other = others[wanted]
    if other.options.get("apart"):
        raise ValueError(
            f"{name}: as_many_as={wanted!r} starts from networks trained apart, and its size "
            "depends on them"
        )
    # With independent initial weights it is as large as from a common start, and made sooner.
    start = trainer.of(replace(other, initial="independent"))
    plain = replace(settings, method=wanted, method_options={})
    return start.start(start.decide(plain, train), train)


def _times(widths: Sequence[int], sixteenths: int) -> tuple[int, ...]:
    return tuple(max(1, round(width * sixteenths / STEPS_OF_WIDTH)) for width in widths)


def _size(network: MultiTaskNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
