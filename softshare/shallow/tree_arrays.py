r"""Trees as plain arrays: what is left of a forest or of boosted trees once they are grown.

A node either divides rows or is a leaf. Both children of a node stand beside each other, and the
nodes of a tree level by level::

    tree:        0           node:     0    1    2    3    4
               /   \         feature:  7   −1    2   −1   −1
              1     2        children: 1    0    3    1    2
                   / \                  │    └ row of ``values`` of a leaf
                  3   4                 └ left child; the right one is next to it

so that one addition, ``children[node] + goes_right``, is a step, for many rows and trees at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softshare.shallow.rows import Array, Codes

Truths = NDArray[np.bool_]

LEAF = -1
BY_SET = 1
"""A bit of ``kinds``: a node sends the categories of a set to the left."""
MISSING_LEFT = 2
"""A bit of ``kinds``: a node sends what is missing to the left: NaN, a negative category."""

ROWS_AT_ONCE = 1 << 14
# Rows times trees that walk at once: their arrays stay in a processor's cache, and the nodes of a
# deep tree too while all rows pass through it.
WALKERS = 1 << 16


@dataclass(frozen=True, eq=False)
class CategorySets:
    """Sets of categories, one bit for each, of as many bytes as a set's largest member needs.

    Args:
        bits: All sets' bytes, the lowest bit first.
        starts: Where each set's bytes begin, and where the last one's end. Shape (sets + 1,).
    """

    bits: NDArray[np.uint8]
    starts: Codes

    @classmethod
    def of(
        cls,
        members: Sequence[Truths],
    ) -> CategorySets:
        """Sets from a truth value a category each."""
        packed = [np.zeros(0, dtype=np.uint8)]
        ends = [0]
        for one in members:
            own = np.packbits(one, bitorder="little")
            packed.append(own)
            ends.append(ends[-1] + len(own))
        bits = np.concatenate(packed)
        starts = np.array(ends, dtype=np.int64)
        return cls(bits, starts)

    def hold(
        self,
        sets: Codes,
        categories: Codes,
    ) -> Truths:
        """Which categories are in their set; those beyond a set's bytes are not. Shape (n,)."""
        first = self.starts[sets]
        after = self.starts[sets + 1]
        places = first + (categories >> 3)
        is_inside = categories >= 0
        is_inside &= places < after
        found = np.zeros(len(sets), dtype=bool)
        inside = categories[is_inside]
        octets = self.bits[places[is_inside]]
        bits = octets >> (inside & 7)
        found[is_inside] = bits & 1
        return found


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """Trees whose leaves' values add up to outputs.

    Args:
        roots: Each tree's first node. Shape (trees,).
        columns: The first output that each tree adds to. Shape (trees,).
        features: The input that each node looks at, :data:`LEAF` of a leaf. Shape (nodes,).
        thresholds: An input up to it goes left; of a node :data:`BY_SET` the number of its set.
            Shape (nodes,).
        children: The left child, the right one next to it; of a leaf its row of ``values``.
            Shape (nodes,).
        kinds: Bits :data:`BY_SET` and :data:`MISSING_LEFT`. Shape (nodes,).
        values: What each leaf adds, to K outputs side by side. Shape (leaves, K).
        sets: The categories that go left.
        n_outputs: C.
    """

    roots: Codes
    columns: Codes
    features: NDArray[np.int32]
    thresholds: Array
    children: NDArray[np.int32]
    kinds: NDArray[np.uint8]
    values: Array
    sets: CategorySets
    n_outputs: int

    def __post_init__(self) -> None:
        """Every walk must end: a child is behind its parent, and a leaf has values.

        Raises:
            ValueError: If that is not so.
        """
        n_nodes = len(self.features)
        nodes = np.arange(n_nodes)
        is_leaf = self.features == LEAF
        lowest = np.where(is_leaf, 0, nodes + 1)
        after = np.where(is_leaf, len(self.values), n_nodes - 1)
        fits = (self.children >= lowest) & (self.children < after)
        starts = (self.roots >= 0) & (self.roots < n_nodes)
        if not (fits.all() and starts.all()):
            raise ValueError("trees: a node's children, or a leaf's values, are not where they say")

    def outputs(
        self,
        design: Array,
        trees: slice = slice(None),
    ) -> Array:
        """The sum of what all trees, or some, say of every row.

        Shape:
            (N, p) to (N, C).
        """
        n_rows = len(design)
        sums = np.zeros((n_rows, self.n_outputs))
        for first in range(0, n_rows, ROWS_AT_ONCE):
            some = slice(first, first + ROWS_AT_ONCE)
            rows = np.ascontiguousarray(design[some])
            self._add(
                sums[some],
                rows,
                trees,
            )
        return sums

    def _add(
        self,
        sums: Array,
        design: Array,
        trees: slice,
    ) -> None:
        """Add to some rows' sums what trees say of them. Shapes (n, C) and (n, p)."""
        all_roots = self.roots[trees]
        all_columns = self.columns[trees]
        width = self.values.shape[1]
        at_once = max(1, WALKERS // len(design))
        for first in range(0, len(all_roots), at_once):
            some = slice(first, first + at_once)
            leaves = self._leaves(design, all_roots[some])
            said = self.values[leaves]  # (some trees, n, K)
            columns = all_columns[some]
            for column in np.unique(columns):
                mine = said[columns == column]
                own = slice(column, column + width)
                sums[:, own] += mine.sum(axis=0)

    def _leaves(
        self,
        design: Array,
        roots: Codes,
    ) -> Codes:
        """The row of ``values`` where each row ends in each tree. Shape (trees, n)."""
        n_rows, width = design.shape
        inputs = design.ravel()
        nodes: NDArray[Any] = np.repeat(roots, n_rows)
        # Where a walker's row begins in the inputs.
        row_starts = width * np.arange(n_rows)
        offsets = np.tile(row_starts, len(roots))
        walkers = np.arange(len(nodes))
        leaves = np.empty(len(nodes), dtype=np.int64)
        while len(walkers):
            features = self.features.take(nodes)
            walks = features != LEAF
            if not walks.all():
                # Who has arrived is left out: trees are much deeper in some places than in most.
                arrived = np.flatnonzero(~walks)
                ends = nodes.take(arrived)
                leaves[walkers.take(arrived)] = self.children.take(ends)
                going = np.flatnonzero(walks)
                nodes = nodes.take(going)
                offsets = offsets.take(going)
                walkers = walkers.take(going)
                features = features.take(going)
            values = inputs.take(offsets + features)
            goes_right = self._goes_right(nodes, values)
            nodes = self.children.take(nodes) + goes_right
        return leaves.reshape(len(roots), n_rows)

    def _goes_right(
        self,
        nodes: NDArray[Any],
        values: Array,
    ) -> Truths:
        """Where walkers at nodes go with these values of their node's input. Shape (n,)."""
        thresholds = self.thresholds.take(nodes)
        goes_right = values > thresholds
        kinds = self.kinds.take(nodes)
        is_missing = np.isnan(values)
        by_set = np.flatnonzero(kinds & BY_SET)
        if len(by_set):
            asked = values.take(by_set)
            categories = np.nan_to_num(asked, nan=-1.0).astype(np.int64)
            sets = thresholds.take(by_set).astype(np.int64)
            goes_right[by_set] = ~self.sets.hold(sets, categories)
            is_missing[by_set] = categories < 0
        missing = np.flatnonzero(is_missing)
        goes_left = kinds.take(missing) & MISSING_LEFT
        goes_right[missing] = goes_left == 0
        return goes_right


def joined(parts: Sequence[TreeArrays]) -> TreeArrays:
    """All trees of several parts, one part's after the other's."""
    roots = []
    children = []
    n_nodes = 0
    n_leaves = 0
    for part in parts:
        is_leaf = part.features == LEAF
        shifts = np.where(is_leaf, n_leaves, n_nodes)
        roots.append(part.roots + n_nodes)
        children.append(part.children + shifts)
        n_nodes += len(part.features)
        n_leaves += len(part.values)
    sets, first_sets = joined_sets([part.sets for part in parts])
    thresholds = []
    for part, first_set in zip(parts, first_sets, strict=True):
        by_set = (part.kinds & BY_SET) != 0
        thresholds.append(part.thresholds + first_set * by_set)
    return TreeArrays(
        roots=np.concatenate(roots),
        columns=np.concatenate([part.columns for part in parts]),
        features=np.concatenate([part.features for part in parts]),
        thresholds=np.concatenate(thresholds),
        children=np.concatenate(children).astype(np.int32),
        kinds=np.concatenate([part.kinds for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        sets=sets,
        n_outputs=parts[0].n_outputs,
    )


def joined_sets(parts: Sequence[CategorySets]) -> tuple[CategorySets, list[int]]:
    """All sets of several parts, and the number that each part's first one gets."""
    starts = [np.zeros(1, dtype=np.int64)]
    first_sets = []
    n_sets = 0
    n_bytes = 0
    for part in parts:
        first_sets.append(n_sets)
        starts.append(n_bytes + part.starts[1:])
        n_sets += len(part.starts) - 1
        n_bytes += len(part.bits)
    bits = np.concatenate([part.bits for part in parts])
    return CategorySets(bits, np.concatenate(starts)), first_sets
