"""Trees as a module: all rows walk through all trees at once, level after level.

The levels are written out one by one, as many as the deepest tree has. A leaf leads to itself, so
that those who arrive early wait there::

    node = branches[node] + (input[feature[node]] > threshold[node])      depth times
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from softshare.shallow.rows import Array, Codes
from softshare.shallow.tree_arrays import BY_SET, LEAF, TreeArrays

BITS = 8


class TreesOfRows(nn.Module):
    """The sums of what trees say.

    Args:
        arrays: the trees.
        first_tree: where each task's trees begin, and where the last one's end; all tasks have all
            trees where it is None.
    """

    features: Tensor
    branches: Tensor
    leaves: Tensor
    values: Tensor
    thresholds: Tensor
    roots: Tensor

    def __init__(
        self,
        arrays: TreeArrays,
        first_tree: Codes | None = None,
    ) -> None:
        super().__init__()
        is_leaf = arrays.features == LEAF
        nodes = np.arange(len(is_leaf))
        # One leaf more, which says nothing, for tasks with fewer trees than others.
        nowhere = len(is_leaf)
        nothing = np.zeros((1, arrays.values.shape[1]))
        values = np.vstack([arrays.values, nothing])
        features = np.where(is_leaf, 0, arrays.features)
        children = np.where(is_leaf, nodes, arrays.children)
        leaves = np.where(is_leaf, arrays.children, 0)
        thresholds = np.where(is_leaf, np.inf, arrays.thresholds)
        thresholds = np.append(rounded(thresholds), np.float32(np.inf))
        roots = root_table(
            arrays,
            first_tree,
            nowhere,
        )
        self.register_buffer("features", _small(np.append(features, 0)))
        self.register_buffer("branches", _small(np.append(children, nowhere)))
        self.register_buffer("leaves", _small(np.append(leaves, len(arrays.values))))
        self.register_buffer("values", torch.from_numpy(values.astype(np.float32)))
        self.register_buffer("thresholds", torch.from_numpy(thresholds))
        self.register_buffer("roots", _small(roots))
        self.depth = depth_of(arrays)
        by_set = (arrays.kinds & BY_SET) != 0
        by_set = np.append(by_set, False)
        self.sets = SetsOfRows(arrays, by_set) if by_set.any() else None

    def forward(
        self,
        design: Tensor,
        places: Tensor,
    ) -> Tensor:
        """Inputs ``(N, p)`` in single precision, the category last, and tasks ``(N,)`` → ``(N,
        C)``.
        """
        roots = self.roots
        if len(roots) == 1:
            places = torch.zeros_like(places)
        nodes = roots.index_select(0, places)  # (N, rounds, columns)
        _, rounds, columns = roots.shape
        nodes = nodes.flatten(1)
        for _ in range(self.depth):
            features = _taken(self.features, nodes).to(torch.int64)
            values = torch.gather(
                design,
                1,
                features,
            )
            goes_right = values > _taken(self.thresholds, nodes)
            if self.sets is not None:
                goes_right = self.sets(
                    goes_right,
                    nodes,
                    design[:, -1],
                )
            nodes = _taken(self.branches, nodes) + goes_right.to(torch.int32)
        leaves = _taken(self.leaves, nodes)
        said = self.values.index_select(0, leaves.flatten()).to(torch.float64)
        width = self.values.shape[1]
        by_round = said.reshape(
            -1,
            rounds,
            columns * width,
        )
        return by_round.sum(dim=1)


class SetsOfRows(nn.Module):
    """The nodes that send a set of categories to the left.

    Args:
        arrays: the trees.
        by_set: which nodes do, ``(nodes,)``.
    """

    numbers: Tensor
    missing_right: Tensor
    starts: Tensor
    bits: Tensor
    powers: Tensor

    def __init__(
        self,
        arrays: TreeArrays,
        by_set: np.ndarray,
    ) -> None:
        super().__init__()
        numbers = np.full(len(by_set), -1)
        numbers[by_set] = arrays.thresholds[by_set[:-1]].astype(np.int64)
        missing_right = np.ones(len(by_set), dtype=bool)
        missing_right[:-1] = arrays.kinds <= BY_SET
        self.register_buffer("numbers", _small(numbers))
        self.register_buffer("missing_right", torch.from_numpy(missing_right))
        self.register_buffer("starts", torch.from_numpy(arrays.sets.starts))
        self.register_buffer("bits", torch.from_numpy(arrays.sets.bits))
        self.register_buffer("powers", 2 ** torch.arange(BITS))

    def forward(
        self,
        goes_right: Tensor,
        nodes: Tensor,
        categories: Tensor,
    ) -> Tensor:
        """``(N, W)``, ``(N, W)`` and ``(N,)`` → ``(N, W)``."""
        numbers = _taken(self.numbers, nodes).to(torch.int64)
        by_set = numbers >= 0
        sets = numbers.clamp(min=0)
        codes = categories.to(torch.int64)
        known = codes.clamp(min=0)
        octets = torch.div(
            known,
            BITS,
            rounding_mode="floor",
        )
        powers = self.powers.index_select(0, known - BITS * octets)
        places = _taken(self.starts, sets) + octets[:, None]
        is_inside = places < _taken(self.starts, sets + 1)
        inside = torch.where(
            is_inside,
            places,
            torch.zeros_like(places),
        )
        words = _taken(self.bits, inside).to(torch.int64)
        shifted = torch.div(
            words,
            powers[:, None],
            rounding_mode="floor",
        )
        halves = torch.div(
            shifted,
            2,
            rounding_mode="floor",
        )
        is_member = is_inside & (shifted - 2 * halves == 1)
        is_missing = (codes < 0)[:, None]
        missing_right = is_missing & _taken(self.missing_right, nodes)
        # In words of truth alone: not every runtime chooses between truth values.
        outside = missing_right | ~(is_missing | is_member)
        return (by_set & outside) | (~by_set & goes_right)


def root_table(
    arrays: TreeArrays,
    first_tree: Codes | None,
    nowhere: int,
) -> Codes:
    """The roots of every task's trees, for every round and every column that trees add to.

    Args:
        arrays: the trees.
        first_tree: as of :class:`TreesOfRows`.
        nowhere: the node of those that a task lacks.

    Shape:
        ``(T, rounds, columns)``, T = 1 where all tasks have all trees.
    """
    n_columns = arrays.n_outputs // arrays.values.shape[1]
    bounds = [0, len(arrays.roots)] if first_tree is None else first_tree.tolist()
    by_task: list[list[Sequence[int]]] = []
    for begin, end in pairwise(bounds):
        columns = arrays.columns[begin:end]
        of_task_roots = arrays.roots[begin:end]
        by_task.append([of_task_roots[columns == column].tolist() for column in range(n_columns)])
    rounds = max(len(roots) for of_task in by_task for roots in of_task)
    table = np.full((len(by_task), rounds, n_columns), nowhere)
    for task, of_task in enumerate(by_task):
        for column, roots in enumerate(of_task):
            table[task, : len(roots), column] = roots
    return table


def depth_of(arrays: TreeArrays) -> int:
    """How many nodes the longest way passes before its leaf."""
    level = arrays.roots
    depth = -1
    while len(level):
        inner = level[arrays.features[level] != LEAF]
        left = arrays.children[inner]
        level = np.concatenate([left, left + 1])
        depth += 1
    return depth


def rounded(thresholds: Array) -> np.ndarray:
    """Thresholds in single precision, of which no number of single precision knows the difference:
    each the largest that is not above it.
    """
    nearest = thresholds.astype(np.float32)
    below = np.nextafter(nearest, np.float32(-np.inf))
    return np.where(
        nearest > thresholds,
        below,
        nearest,
    )


def _taken(table: Tensor, places: Tensor) -> Tensor:
    """Entries of a table ``(n,)`` at places of any shape."""
    return table.index_select(0, places.flatten()).reshape(places.shape)


def _small(numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(numbers.astype(np.int32))
