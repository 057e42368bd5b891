"""Rings of tasks whose weights have one shape."""

from __future__ import annotations

from torch import nn

from softshare.sharing.weights.core import Core
from softshare.sharing.weights.factorised import FactorisedWeight


class EqualRings(FactorisedWeight):
    """All tasks' copies of one weight as a ring of cores, the factors in order from the left."""

    def ring_cores(self) -> list[Core]:
        own = set(self.task_parameters())
        everyone = tuple(range(self.n_tasks))
        found = []
        for number, (name, values) in enumerate(self.factors.items()):
            parameters: tuple[nn.Parameter, ...] = (values,)
            if name in self.added:
                parameters = (values, self.added[name])
            core = Core(
                number,
                parameters,
                tasks=everyone,
                is_own=f"factors.{name}" in own,
            )
            found.append(core)
        return found

    @property
    def cores_in_common(self) -> list[int]:
        n_cores = len(self.factors)
        return list(range(n_cores))
