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
from softshare.sharing.base import SharedWeight
from softshare.sharing.random_streams import RandomStreams
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
        parameters = {}
        for name, values in cores.items():
            parameters[name] = nn.Parameter(values.detach().clone())
        self.cores = nn.ParameterDict(parameters)
        self.added = nn.ParameterDict()
        # For every task the row of each of its cores: how many tasks before it have the same.
        self._rows: list[dict[int, int]] = []
        counts = dict.fromkeys(cores, 0)
        for ring in self.rings:
            rows = {}
            for core, name in enumerate(ring.core_names()):
                rows[core] = counts[name]
                counts[name] += 1
            self._rows.append(rows)

    def ring_cores(self) -> list[Core]:
        having = _members(self.rings)
        numbers: dict[str, int] = {}
        for ring in self.rings:
            for number, name in enumerate(ring.core_names()):
                numbers[name] = number
        found = []
        for name, values in self.cores.items():
            number = numbers[name]
            parameters: tuple[nn.Parameter, ...] = (values,)
            if name in self.added:
                parameters = (values, self.added[name])
            core = Core(
                number,
                parameters,
                tasks=tuple(having[name]),
                is_own=number not in self.shared,
            )
            found.append(core)
        return found

    @property
    def cores_in_common(self) -> list[int]:
        return common_cores(Counter(self.rings))

    def contraction(self, tasks: Tensor | None = None) -> tuple[str, list[Tensor]] | None:
        """The cores of tasks with one ring; None where their rings differ, or nothing is their own:
        then the product of the cores is one weight, which is composed once.
        """
        numbers = self._numbers(tasks)
        first, *others = {self._group_of[task] for task in numbers}
        ring = self.rings[self._members[first][0]]
        if others or not self._own_cores(ring):
            return None
        return ring.equation(self.shared), self._operands(ring, numbers)

    def _composed(self, group: int, tasks: list[int]) -> Tensor:
        first = self._members[group][0]
        ring = self.rings[first]
        operands = self._operands(ring, tasks)
        equation = ring.equation(self.shared)
        n_tasks = len(tasks)
        if self._own_cores(ring):
            stack = contract(equation, operands)
            return stack.reshape(n_tasks, *ring.shape)
        # No core carries the task, so neither does the product.
        weight = contract(equation.replace("->t", "->"), operands)
        return weight.reshape(ring.shape).expand(n_tasks, *ring.shape)

    def _operands(self, ring: Ring, tasks: list[int]) -> list[Tensor]:
        """The cores of a ring, own ones with the rows of these tasks, which have it."""
        operands = []
        for core, name in enumerate(ring.core_names()):
            values = self._core(name)
            if core not in self.shared:
                rows = [self._rows[task][core] for task in tasks]
                at = torch.tensor(rows, device=values.device)
                values = values.index_select(0, at)  # (k, R_k, M_k, N_k, R_{k+1})
            operands.append(values)
        return operands

    def _core(self, name: str) -> Tensor:
        """A core with the rows of all tasks that have it, that of one that came later the last."""
        rows = self.cores[name]
        if name in self.added:
            return torch.cat([rows, self.added[name]])
        return rows

    def own_values(self, task: int) -> list[Tensor]:
        came_last = task == self.n_tasks - 1
        if self.added and came_last:
            return [row.detach()[0] for row in self.added.values()]
        values = []
        for core, name in self._own_cores(self.rings[task]):
            row = self._rows[task][core]
            values.append(self.cores[name].detach()[row])
        return values

    def _own_cores(self, ring: Ring) -> list[tuple[int, str]]:
        """Numbers and names of the cores that each task with this ring has of its own."""
        found = []
        for core, name in enumerate(ring.core_names()):
            if core not in self.shared:
                found.append((core, name))
        return found

    def with_task(self, start: Tensor) -> SharedWeight:
        """A typical row of every own core for one more task; its weight has the shape of some other
        task's.

        Raises:
            ValueError: no task has a weight of this shape.
        """
        ring = self._ring_of_shape(tuple(start.shape))
        cores = {}
        for name in self.cores:
            cores[name] = self._core(name).detach()
        weight = UnequalRings([*self.rings, ring], self.shared, cores)
        weight.requires_grad_(False)
        for _, name in self._own_cores(ring):
            row = typical_row(cores[name])
            weight.added[name] = nn.Parameter(row)
        return weight

    def _ring_of_shape(self, shape: tuple[int, ...]) -> Ring:
        for ring in self.rings:
            if ring.shape == shape:
                return ring
        shapes = sorted({ring.shape for ring in self.rings})
        raise ValueError(
            f"the new task needs the shape {shape}, the tasks share cores "
            f"of weights of shapes {shapes} only"
        )

    def task_vectors(self) -> Tensor:
        any_core = next(iter(self.cores.values()))
        nothing = any_core.new_zeros(0)  # all there is of a task without cores of its own
        vectors = []
        for task in range(self.n_tasks):
            values = [value.flatten() for value in self.own_values(task)]
            vectors.append(torch.cat([nothing, *values]))
        return padded_rows(vectors)

    def independent_parameters(self) -> int:
        return sum(prod(ring.shape) for ring in self.rings)

    def ranks(self) -> tuple[int, ...]:
        each = [ring.ranks for ring in self.rings]
        return max(each, key=len)


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
    # Of cores of size 1 a weight's variance is expected to be the number of its summands, ∏ R.
    expected = {}
    for ring, std in wanted.items():
        expected[ring] = log(std) - log(prod(ring.ranks)) / 2
    cores = _scaled(cores, _nearest_scales(expected, list(cores)))

    # Rings without rows of one task alone: only what several tasks have can set their size.
    common = set()
    left_over = {}
    for ring, std in wanted.items():
        if common_start or not _own_names(ring, shared):
            common.add(ring)
            left_over[ring] = log(std) - _log_size(ring, shared, cores)
    cores = _scaled(cores, _nearest_scales(left_over, list(cores)))
    for ring, std in wanted.items():
        if ring not in common:
            _set_rows(
                ring,
                shared,
                cores,
                members,
                std=std,
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
    names = []
    for core, name in enumerate(ring.core_names()):
        if core not in shared:
            names.append(name)
    return names


def _drawn_at_size_one(
    rings: Sequence[Ring],
    shared: Collection[int],
    members: Mapping[str, Sequence[int]],
    streams: RandomStreams,
    layer: str,
    common_start: bool,
) -> dict[str, Tensor]:
    """Every core once, whichever rings have it first."""
    cores: dict[str, Tensor] = {}
    for ring in dict.fromkeys(rings):
        for core, name in enumerate(ring.core_names()):
            if name in cores:
                continue
            label = f"{layer}.{name}"
            shape = ring.core_shape(core)
            tasks = members[name]
            if core in shared:
                cores[name] = of_size_one(streams.normal(label, shape))
            elif common_start:
                values = of_size_one(streams.normal(label, shape))
                cores[name] = values.expand(len(tasks), *shape)
            else:
                cores[name] = streams.normal_by_task(label, shape)[tasks]
    return cores


def _scaled(
    cores: Mapping[str, Tensor],
    scales: Sequence[float],
) -> dict[str, Tensor]:
    """Each core times its scale."""
    scaled = {}
    for name, scale in zip(cores, scales, strict=True):
        scaled[name] = scale * cores[name]
    return scaled


def _log_size(
    ring: Ring,
    shared: Collection[int],
    cores: Mapping[str, Tensor],
) -> float:
    """Logarithm of the root mean square of a weight whose cores are the same in all its tasks."""
    values = []
    for core, name in enumerate(ring.core_names()):
        all_rows = cores[name]
        values.append(all_rows if core in shared else all_rows[0])
    tied = ring.equation(range(len(values)))
    square = float(mean_squares(tied, values))
    return log(square) / 2


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
    # A core may have rows of tasks with other rings too.
    places = {}
    for name in own:
        places[name] = [members[name].index(task) for task in tasks]
    operands = []
    for name in ring.core_names():
        values = cores[name]
        operands.append(values[places[name]] if name in places else values)
    squares = mean_squares(ring.equation(shared), operands)  # (k,) of the k tasks
    part = scales_to(std, squares) ** (1 / len(own))
    for name in own:
        rows = cores[name][places[name]]
        cores[name][places[name]] = scaled_rows(rows, part)


def _nearest_scales(
    wanted: Mapping[Ring, float],
    names: Sequence[str],
) -> list[float]:
    """The cores' scales: of all whose product has for every ring the logarithm wanted, those with
    the least sum of squared logarithms.
    """
    if not wanted:
        return [1.0] * len(names)
    # One equation a ring: the logarithms of its cores' scales add up to the one wanted.
    #
    #     ring (a, b)     1 1 0     ln s_a      wanted
    #     ring (a, c)     1 0 1  ·  ln s_b   =  wanted
    #                               ln s_c
    has_core = []
    for ring in wanted:
        of_ring = ring.core_names()
        has_core.append([float(name in of_ring) for name in names])
    logs = np.array(list(wanted.values()))
    solution, *_ = np.linalg.lstsq(np.array(has_core), logs, rcond=None)
    scales: list[float] = np.exp(solution).tolist()
    return scales
