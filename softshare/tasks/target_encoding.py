"""Very many categories as a few numbers: what the targets of the training rows say of each.

A category's number is the mean of its rows' targets, as far as they differ from all others', shrunk
by how few they are: partial pooling, with the variances between and within categories as the
analysis of variance estimates them. The number that a *training* row gets knows nothing of its own
target: it comes from the other folds of the training rows (cross-fitting). Micci-Barreca, A
preprocessing scheme for high-cardinality categorical attributes, 2001, has the shrinkage; the folds
are as in scikit-learn's ``TargetEncoder``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

N_FOLDS = 5


@dataclass(frozen=True)
class Outcome:
    """Something to be predicted of rows, as numbers.

    Args:
        name: what an input made of it is called after; empty where there is one only.
        rows: numbers of the rows, ``(n,)``.
        values: what is to be predicted of each, ``(n,)``.
    """

    name: str
    rows: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class TargetEncoding:
    """The numbers that stand for the categories of one column.

    Args:
        categories: those of the training rows.
        outcomes: the names of what was to be predicted.
        values: for every category a number an outcome; all others have zeros.
    """

    categories: tuple[str, ...]
    outcomes: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    @classmethod
    def fit(
        cls,
        categories: Sequence[str],
        code_of_row: np.ndarray,
        fold_of_row: np.ndarray,
        outcomes: Sequence[Outcome],
    ) -> tuple[Self, np.ndarray]:
        """The encoding, and what training rows get.

        Args:
            categories: in the order of their numbers.
            code_of_row: for every row the number of its category, -1 where it has none, ``(N,)``.
            fold_of_row: for every training row its fold, -1 for all others, ``(N,)``.
            outcomes: of training rows.

        Shape:
            the second ``(N, outcomes)``; rows of no fold have zeros.
        """
        n_categories = len(categories)
        encoded = np.zeros((n_categories, len(outcomes)))
        of_rows = np.zeros((len(code_of_row), len(outcomes)))
        is_known = (code_of_row >= 0) & (fold_of_row >= 0)
        for place, outcome in enumerate(outcomes):
            sums = _Sums.of(
                outcome,
                code_of_row,
                fold_of_row,
                n_categories,
            )
            whole = sums.shrunk_means()
            without = sums.shrunk_means_without_each_fold()
            own = np.zeros(len(code_of_row))
            own[is_known] = without[fold_of_row[is_known], code_of_row[is_known]]
            size = own[is_known].std() if is_known.any() else 0.0
            size = size if size > 0 else 1.0
            encoded[:, place] = whole / size
            of_rows[:, place] = own / size
        names = tuple(outcome.name for outcome in outcomes)
        values = tuple(map(tuple, encoded.tolist()))
        return cls(
            tuple(categories),
            names,
            values,
        ), of_rows

    def encode(self, codes: np.ndarray) -> np.ndarray:
        """The numbers of these categories, zeros for -1: ``(N,)`` → ``(N, outcomes)``."""
        table = np.zeros((len(self.categories) + 1, len(self.outcomes)))
        table[:-1] = np.reshape(self.values, (len(self.categories), len(self.outcomes)))
        return table[codes]


@dataclass(frozen=True)
class _Sums:
    """Rows, sums and squares of an outcome by fold and category: all that its means need.

    Shape:
        counts and sums ``(folds, categories)``, squares ``(folds,)``.
    """

    counts: np.ndarray
    sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(
        cls,
        outcome: Outcome,
        code_of_row: np.ndarray,
        fold_of_row: np.ndarray,
        n_categories: int,
    ) -> Self:
        codes, folds = code_of_row[outcome.rows], fold_of_row[outcome.rows]
        known = (codes >= 0) & (folds >= 0)
        # their distance from the mean: squares of large numbers would leave nothing of it
        centre = outcome.values[known].mean() if known.any() else 0.0
        values = outcome.values[known] - centre
        shape = (N_FOLDS, n_categories)
        cell = folds[known] * n_categories + codes[known]
        size = N_FOLDS * n_categories
        return cls(
            np.bincount(cell, minlength=size).reshape(shape).astype(np.float64),
            np.bincount(
                cell,
                weights=values,
                minlength=size,
            ).reshape(shape),
            np.bincount(
                folds[known],
                weights=values**2,
                minlength=N_FOLDS,
            ),
        )

    def shrunk_means(self) -> np.ndarray:
        """Of every category, by all rows."""
        return _shrunk_means(
            self.counts.sum(axis=0),
            self.sums.sum(axis=0),
            self.squares.sum(),
        )

    def shrunk_means_without_each_fold(self) -> np.ndarray:
        """Of every category, by the rows of all other folds, ``(folds, categories)``."""
        means = np.zeros_like(self.sums)
        for fold in range(N_FOLDS):
            others = np.arange(N_FOLDS) != fold
            means[fold] = _shrunk_means(
                self.counts[others].sum(axis=0),
                self.sums[others].sum(axis=0),
                self.squares[others].sum(),
            )
        return means


def _shrunk_means(counts: np.ndarray, sums: np.ndarray, squares: float) -> np.ndarray:
    """By how much each category's mean differs from that of all rows, shrunk towards 0."""
    n_rows, n_seen = counts.sum(), int((counts > 0).sum())
    if n_seen < 2 or n_rows <= n_seen:
        return np.zeros(len(counts))  # no two rows of one category: nothing can be told
    mean = sums.sum() / n_rows
    differences = sums - counts * mean
    seen = np.maximum(counts, 1)
    between = (differences**2 / seen).sum()
    around_means = squares - n_rows * mean**2 - between
    within = around_means / (n_rows - n_seen)
    # the one-way analysis of variance with unequal groups
    typical = (n_rows - (counts**2).sum() / n_rows) / (n_seen - 1)
    variance = (between / (n_seen - 1) - within) / typical
    if variance <= 0:
        return np.zeros(len(counts))
    pull = max(within, 0.0) / variance
    is_unseen = counts == 0
    return differences / (counts + pull + is_unseen)


def folds_of(rows: np.ndarray, n_rows: int, groups: np.ndarray | None = None) -> np.ndarray:
    """The fold of every training row, drawn at random; the rows of a group have one.

    Args:
        rows: numbers of the training rows.
        n_rows: of the table.
        groups: the group of each row of the table.

    Shape:
        ``(n_rows,)``, -1 for rows that do not train.
    """
    folds = np.full(
        n_rows,
        -1,
        dtype=np.int64,
    )
    of_group = np.arange(len(rows))
    if groups is not None:
        of_group = np.unique(groups[rows].astype(str), return_inverse=True)[1]
    drawn = np.random.default_rng(0).permutation(of_group.max(initial=-1) + 1) % N_FOLDS
    folds[rows] = drawn[of_group]
    return folds
