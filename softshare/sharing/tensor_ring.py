"""Tensor ring layers with chosen shared cores (*Tensor Ring Nets Adapted Deep Multi-Task Learning*,
ICLR 2019 submission).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor, isqrt, prod

from torch import Tensor

from softshare.sharing.algebra.modes import Modes, check_modes, given_modes, modes_of
from softshare.sharing.algebra.ring import Ring, common_cores, count_parameters
from softshare.sharing.base import LayerShapes, SharedWeight, Sharing
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import take_numbers
from softshare.sharing.weights.drawn_factors import draw_factors
from softshare.sharing.weights.equal_rings import EqualRings
from softshare.sharing.weights.unequal_rings import UnequalRings, draw_unequal

MOST_CORES = 9
"""One digit of a pattern says how many are shared."""


@dataclass(frozen=True)
class TensorRing(Sharing):
    """Every weight a ring of small cores, some of them one for all tasks and the others each task's
    own.

    A weight ``(M, N)`` with ``M = ∏ M_k`` and ``N = ∏ N_k`` has cores ``G_k: (R_k, M_k, N_k,
    R_{k+1})``, and its element is the trace of the product of the cores' slices (equations 1 and
    2). A convolution has the core ``(R_0, h·w, R_1)`` of its window before these; it is core 0 and
    counts. Factors are named ``core_0``, ``core_1``, … from the left.

    Tasks whose weights differ in shape share a core where its modes are the same. A ring starts at
    random only: see :meth:`share`.

    Args:
        ranks: one rank for all, or that before each core, for layers with so many cores. A first
            rank of 1 makes a tensor train.
        shared: how many cores are shared, the first from the left: a number for every layer, or a
            pattern such as ``"4431"`` with a digit for each layer of the group from bottom to top;
            or which, such as ``(0, 2)``. All but the last when None. Where tasks differ in shape, a
            number counts the cores that they can share.
        parameters: choose one rank for all cores of a layer, the largest with which all tasks
            together have no more parameters there: a number, or a fraction in (0, 1] of what
                independent tasks have.
        cores: how many cores a layer has, the window's included, where its modes are not given.
        modes: layer → its modes ``((7, 7, 4, 4), (6, 6, 6, 6))``, inputs' and outputs', without the
            window; several such pairs where tasks differ in shape, each for the shape that its
            products give. Other layers' modes are as equal as their sizes allow.
        common_start: whether cores of the tasks' own start from the same values.

    Raises:
        ValueError: not exactly one of ``ranks`` and ``parameters`` is given, or a setting is out of
            range.
    """

    ranks: int | tuple[int, ...] | None = None
    shared: int | str | tuple[int, ...] | None = field(default=None, kw_only=True)
    parameters: int | float | None = field(default=None, kw_only=True)
    cores: int = field(default=4, kw_only=True)
    modes: Mapping[str, Modes | Sequence[Modes]] | None = field(
        default=None,
        kw_only=True,
        hash=False,
    )
    common_start: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        take_numbers(self)
        if (self.ranks is None) == (self.parameters is None):
            raise ValueError(
                "TensorRing: give either ranks or parameters, and not both; got "
                f"ranks={self.ranks!r}, parameters={self.parameters!r}"
            )
        if self.ranks is not None and not _are_ranks(self.ranks):
            raise ValueError(
                "TensorRing: ranks are whole numbers of at least 1, one or a tuple of "
                f"them, got {self.ranks!r}"
            )
        if self.parameters is not None and not _is_budget(self.parameters):
            raise ValueError(
                "TensorRing: parameters is a whole number of at least 1, or a fraction in (0, "
                "1] of independent learning's, "
                f"got {self.parameters!r}"
            )
        if not _is_choice(self.shared):
            raise ValueError(
                "TensorRing: shared is a number of cores, a pattern with a digit a layer "
                "such as '4431', or the numbers "
                f"of different cores such as (0, 2); got {self.shared!r}"
            )
        if type(self.cores) is not int or not 2 <= self.cores <= MOST_CORES:
            raise ValueError(
                f"TensorRing: cores must be a whole number from 2 to {MOST_CORES}, got "
                f"{self.cores!r}"
            )
        if not isinstance(self.modes, Mapping | None):
            raise ValueError(
                f"TensorRing: modes is a mapping layer → its modes, got {self.modes!r}"
            )
        for layer, given in (self.modes or {}).items():
            check_modes(layer, given)

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        self._check_group(list(layers))
        return {
            name: self._drawn(name, place, layer, streams)
            for place, (name, layer) in enumerate(layers.items())
        }

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """Refused: no sound fit of rings with common cores to given weights is known.

        Raises:
            ValueError: always; it says what to do instead.
        """
        raise ValueError(
            f"layer {next(iter(stacks))!r}: a tensor ring cannot start from given weights, "
            "as no decomposition finds cores that several "
            "weights have in common; start it at random (initial='independent'), or "
            "factorise the weights by "
            "ss.TensorTrain or ss.Tucker. The scales of a SoftOrdering are given by the "
            "template: name its layers without them"
        )

    def _drawn(
        self,
        name: str,
        place: int,
        layer: LayerShapes,
        streams: RandomStreams,
    ) -> SharedWeight:
        shapes = layer.shapes
        if len(shapes) == 1:
            shapes = shapes * streams.n_tasks_in_all
        # First rings of rank 1: what can be shared, and what a rank costs, goes by their modes.
        bare = {}
        tasks_of = {}
        for shape, n_tasks in Counter(shapes).items():
            ring = self._bare_ring(name, shape)
            bare[shape] = ring
            tasks_of[ring] = n_tasks
        shared = self._shared(name, place, tasks_of)
        rings = {}
        for shape, ring in bare.items():
            ranks = self._ranks(name, tasks_of, shared, len(ring.modes))
            rings[shape] = replace(ring, ranks=ranks)

        if len(rings) == 1:
            return self._drawn_equal(
                name,
                rings[shapes[0]],
                shared,
                layer.stds[0],
                streams,
            )
        of_tasks = [rings[shape] for shape in shapes]
        cores = draw_unequal(
            of_tasks,
            shared,
            stds=layer.stds,
            streams=streams,
            layer=name,
            common_start=self.common_start,
        )
        return UnequalRings(of_tasks, shared, cores)

    def _drawn_equal(
        self,
        name: str,
        ring: Ring,
        shared: Sequence[int],
        std: float,
        streams: RandomStreams,
    ) -> SharedWeight:
        numbers = range(len(ring.modes))
        equation = ring.equation(shared)
        # A common start is one ring for all, whose own cores are then copied for every task.
        drawn = ring.equation(numbers) if self.common_start else equation
        cores = draw_factors(
            drawn,
            ring.sizes(),
            [f"core_{k}" for k in numbers],
            std=std,
            streams=streams,
            layer=name,
        )
        if self.common_start:
            for k in numbers:
                if k not in shared:
                    core = cores[f"core_{k}"]
                    cores[f"core_{k}"] = core.expand(streams.n_tasks, *core.shape)
        return EqualRings(
            equation,
            cores,
            shape=ring.shape,
            n_tasks=streams.n_tasks,
            ranks=ring.ranks,
        )

    def _check_group(self, layers: Sequence[str]) -> None:
        if isinstance(self.shared, str) and len(self.shared) != len(layers):
            raise ValueError(
                f"TensorRing: pattern {self.shared!r} has {len(self.shared)} digit(s), and "
                f"its layers are {len(layers)}: "
                f"{', '.join(map(repr, layers))}; give one digit for each, from bottom to top"
            )
        if unknown := [name for name in self.modes or {} if name not in layers]:
            raise ValueError(
                f"TensorRing: modes are given for {', '.join(map(repr, unknown))}; its "
                f"layers are {', '.join(map(repr, layers))}"
            )

    def _bare_ring(self, layer: str, shape: tuple[int, ...]) -> Ring:
        """A weight of this shape as a ring whose ranks, still to be found, are 1."""
        *extents, n_in, n_out = shape
        window = [(prod(extents),)] if extents else []
        given = (self.modes or {}).get(layer)
        pair = (
            modes_of(n_in, n_out, self.cores - len(window))
            if given is None
            else given_modes(layer, given, n_in, n_out)
        )
        modes = (*window, *zip(*pair, strict=True))
        if not 2 <= len(modes) <= MOST_CORES:
            raise ValueError(
                f"layer {layer!r}: a ring has 2 to {MOST_CORES} cores, the modes {pair[0]} "
                f"and {pair[1]} make {len(modes)}"
            )
        return Ring(shape, modes, (1,) * len(modes))

    def _shared(
        self,
        layer: str,
        place: int,
        tasks_of: Mapping[Ring, int],
    ) -> tuple[int, ...]:
        """The numbers of the layer's shared cores."""
        common, n_cores = common_cores(tasks_of), max(len(ring.modes) for ring in tasks_of)
        chosen = int(self.shared[place]) if isinstance(self.shared, str) else self.shared
        if chosen is None:
            return tuple(core for core in common if core < n_cores - 1)
        which = tuple(common[:chosen]) if isinstance(chosen, int) else chosen
        if not set(which) <= set(common) or (isinstance(chosen, int) and chosen > len(common)):
            raise ValueError(
                f"layer {layer!r}: TensorRing shared={self.shared!r} asks for "
                f"{chosen if isinstance(chosen, int) else f'cores {chosen}'}, "
                f"the layer has {n_cores} cores, and those that tasks can share are "
                f"{common} (the first being 0)"
            )
        return which

    def _ranks(
        self,
        layer: str,
        tasks_of: Mapping[Ring, int],
        shared: Sequence[int],
        n_cores: int,
    ) -> tuple[int, ...]:
        if isinstance(self.ranks, int):
            return (self.ranks,) * n_cores
        if self.ranks is None:
            return (self._rank_of_budget(layer, tasks_of, shared),) * n_cores
        if len(self.ranks) != n_cores:
            raise ValueError(
                f"layer {layer!r}: TensorRing ranks {self.ranks} are for {len(self.ranks)} "
                f"cores, the layer has {n_cores}; "
                "give a rank for each, or one number for all"
            )
        return self.ranks

    def _rank_of_budget(
        self,
        layer: str,
        tasks_of: Mapping[Ring, int],
        shared: Sequence[int],
    ) -> int:
        """The largest rank that the budget allows: rings of rank R have R² times the parameters of
        rings of rank 1.
        """
        independent = sum(n_tasks * prod(ring.shape) for ring, n_tasks in tasks_of.items())
        budget = (
            floor(self.parameters * independent + 1e-9)
            if isinstance(self.parameters, float)
            else self.parameters or 0
        )
        least = count_parameters(tasks_of, shared)
        if budget < least:
            raise ValueError(
                f"layer {layer!r}: TensorRing parameters={self.parameters} allow {budget} "
                f"parameters, rank 1 has {least} already; give at "
                f"least {least}, which is {least / independent:.2g} of independent "
                "learning's, or share more cores"
            )
        # Any cut of the ring in two has R² terms, and no weight needs more than the root of its
        # size.
        useful = max(ceil(prod(ring.shape) ** 0.25) for ring in tasks_of)
        return min(isqrt(budget // least), useful)


def _are_ranks(ranks: object) -> bool:
    each = ranks if isinstance(ranks, tuple) else (ranks,)
    return bool(each) and all(type(rank) is int and rank >= 1 for rank in each)


def _is_budget(parameters: int | float) -> bool:
    if isinstance(parameters, float):
        return 0 < parameters <= 1
    return type(parameters) is int and parameters >= 1


def _is_choice(shared: object) -> bool:
    if isinstance(shared, str):
        return shared.isdigit()
    if isinstance(shared, tuple):
        return len(set(shared)) == len(shared) and all(
            type(core) is int and core >= 0 for core in shared
        )
    return shared is None or (type(shared) is int and shared >= 0)
