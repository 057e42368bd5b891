"""Forests and boosted trees as modules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from softshare.models.export.linear_models import of_pooled_ridge
from softshare.models.export.tables import codes_of, double
from softshare.models.export.trees import TreesOfRows
from softshare.shallow import forest_apart
from softshare.shallow.boosted import Boosted
from softshare.shallow.boosted_apart import SURE, BoostedApart
from softshare.shallow.boosted_trees import UNLIKELY, UNSEEN
from softshare.shallow.forest import UNCERTAIN, Forest
from softshare.shallow.forest_apart import ForestApart
from softshare.shallow.tree_arrays import joined


class ForestOfRows(nn.Module):
    """Trees that see a task's mean.

    Args:
        estimator: the forest.
        numbers: of the tasks.
    """

    means: Tensor
    uncertain: Tensor

    def __init__(
        self,
        estimator: Forest,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        means = estimator.task_means_[codes_of(estimator, numbers)]
        self.register_buffer("means", double(means).to(torch.float32))
        self.trees = TreesOfRows(estimator.forest_)
        self.register_buffer("uncertain", double(UNCERTAIN))
        self.kind = str(estimator.kind)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        design = torch.cat([features, self.means.index_select(0, places)], dim=1)
        said: Tensor = self.trees(design, places)
        if self.kind == "regression":
            return said
        logs = torch.log(said + self.uncertain)
        return logs[:, 1:] - logs[:, :1] if self.kind == "binary" else logs


class ForestsApartOfRows(nn.Module):
    """Each task's trees, or its mean.

    Args:
        estimator: the forests.
        numbers: of the tasks.
    """

    means: Tensor
    codes: Tensor
    has_trees: Tensor
    uncertain: Tensor

    def __init__(
        self,
        estimator: ForestApart,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        codes = codes_of(estimator, numbers)
        self.register_buffer("means", double(estimator.means_[codes]))
        counts = np.zeros(len(estimator.tasks_) + 1, dtype=np.int64)
        parts = []
        for task, forest in sorted(estimator.forests_.items()):
            counts[task] = len(forest.roots)
            parts.append(forest)
        first_tree = np.append(0, np.cumsum(counts[:-1]))
        self.trees = TreesOfRows(joined(parts), first_tree) if parts else None
        self.register_buffer("codes", torch.from_numpy(np.maximum(codes, 0)))
        self.register_buffer("has_trees", torch.from_numpy(counts[codes] > 0))
        self.register_buffer("uncertain", double(forest_apart.UNLIKELY))
        self.kind = str(estimator.kind)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        said = self.means.index_select(0, places)
        if self.trees is not None:
            codes = self.codes.index_select(0, places)
            by_trees: Tensor = self.trees(features, codes)
            has_trees = self.has_trees.index_select(0, places)
            said = torch.where(
                has_trees[:, None],
                by_trees,
                said,
            )
        if self.kind == "regression":
            return said
        logs = torch.log(said + self.uncertain)
        return logs[:, 1:] - logs[:, :1] if self.kind == "binary" else logs


class BoostedOfRows(nn.Module):
    """Boosted trees that see the task as a category, on a base where there is one.

    Args:
        estimator: the trees.
        numbers: of the tasks.
    """

    codes: Tensor

    def __init__(
        self,
        estimator: Boosted,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        codes = codes_of(estimator, numbers)
        self.register_buffer("codes", torch.from_numpy(codes.astype(np.float32)))
        kept = estimator.trees_
        self.trees = TreesOfRows(kept.arrays)
        self.chances = None if kept.seen is None else LogChances(kept.seen[None])
        self.base = None if estimator.base_ is None else of_pooled_ridge(estimator.base_, numbers)

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        codes = self.codes.index_select(0, places)
        design = torch.cat([features, codes[:, None]], dim=1)
        outputs: Tensor = self.trees(design, places)
        if self.chances is not None:
            outputs = self.chances(outputs, torch.zeros_like(places))
        return outputs if self.base is None else outputs + self.base(features, places)


class ApartOfRows(nn.Module):
    """Trees of each task by itself, or its mean.

    Args:
        estimator: the trees.
        numbers: of the tasks.
    """

    constants: Tensor
    codes: Tensor
    has_trees: Tensor
    sure: Tensor

    def __init__(
        self,
        estimator: BoostedApart,
        numbers: np.ndarray,
    ) -> None:
        super().__init__()
        codes = codes_of(estimator, numbers)
        self.register_buffer("constants", double(estimator.constants_[codes]))
        self.is_bounded = estimator.kind != "regression"
        counts = np.append(np.diff(estimator.first_tree_), 0)[codes]
        self.trees = None
        if estimator.trees_ is not None and counts.any():
            self.trees = TreesOfRows(estimator.trees_, estimator.first_tree_)
        # A task without rows has no trees; any other's may stand in their place.
        self.register_buffer("codes", torch.from_numpy(np.maximum(codes, 0)))
        self.register_buffer("has_trees", torch.from_numpy(counts > 0))
        self.chances = None if estimator.seen_ is None else LogChances(estimator.seen_)
        self.register_buffer("sure", double(SURE))

    def forward(
        self,
        features: Tensor,
        places: Tensor,
    ) -> Tensor:
        """``(N, p)`` and ``(N,)`` → ``(N, C)``."""
        outputs = self.constants.index_select(0, places)
        if self.trees is None:
            return outputs
        codes = self.codes.index_select(0, places)
        # Of one task alone no category divides anything.
        design = torch.cat([features, torch.zeros_like(features[:, :1])], dim=1)
        said = self.trees(design, codes)
        if self.chances is not None:
            said = self.chances(said, codes)
        if self.is_bounded:
            said = torch.minimum(torch.maximum(said, -self.sure), self.sure)
        has_trees = self.has_trees.index_select(0, places)
        return torch.where(
            has_trees[:, None],
            said,
            outputs,
        )


class LogChances(nn.Module):
    """Logits of classes, of which training rows of some were seen; the log-odds of two.

    Args:
        seen: the classes that each task, or all of them, has seen, ``(T, C)``.
    """

    seen: Tensor
    unlikely: Tensor
    unseen: Tensor
    nothing: Tensor

    def __init__(self, seen: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("seen", torch.from_numpy(seen))
        self.register_buffer("unlikely", double(UNLIKELY))
        self.register_buffer("unseen", double(UNSEEN))
        self.register_buffer("nothing", double(-np.inf))

    def forward(
        self,
        scores: Tensor,
        tasks: Tensor,
    ) -> Tensor:
        """``(N, C)`` and ``(N,)`` → ``(N, C)``, ``(N, 1)`` where C is 2."""
        seen = self.seen.index_select(0, tasks)
        chances = torch.softmax(
            torch.where(
                seen,
                scores,
                self.nothing,
            ),
            dim=1,
        )
        logs = torch.log(chances + self.unlikely)
        logs = torch.where(
            seen,
            logs,
            self.unseen,
        )
        return logs[:, 1:] - logs[:, :1] if logs.shape[1] == 2 else logs
