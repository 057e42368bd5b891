"""Rings of tasks whose weights differ in shape, with cores in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import log, prod

import numpy as np
import torch
from torch import Tensor, nn

from softshare.sharing.algebra.contraction import contract
from softshare.sharing.algebra.mean_squares import mean_squares
from softshare.sharing.algebra.ring import Ring, common_cores
from softshare.sharing.base import RandomStreams, SharedWeight
from softshare.sharing.weights.core import Core
from softshare.sharing.weights.drawn_factors import of_size_one, scaled_rows, scales_to
from softshare.sharing.weights.factorised import typical_row
from softshare.sharing.weights.unequal import UnequalWeight, padded_rows


class UnequalRings(UnequalWeight):
    """Rings of tasks whose weights differ in shape: a core is one parameter for all tasks in which
    its modes are the same.

    Args:
        rings: every task's ring; all ranks are one number, or the rings have equally many cores and
            the same ranks.
        shared: numbers of the cores that tasks share.
        cores: name → initial values: ``(R_k, M_k, N_k, R_{k+1})`` of a shared core, and ``(k, …)``
            of the ``k`` tasks' own in which it has these modes; named by :meth:`Ring.core_name`.
    """

    def __init__(
        self,
        rings: Sequence[Ring],
        shared: Collection[int],
        cores: Mapping[str, Tensor],
    ) -> None:
        super().__init__(rings)
        self.rings = tuple(rings)
        self.shared = frozenset(shared)
        self.cores = nn.ParameterDict(
            {name: nn.Parameter(values.detach().clone()) for name, values in cores.items()}
        )
        self.added = nn.ParameterDict()
        self._rows: list[dict[int, int]] = []
        counts = dict.fromkeys(cores, 0)
        for ring in self.rings:
            self._rows.append(
                {core: counts[ring.core_name(core)] for core in range(len(ring.modes))}
            )
            for core in range(len(ring.modes)):
                counts[ring.core_name(core)] += 1

    def ring_cores(self) -> list[Core]:
        having: dict[str, list[int]] = {}
        numbers: dict[str, int] = {}
        for task, ring in enumerate(self.rings):
            for number, name in enumerate(ring.core_names()):
                having.setdefault(name, []).append(task)
                numbers[name] = number
        found = []
        for name, values in self.cores.items():
            later = (self.added[name],) if name in self.added else ()
            is_own = numbers[name] not in self.shared
            found.append(
                Core(
                    numbers[name],
                    (values, *later),
                    tuple(having[name]),
                    is_own,
                )
            )
        return found

    @property
    def cores_in_common(self) -> list[int]:
        return common_cores(Counter(self.rings))

    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        ring = self.rings[self._members[group][0]]
        operands = []
        for core in range(len(ring.modes)):
            values = self._core(ring.core_name(core))
            if core not in self.shared:
                rows = [self._rows[task][core] for task in tasks]
                values = values.index_select(0, torch.tensor(rows, device=values.device))
            operands.append(values)
        equation = ring.equation(self.shared)
        if len(self.shared.intersection(range(len(ring.modes)))) < len(ring.modes):
            return contract(equation, operands).reshape(len(tasks), *ring.shape)
        return (
            contract(equation.replace("->t", "->"), operands)
            .reshape(ring.shape)
            .expand(len(tasks), *ring.shape)
        )

    def _core(self, name: str) -> Tensor:
        """A core with the rows of all tasks that have it, that of one that came later the last."""
        return (
            torch.cat([self.cores[name], self.added[name]])
            if name in self.added
            else self.cores[name]
        )

    def own_values(self, task: int) -> list[Tensor]:
        if self.added and task == self.n_tasks - 1:
            return [row.detach()[0] for row in self.added.values()]
        return [
            self.cores[name].detach()[self._rows[task][core]]
            for core, name in self._own_cores(self.rings[task])
        ]

    def _own_cores(self, ring: Ring) -> list[tuple[int, str]]:
        """Numbers and names of the cores that each task with this ring has of its own."""
        return [
            (core, ring.core_name(core))
            for core in range(len(ring.modes))
            if core not in self.shared
        ]

    def with_task(self, start: Tensor) -> SharedWeight:
        """A typical row of every own core for one more task; its weight has the shape of some other
        task's.

        Raises:
            ValueError: no task has a weight of this shape.
        """
        ring = next((ring for ring in self.rings if ring.shape == tuple(start.shape)), None)
        if ring is None:
            shapes = sorted({ring.shape for ring in self.rings})
            raise ValueError(
                f"the new task needs the shape {tuple(start.shape)}, the tasks share cores "
                f"of weights of shapes {shapes} only"
            )
        cores = {name: self._core(name).detach() for name in self.cores}
        weight = UnequalRings([*self.rings, ring], self.shared, cores)
        weight.requires_grad_(False)
        weight.added.update(
            {name: nn.Parameter(typical_row(cores[name])) for _, name in self._own_cores(ring)}
        )
        return weight

    def task_vectors(self) -> Tensor:
        nothing = next(iter(self.cores.values())).new_zeros(0)
        vectors = [
            [value.flatten() for value in self.own_values(task)] for task in range(self.n_tasks)
        ]
        return padded_rows([torch.cat([nothing, *values]) for values in vectors])

    def independent_parameters(self) -> int:
        return sum(prod(ring.shape) for ring in self.rings)

    def ranks(self) -> tuple[int, ...]:
        return max((ring.ranks for ring in self.rings), key=len)


def draw_unequal(
    rings: Sequence[Ring],
    shared: Collection[int],
    *,
    stds: Sequence[float],
    streams: RandomStreams,
    layer: str,
    common_start: bool,
) -> dict[str, Tensor]:
    """Random cores for :class:`UnequalRings`, with which every task's weight has elements of its
    root mean square.

    A core that tasks with different numbers of cores share has one scale for all of them; the
    scales are those nearest to each other with which every task's product is right.

    Args:
        rings: every task's ring.
        shared: numbers of the cores that tasks share.
        stds: the root mean square wanted in every task; tasks of one ring have one.
        streams: where the values come from; a task's own come from its own stream.
        layer: the layer's name, which sets its streams apart.
        common_start: whether cores of the tasks' own start from the same values.
    """
    wanted = dict(zip(rings, stds, strict=True))
    members = _members(rings)
    cores = _drawn_at_size_one(
        rings,
        shared,
        members,
        streams,
        layer,
        common_start,
    )
    expected = {ring: log(std) - log(prod(ring.ranks)) / 2 for ring, std in wanted.items()}
    cores = _scaled(cores, _nearest_scales(expected, list(cores)))

    # Rings without rows of one task alone: only what several tasks have can set their size.
    common = {ring for ring in wanted if common_start or not _own_names(ring, shared)}
    left_over = {ring: log(wanted[ring]) - _log_size(ring, shared, cores) for ring in common}
    cores = _scaled(cores, _nearest_scales(left_over, list(cores)))
    for ring in wanted:
        if ring not in common:
            _set_rows(
                ring,
                shared,
                cores,
                members,
                std=wanted[ring],
                rings=rings,
            )
    return cores


def _members(rings: Sequence[Ring]) -> dict[str, list[int]]:
    """Core's name → the tasks that have it, in order."""
    members: dict[str, list[int]] = {}
    for task, ring in enumerate(rings):
        for name in ring.core_names():
            members.setdefault(name, []).append(task)
    return members


