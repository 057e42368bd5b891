"""Rings of tasks whose weights have one shape."""

from __future__ import annotations

from softshare.sharing.weights.core import Core
from softshare.sharing.weights.factorised import FactorisedWeight


class EqualRings(FactorisedWeight):
    """All tasks' copies of one weight as a ring of cores, the factors in order from the left."""

    def ring_cores(self) -> list[Core]:
        own = {name.removeprefix("factors.") for name in self.task_parameters()}
        everyone = tuple(range(self.n_tasks))
        found = []
        for number, (name, values) in enumerate(self.factors.items()):
            later = (self.added[name],) if name in self.added else ()
            found.append(Core(number, (values, *later), everyone, name in own))
        return found

    @property
    def cores_in_common(self) -> list[int]:
        return list(range(len(self.factors)))
