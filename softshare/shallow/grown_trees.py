"""Grown trees as :class:`TreeArrays`, which need no library any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softshare.shallow.rows import Array, Codes
from softshare.shallow.tree_arrays import (
    LEAF,
    CategorySets,
    TreeArrays,
    Truths,
)


@dataclass(frozen=True, eq=False)
class LinkedNodes:
    """One tree's nodes, in any order, the root first.

    Args:
        features: :data:`LEAF` of a leaf.
        thresholds: or the number of a set.
        left: the left child's number; of a leaf without meaning.
        right: likewise.
        kinds: as of :class:`TreeArrays`.
        values: what a leaf adds, ``(nodes, K)``; of other nodes without meaning.
    """

    features: Codes
    thresholds: Array
    left: Codes
    right: Codes
    kinds: NDArray[np.uint8]
    values: Array


def of_forest(forest: Any, columns: Codes | None, n_outputs: int) -> TreeArrays:
    """The mean of a forest's trees.

    Args:
        forest: scikit-learn's, fitted on one target. It rounds inputs to float32, and so must
            who asks these arrays.
        columns: The output of each class that it has seen; None of numbers.
        n_outputs: C.
    """
    n_trees = len(forest.estimators_)
    trees = []
    for grown in forest.estimators_:
        tree = grown.tree_
        is_leaf = tree.children_left < 0
        of_seen = tree.value[:, 0, :]
        values = of_seen
        if columns is not None:
            values = np.zeros((len(of_seen), n_outputs))
            values[:, columns] = of_seen
        nodes = LinkedNodes(
            features=np.where(is_leaf, LEAF, tree.feature),
            thresholds=tree.threshold,
            left=tree.children_left,
            right=tree.children_right,
            kinds=np.zeros(len(is_leaf), dtype=np.uint8),
            values=values / n_trees,
        )
        trees.append(nodes)
    first = np.zeros(n_trees, dtype=np.int64)
    return linked(
        trees,
        first,
        sets=(),
        n_outputs=n_outputs,
    )


def linked(
    trees: Sequence[LinkedNodes],
    columns: Codes,
    *,
    sets: Sequence[Truths],
    n_outputs: int,
) -> TreeArrays:
    """All trees' nodes in the order that :class:`TreeArrays` has.

    Args:
        trees: those that add up.
        columns: The first output that each adds to.
        sets: Those that nodes' thresholds number.
        n_outputs: C.
    """
    sizes = [len(tree.features) for tree in trees]
    roots = np.cumsum([0, *sizes[:-1]])
    shifts = np.repeat(roots, sizes)
    features = np.concatenate([tree.features for tree in trees])
    left = np.concatenate([tree.left for tree in trees])
    right = np.concatenate([tree.right for tree in trees])
    order = _level_by_level(
        roots,
        features,
        left + shifts,
        right + shifts,
    )
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    is_leaf = features == LEAF
    # A leaf has no child: any node will do in its place.
    left_nodes = np.where(is_leaf, 0, left + shifts)
    left_places = places[left_nodes]
    is_leaf = is_leaf[order]
    leaf_rows = np.cumsum(is_leaf) - 1
    children = np.where(
        is_leaf,
        leaf_rows,
        left_places[order],
    )
    thresholds = np.concatenate([tree.thresholds for tree in trees])
    kinds = np.concatenate([tree.kinds for tree in trees])
    values = np.concatenate([tree.values for tree in trees])
    return TreeArrays(
        roots=places[roots],
        columns=columns,
        features=features[order].astype(np.int32),
        thresholds=thresholds[order],
        children=children.astype(np.int32),
        kinds=kinds[order],
        values=values[order[is_leaf]],
        sets=CategorySets.of(sets),
        n_outputs=n_outputs,
    )


def _level_by_level(
    roots: Codes,
    features: Codes,
    left: Codes,
    right: Codes,
) -> Codes:
    """All nodes, tree by tree, level by level, and children in pairs. Shape (nodes,)."""
    n_trees = len(roots)
    level = roots
    # The smallest type that numbers them sorts fastest.
    trees = np.arange(n_trees, dtype=np.min_scalar_type(n_trees))
    levels = []
    trees_of_levels = []
    while len(level):
        levels.append(level)
        trees_of_levels.append(trees)
        divides = features[level] != LEAF
        parents = level[divides]
        pairs = np.stack([left[parents], right[parents]], axis=1)
        level = pairs.ravel()
        trees = np.repeat(trees[divides], 2)
    nodes = np.concatenate(levels)
    trees_of_nodes = np.concatenate(trees_of_levels)
    # A stable sort keeps levels and pairs as they are within a tree.
    by_tree = np.argsort(trees_of_nodes, kind="stable")
    return nodes[by_tree]
