"""What the experiments of the soft-ordering paper have in common: the four ways to order layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import softshare as ss
from softshare.methods.recipe import Recipe
from softshare.network.templates.standard import TemplateFactory
from softshare.reproduction.experiment import Contestant
from softshare.reproduction.scales_watch import ScalesWatch
from softshare.sharing.base import Sharing

PAPER = "Meyerson & Miikkulainen, Beyond shared hierarchies, ICLR 2018"

RATE_OF_SCALES = 10.0
"""Multiple of the learning rate that scales have: at the same rate they need ten thousands of steps
to leave their start.
"""

OWN_ENDS: Mapping[str, Sharing] = {"encoder": ss.Independent(), "output": ss.Independent()}
"""Every task has an encoder and a decoder of its own."""


@dataclass(frozen=True)
class Orders:
    """The contestants of an experiment: networks of one template, by who applies which layer where.

    Args:
        template: makes the network, whose ordering is its ``core``.
        ends: layer → sharing, of what is no part of the core.
        frozen: layers that are never trained.
        learning_rates: of the trials, the same for all; None: the run's, and no trials.
        keep_best: end with the weights of the best validation loss, of tasks apart each its own.
    """

    template: TemplateFactory
    ends: Mapping[str, Sharing]
    frozen: tuple[str, ...] = ()
    learning_rates: tuple[float, ...] = ()
    keep_best: bool = False

    def contestants(self, *names: str) -> tuple[Contestant, ...]:
        """Those of these names; all when none is given."""
        apart = {"core.scales": ss.FixedOrder("parallel"), "*": ss.Independent()}
        soft = {**self.ends, "*": ss.Tied()}
        every = (
            self._contestant("apart", apart, "apart (single task)"),
            self._contestant("parallel", self._fixed("parallel"), "parallel order"),
            self._contestant("permuted", self._fixed("permuted"), "permuted order"),
            self._contestant("soft", soft, "soft order", rate_of_scales=RATE_OF_SCALES),
        )
        return tuple(each for each in every if not names or each.name in names)

    def _fixed(self, order: Literal["parallel", "permuted"]) -> Mapping[str, Sharing]:
        return {"core.scales": ss.FixedOrder(order), **self.ends, "*": ss.Tied()}

    def _contestant(
        self,
        name: str,
        sharing: Mapping[str, Sharing],
        shown: str,
        *,
        rate_of_scales: float | None = None,
    ) -> Contestant:
        recipe = Recipe(
            name,
            self.template,
            sharing,
            initial="independent",
            frozen=self.frozen,
            keep_best=self.keep_best,
            paper=PAPER,
        )
        if rate_of_scales is not None:
            rates = {"core.scales": rate_of_scales}
            recipe = replace(recipe, rates=rates, callbacks=(ScalesWatch(),))
        if not self.learning_rates:
            return Contestant(name, recipe, shown)
        candidates = {}
        for rate in self.learning_rates:
            candidates[f"rate-{rate:g}"] = replace(recipe, learning_rate=rate)
        return Contestant(name, candidates, shown)
