"""How a weight is written as a ring of cores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod

from softshare.sharing.algebra.axes import MODES, RANKS


@dataclass(frozen=True)
class Ring:
    """A weight ``(*window, in, out)`` as a ring of cores.

    Core ``k`` has shape ``(R_k, M_k, N_k, R_{k+1})``, the window's, which is the first, ``(R_0,
    h·w, R_1)``; the last rank is the first core's again.

    Args:
        shape: the weight's shape.
        modes: every core's own modes: ``(h·w,)`` or ``(M_k, N_k)``.
        ranks: the rank before every core.
    """

    shape: tuple[int, ...]
    modes: tuple[tuple[int, ...], ...]
    ranks: tuple[int, ...]

    def core_shape(self, core: int) -> tuple[int, ...]:
        """The shape of a core, its two ranks included."""
        before = self.ranks[core]
        after = self.ranks[self._next(core)]
        return (before, *self.modes[core], after)

    def _next(self, core: int) -> int:
        """The core to the right; the first one's where the ring closes."""
        return (core + 1) % len(self.modes)

    def terms(self) -> list[str]:
        """The letters of every core."""
        # Two cores of two modes: AabB, BcdA.
        terms = []
        used = 0
        for core, modes in enumerate(self.modes):
            end = used + len(modes)
            own = MODES[used:end]
            used = end
            before = RANKS[core]
            after = RANKS[self._next(core)]
            terms.append(before + own + after)
        return terms

    def equation(self, shared: Collection[int]) -> str:
        """The contraction of the cores; those not shared carry the task.

        Its output: window, input modes, output modes.
        """
        window = ""
        inputs = ""
        outputs = ""
        operands = []
        for core, term in enumerate(self.terms()):
            own = term[1:-1]  # (h·w) of the window, or (M_k, N_k)
            if len(own) == 1:
                window += own
            else:
                inputs += own[0]
                outputs += own[1]
            is_shared = core in shared
            operands.append(term if is_shared else "t" + term)
        left = ",".join(operands)
        return f"{left}->t{window}{inputs}{outputs}"

    def sizes(self) -> dict[str, int]:
        """The extent of every letter."""
        found: dict[str, int] = {}
        for core, term in enumerate(self.terms()):
            shape = self.core_shape(core)
            found |= zip(term, shape, strict=True)
        return found

    def core_name(self, core: int) -> str:
        """A name that tells a core from all others of the layer: its number and its modes."""
        modes = "x".join(map(str, self.modes[core]))
        return f"core_{core}_{modes}"

    def core_names(self) -> list[str]:
        """The names of all its cores, from the left."""
        numbers = range(len(self.modes))
        return [self.core_name(core) for core in numbers]


def common_cores(tasks_of: Mapping[Ring, int]) -> list[int]:
    """The cores that tasks can share: those of which two tasks have the same modes, all where there
    is one ring.

    Args:
        tasks_of: ring → how many tasks have it.
    """
    # A core is the same for two tasks where its number and its modes are.
    n_tasks_with: Counter[str] = Counter()
    number_of: dict[str, int] = {}
    for ring, n_tasks in tasks_of.items():
        for core, name in enumerate(ring.core_names()):
            n_tasks_with[name] += n_tasks
            number_of[name] = core
    only_one_ring = len(tasks_of) == 1
    common = set()
    for name, core in number_of.items():
        if only_one_ring or n_tasks_with[name] > 1:
            common.add(core)
    return sorted(common)


def count_parameters(
    tasks_of: Mapping[Ring, int],
    shared: Collection[int],
) -> int:
    """Parameters of all tasks: ``Σ R_k M_k N_k R_{k+1}``, a shared core once for all tasks that
    have its modes.
    """
    own = 0
    common: dict[str, int] = {}
    for ring, n_tasks in tasks_of.items():
        for core, name in enumerate(ring.core_names()):
            size = prod(ring.core_shape(core))
            if core in shared:
                common[name] = size  # once, whichever rings have it
            else:
                own += n_tasks * size
    return own + sum(common.values())