def _own_names(ring: Ring, shared: Collection[int]) -> list[str]:
    """The cores that each task with this ring has of its own."""
    return [name for core, name in enumerate(ring.core_names()) if core not in shared]


def _drawn_at_size_one(
    rings: Sequence[Ring],
    shared: Collection[int],
    members: Mapping[str, Sequence[int]],
    streams: RandomStreams,
    layer: str,
    common_start: bool,
) -> dict[str, Tensor]:
    cores: dict[str, Tensor] = {}
    for ring in dict.fromkeys(rings):
        for core, name in enumerate(ring.core_names()):
            label, shape = f"{layer}.{name}", ring.core_shape(core)
            if name in cores:
                continue
            if core in shared:
                cores[name] = of_size_one(streams.normal(label, shape))
            elif common_start:
                values = of_size_one(streams.normal(label, shape))
                cores[name] = values.expand(len(members[name]), *shape)
            else:
                cores[name] = streams.normal_by_task(label, shape)[members[name]]
    return cores


def _scaled(
    cores: Mapping[str, Tensor],
    scales: Sequence[float],
) -> dict[str, Tensor]:
    return {
        name: scale * values for (name, values), scale in zip(cores.items(), scales, strict=True)
    }


def _log_size(
    ring: Ring,
    shared: Collection[int],
    cores: Mapping[str, Tensor],
) -> float:
    """Logarithm of the root mean square of a weight whose cores are the same in all its tasks."""
    values = [
        cores[name] if core in shared else cores[name][0]
        for core, name in enumerate(ring.core_names())
    ]
    everywhere = ring.equation(range(len(values)))
    return log(float(mean_squares(everywhere, values))) / 2


def _set_rows(
    ring: Ring,
    shared: Collection[int],
    cores: dict[str, Tensor],
    members: Mapping[str, Sequence[int]],
    *,
    std: float,
    rings: Sequence[Ring],
) -> None:
    """Scale the rows of the tasks with this ring in place, so that each weight has its size."""
    tasks = [task for task, other in enumerate(rings) if other == ring]
    own = _own_names(ring, shared)
    places = {name: [members[name].index(task) for task in tasks] for name in own}
    operands = [
        cores[name][places[name]] if name in places else cores[name] for name in ring.core_names()
    ]
    scales = scales_to(std, mean_squares(ring.equation(shared), operands))
    for name in own:
        rows = cores[name][places[name]]
        cores[name][places[name]] = scaled_rows(rows, scales ** (1 / len(own)))


def _nearest_scales(
    wanted: Mapping[Ring, float],
    names: Sequence[str],
) -> list[float]:
    """The cores' scales: of all whose product has for every ring the logarithm wanted, those with
    the least sum of squared logarithms.
    """
    if not wanted:
        return [1.0] * len(names)
    among = np.array([[name in ring.core_names() for name in names] for ring in wanted])
    logs = np.array(list(wanted.values()))
    return np.exp(np.linalg.lstsq(among.astype(float), logs, rcond=None)[0]).tolist()
