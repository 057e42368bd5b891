"""Orderings of a core of shared layers: parallel, permuted and soft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import softshare as ss
from softshare.methods.method import Options, Range
from softshare.methods.network_method import NetworkMethod, Sharings

if TYPE_CHECKING:
    from softshare.network.templates.standard import TemplateFactory

PAPER = "Meyerson & Miikkulainen 2018 (soft layer ordering)"
OPTIONS: Options = {"depth": 2, "dropout": 0.0}
SPACE: Mapping[str, Range] = {"depth": (2, 6, "int"), "dropout": (0.0, 0.5, "linear")}


def _soft(layers: Sequence[str], options: Options) -> Sharings:
    """Tied layers, whose scales each task learns."""
    return {"*": ss.Tied()}


def _fixed(
    order: Literal["permuted", "parallel"], layers: Sequence[str], options: Options
) -> Sharings:
    """Tied layers, whose scales say one order for all tasks or a random one for each."""
    return {"core.scales": ss.FixedOrder(order), "*": ss.Tied()}


def _template(
    input_shape: Sequence[int], hidden: Sequence[int], options: Options
) -> TemplateFactory:
    """The network with a core of layers to be ordered."""
    return ss.ordering_template_for(
        input_shape, width=hidden[-1], depth=options["depth"], dropout=options["dropout"]
    )


PARALLEL_ORDERING = NetworkMethod(
    "parallel-ordering",
    "a core of layers, which all tasks apply in one order",
    PAPER,
    partial(_fixed, "parallel"),
    options=OPTIONS,
    initial="independent",
    template=_template,
    search_space=SPACE,
    default=False,
)

PERMUTED_ORDERING = NetworkMethod(
    "permuted-ordering",
    "a core of layers, which each task applies in a random order of its own",
    PAPER,
    partial(_fixed, "permuted"),
    options=OPTIONS,
    initial="independent",
    template=_template,
    search_space=SPACE,
    default=False,
)

SOFT_ORDERING = NetworkMethod(
    "soft-ordering",
    "a core of layers; each task learns how much of which it applies where",
    PAPER,
    _soft,
    options=OPTIONS,
    initial="independent",
    template=_template,
    search_space=SPACE,
    default=False,
)
