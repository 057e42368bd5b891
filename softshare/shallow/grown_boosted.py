"""Boosted trees of LightGBM's and scikit-learn's as :class:`TreeArrays`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softshare.shallow.grown_trees import LinkedNodes, linked
from softshare.shallow.rows import Array, Codes
from softshare.shallow.tree_arrays import (
    BY_SET,
    LEAF,
    MISSING_LEFT,
    TreeArrays,
    Truths,
)

# The bits of a node's `decision_type` in LightGBM's text: of a category, missing goes left, and
# two bits for what counts as missing (nothing, zeros, NaN).
CATEGORICAL_BIT = 1
DEFAULT_LEFT_BIT = 2
MISSING_SHIFT = 2
MISSING_IS_NAN = 2


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
