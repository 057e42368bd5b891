"""What turns raw inputs into numbers: plain values, fitted on training rows, kept with the model.

Each kind of input has one: vectors and images here, the columns of a table in
:mod:`softshare.tasks.features`. All can be written as JSON and read again, and give new rows the
same features as the training rows had.
"""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from softshare.tasks.finite import LARGEST, check_finite
from softshare.tasks.sources import Source

ROUNDING = 1e-12
"""Values of double precision that differ by no more of their size are equal but for rounding: a
thousand times the rounding of one operation, as they may come of many.
"""

ROUNDING_OF_SINGLE = 2 * float(np.finfo(np.float32).eps)
"""The same of values that were rounded to single precision before they came here."""


def rounding_of(source: Source) -> float:
    """By how much of their size equal numbers of a source may differ."""
    is_single = str(
        getattr(
            source,
            "dtype",
            None,
        )
    ) in ("float32", "torch.float32")
    return ROUNDING_OF_SINGLE if is_single else ROUNDING


@dataclass(frozen=True)
class Preprocessing(ABC):
    """How the raw inputs of one source become the numbers that a network is given."""

    @abstractmethod
    def transform(self, inputs: Any) -> Tensor:
        """The features of these inputs, float32, one row an input.

        Raises:
            ValueError: the inputs are not of the form that this was fitted on, or not finite.
        """

    def to_json(self) -> str:
        """This value as JSON text; :func:`from_json` reads it."""
        return json.dumps({"form": type(self).__name__, **asdict(self)})


@dataclass(frozen=True)
class Scaled(Preprocessing):
    """Inputs of any shape, divided by one number (pixels of 0 to 255 by 255).

    Args:
        divisor: what every number is divided by.
    """

    divisor: float

    def transform(self, inputs: Any) -> Tensor:
        """Inputs ``(N, *shape)`` divided, shape ``(N, *shape)``."""
        return torch.as_tensor(inputs).to(torch.float32) / self.divisor


@dataclass(frozen=True)
class Vectors(Preprocessing):
    """Numeric features, missing values filled in, scaled to mean 0 and standard deviation 1.

    A feature with missing values in the training rows has a second one that says where (scaled no
    further, 0 or 1); these follow all others.

    Args:
        names: the features' names; their numbers where they have none.
        fill: the training median of each feature, put where a value is missing.
        mean: what is subtracted from each feature.
        std: what each feature is divided by then; 1 where all training rows have one value, but
            for rounding.
        indicated: the places of the features with an indicator.
    """

    names: tuple[str, ...]
    fill: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    indicated: tuple[int, ...] = ()

    @classmethod
    def fit(
        cls,
        training: np.ndarray,
        names: Sequence[str],
        *,
        rounding: float = ROUNDING,
    ) -> Self:
        """Median, mean, standard deviation and missing values of the training rows.

        Args:
            training: ``(N, C)``, NaN where a value is missing.
            names: of the columns.
            rounding: by how much of their size equal values may differ.
        """
        check_finite(training, names)
        missing = np.isnan(training)
        fill = medians(training)
        filled = np.where(missing, fill, training)
        constant = are_equal(
            filled.min(axis=0),
            filled.max(axis=0),
            rounding,
        )
        std = np.where(constant, 1.0, filled.std(axis=0))
        indicated = np.flatnonzero(missing.any(axis=0))
        return cls(
            names=tuple(names),
            fill=tuple(fill.tolist()),
            mean=tuple(filled.mean(axis=0).tolist()),
            std=tuple(std.tolist()),
            indicated=tuple(indicated.tolist()),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the numbers that :meth:`transform` gives."""
        indicators = [f"{self.names[place]} is missing" for place in self.indicated]
        return (*self.names, *indicators)

    def transform(self, inputs: Any) -> Tensor:
        """Rows ``(N, C)``, NaN where a value is missing, as features ``(N, C + indicators)``."""
        values = np.asarray(inputs, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ValueError(
                f"inputs must be rows of {len(self.names)} features, got shape {values.shape}"
            )
        check_finite(values, self.names)
        missing = np.isnan(values)
        filled = np.where(missing, np.array(self.fill), values)
        scaled = (filled - np.array(self.mean)) / np.array(self.std)
        scaled = scaled.clip(-LARGEST, LARGEST)  # a column that hardly varied in training
        indicators = missing[:, list(self.indicated)]
        # only now to single precision: before, small differences of large numbers would be lost
        return torch.from_numpy(np.concatenate([scaled, indicators], axis=1).astype(np.float32))


def one_hot(
    codes: np.ndarray,
    n_categories: int,
) -> Tensor:
    """A 1 at the place of each code, zeros only for -1: ``(N,)`` → ``(N, n_categories)``."""
    return torch.from_numpy(codes[:, None] == np.arange(n_categories)).float()


def medians(rows: np.ndarray) -> np.ndarray:
    """Of the values of each column that are there; 0 for a column without any."""
    if not len(rows):
        return np.zeros(rows.shape[1])
    if not np.isnan(rows).any():
        return np.median(rows, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of a column without any value
        return np.nan_to_num(np.nanmedian(rows, axis=0))


def are_equal(
    low: np.ndarray,
    high: np.ndarray,
    rounding: float,
) -> np.ndarray:
    """Whether the least and the greatest value of each column are one, but for rounding."""
    size = np.maximum(np.abs(low), np.abs(high))
    return high - low <= rounding * size
