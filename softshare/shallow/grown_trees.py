"""Trees of scikit-learn's and LightGBM's as :class:`TreeArrays`, which need neither library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softshare.shallow.rows import Array, Codes
from softshare.shallow.tree_arrays import (
    BY_SET,
    LEAF,
    MISSING_LEFT,
    CategorySets,
    TreeArrays,
    Truths,
)

# The bits of a node's `decision_type` in LightGBM's text: of a category, missing goes left, and
# two bits for what counts as missing (nothing, zeros, NaN).
CATEGORICAL_BIT = 1
DEFAULT_LEFT_BIT = 2
MISSING_SHIFT = 2
MISSING_IS_NAN = 2


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


def of_lightgbm(booster: Any, n_outputs: int) -> TreeArrays:
    """A booster's raw scores, from the text that LightGBM itself saves it in.

    Args:
        booster: as ``lightgbm.train`` returns it.
        n_outputs: C; its trees add to one output after the other.
    """
    text = booster.model_to_string()
    # A head, "Tree=0" and its lines, "Tree=1" and so on, "end of trees" and what follows.
    blocks = text.split("end of trees")[0].split("\nTree=")[1:]
    sets: list[Truths] = []
    trees = []
    for block in blocks:
        fields = _fields(block)
        trees.append(_lightgbm_tree(fields, sets))
    columns = np.arange(len(trees)) % n_outputs
    return linked(
        trees,
        columns,
        sets=sets,
        n_outputs=n_outputs,
    )


def of_histograms(
    model: Any,
    codes: Codes,
    columns: Codes,
    n_outputs: int,
) -> TreeArrays:
    """The raw scores of scikit-learn's histogram-based trees.

    Args:
        model: fitted on inputs and, last, a category.
        codes: The category of every training row, −1 where it was missing. One that is none of
            these is missing, too, unless it is larger than all.
        columns: The output that each score adds to.
        n_outputs: C.
    """
    # They have their categories first, numbered in order, and what they have not seen is missing.
    seen = np.unique(codes[codes >= 0])
    category = model.n_features_in_ - 1
    # What all rows start from is a part of the first trees' leaves.
    starts = model._baseline_prediction.ravel()
    trees = []
    sets: list[Truths] = []
    for of_round in model._predictors:
        for predictor, start in zip(of_round, starts, strict=True):
            tree = _histogram_tree(
                predictor,
                float(start),
                category,
                seen,
                sets,
            )
            trees.append(tree)
        starts = np.zeros(len(of_round))
    return linked(
        trees,
        np.tile(columns, len(model._predictors)),
        sets=sets,
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


def _fields(block: str) -> Mapping[str, str]:
    """The lines ``name=value`` of a tree in LightGBM's text."""
    fields = {}
    for line in block.splitlines():
        name, _, value = line.partition("=")
        fields[name] = value
    return fields


def _numbers(
    fields: Mapping[str, str],
    name: str,
    dtype: type,
) -> NDArray[Any]:
    words = fields.get(name, "").split()
    return np.array(words, dtype=dtype)


def _lightgbm_tree(
    fields: Mapping[str, str],
    sets: list[Truths],
) -> LinkedNodes:
    """One tree; its sets of categories are appended to ``sets``."""
    features = _numbers(fields, "split_feature", np.int64)
    thresholds = _numbers(fields, "threshold", np.float64)
    leaf_values = _numbers(fields, "leaf_value", np.float64)
    n_splits = len(features)
    kinds = _lightgbm_kinds(fields, thresholds)
    by_set = (kinds & BY_SET) != 0
    if by_set.any():
        thresholds[by_set] += len(sets)
        words = _numbers(fields, "cat_threshold", np.uint32)
        bounds = _numbers(fields, "cat_boundaries", np.int64)
        for some in np.split(words, bounds[1:-1]):
            sets.append(_members(some))
    # Leaves follow the nodes that divide.
    rest = np.zeros(len(leaf_values), dtype=np.int64)
    children = []
    for side in ("left_child", "right_child"):
        child = _numbers(fields, side, np.int64)
        # Leaf k is written as −k − 1.
        leaf = n_splits - 1 - child
        numbers = np.where(child < 0, leaf, child)
        children.append(np.concatenate([numbers, rest]))
    left, right = children
    values = np.concatenate([np.zeros(n_splits), leaf_values])
    return LinkedNodes(
        features=np.concatenate([features, rest + LEAF]),
        thresholds=np.concatenate([thresholds, rest]),
        left=left,
        right=right,
        kinds=np.concatenate([kinds, rest]).astype(np.uint8),
        values=values[:, None],
    )


def _lightgbm_kinds(
    fields: Mapping[str, str],
    thresholds: Array,
) -> Codes:
    """The kinds of the nodes that divide. Shape (splits,)."""
    decisions = _numbers(fields, "decision_type", np.int64)
    by_set = (decisions & CATEGORICAL_BIT) != 0
    missing_left = (decisions & DEFAULT_LEFT_BIT) != 0
    # Where NaN was not seen in training it counts as 0.
    knows_missing = decisions >> MISSING_SHIFT == MISSING_IS_NAN
    missing_left = np.where(
        knows_missing,
        missing_left,
        thresholds >= 0,
    )
    # A missing category is in no set.
    missing_left &= ~by_set
    return np.asarray(BY_SET * by_set + MISSING_LEFT * missing_left)


def _histogram_tree(
    predictor: Any,
    start: float,
    category: int,
    seen: Codes,
    sets: list[Truths],
) -> LinkedNodes:
    """One tree of scikit-learn's, whose first input is the category ``seen[input]``."""
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    by_set = nodes["is_categorical"].astype(bool) & ~is_leaf
    missing_left = nodes["missing_go_to_left"].astype(bool) & ~is_leaf
    features = nodes["feature_idx"].astype(np.int64)
    features = np.where(
        features == 0,
        category,
        features - 1,
    )
    thresholds = np.where(by_set, 0.0, nodes["num_threshold"])
    for node in np.flatnonzero(by_set):
        thresholds[node] = len(sets)
        own = nodes["bitset_idx"][node]
        of_seen = _members(predictor.raw_left_cat_bitsets[own])
        # What was not seen goes where what is missing goes.
        members = np.full(seen[-1] + 1, missing_left[node])
        members[seen] = of_seen[: len(seen)]
        sets.append(members)
    kinds = BY_SET * by_set + MISSING_LEFT * missing_left
    values = nodes["value"] + start
    return LinkedNodes(
        features=np.where(is_leaf, LEAF, features),
        thresholds=thresholds,
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        kinds=kinds.astype(np.uint8),
        values=values[:, None],
    )


def _members(words: ArrayLike) -> Truths:
    """The truth values that words of 32 bits hold, the lowest bit first. Shape (32 · words,)."""
    values = np.asarray(words, dtype="<u4")
    octets = values.view(np.uint8)
    bits = np.unpackbits(octets, bitorder="little")
    return bits.astype(bool)
