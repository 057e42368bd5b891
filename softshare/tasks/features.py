"""What turns raw inputs into numbers: plain values, fitted on training rows, kept with the model.

Each kind of input has one: columns of a table, vectors, images. All can be written as JSON and read
again, and give new rows the same features as the training rows had.
"""

from __future__ import annotations

import json
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from softshare.tasks.frames import LARGEST, check_finite, is_numeric, names_of, numbers_of, texts_of
from softshare.tasks.sources import Source

ROUNDING = 1e-12
"""Values of double precision that differ by no more of their size are equal but for rounding: a
thousand times the rounding of one operation, as they may come of many.
"""

ROUNDING_OF_SINGLE = 2 * float(np.finfo(np.float32).eps)
"""The same of values that were rounded to single precision before they came here."""


def rounding_of(source: Source) -> float:
    """By how much of their size equal numbers of a source may differ."""
    is_single = str(getattr(source, "dtype", None)) in ("float32", "torch.float32")
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
        constant = are_equal(filled.min(axis=0), filled.max(axis=0), rounding)
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


@dataclass(frozen=True)
class TableColumns(Preprocessing):
    """The columns of a table: numeric ones as :class:`Vectors`, then a 0/1 feature for every
    category.

    A category that no training row has gives zeros in all of its column's features; so does a
    missing value, which has a feature of its own where training rows miss it too.

    Args:
        numeric: what is done to the numeric columns.
        categories: categorical column → its categories in the training rows.
        indicated: the categorical columns with a feature that says where they are missing.
    """

    numeric: Vectors
    categories: Mapping[str, tuple[str, ...]]
    indicated: tuple[str, ...] = ()

    @classmethod
    def fit(cls, training: pd.DataFrame) -> tuple[Self, tuple[str, ...]]:
        """What these training rows say, and notes on what was filled in or left out.

        Raises:
            ValueError: a column holds dates or infinite values, or no column is left.
        """
        numbers: list[str] = []
        categories: dict[str, tuple[str, ...]] = {}
        indicated: list[str] = []
        left_out: list[str] = []
        missing: dict[str, int] = {}
        for name in names_of(training):
            column = training[name]
            if column.nunique(dropna=False) <= 1:
                left_out.append(name)
                continue
            missing[name] = int(column.isna().sum())
            if is_numeric(column):
                numbers.append(name)
                continue
            categories[name] = tuple(sorted(set(texts_of(column)) - {None}))
            if missing[name]:
                indicated.append(name)
        if not missing:
            raise no_column_left(left_out)
        numeric = Vectors.fit(numbers_of(training, numbers), numbers)
        columns = cls(numeric, categories, tuple(indicated))
        return columns, columns.notes(left_out, missing)

    def notes(
        self,
        left_out: Sequence[str],
        missing: Mapping[str, int],
    ) -> tuple[str, ...]:
        """What was done to columns with one value only, and to missing values, of which each column
        has so many.
        """
        notes = []
        for name in left_out:
            notes.append(f"column {name!r}: one value only in the training rows, left out")
        filled = "column {!r}: {} missing value(s) in the training rows {}"
        for place in self.numeric.indicated:
            name, median = self.numeric.names[place], self.numeric.fill[place]
            how = f"filled with the median {median:.4g}, and an indicator added"
            notes.append(filled.format(name, missing[name], how))
        for name in self.indicated:
            notes.append(filled.format(name, missing[name], "have a feature of their own"))
        return tuple(notes)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the numbers that :meth:`transform` gives."""
        names = list(self.numeric.feature_names)
        for name, categories in self.categories.items():
            names += [f"{name} = {category}" for category in categories]
        names += [f"{name} is missing" for name in self.indicated]
        return tuple(names)

    def transform(self, inputs: pd.DataFrame) -> Tensor:
        """Rows of the table as features ``(N, len(feature_names))``; columns that were not there in
        training do not count.
        """
        inputs = inputs.rename(columns=str)
        known = [*self.numeric.names, *self.categories]
        absent = [name for name in known if name not in inputs.columns]
        if absent:
            raise ValueError(
                f"the table lacks the column(s) {', '.join(map(repr, absent))}; it has "
                f"{', '.join(map(str, inputs.columns))}"
            )
        # side by side: numbers and their indicators | one-hot columns | indicators of texts
        features = [self.numeric.transform(numbers_of(inputs, self.numeric.names))]
        for name, categories in self.categories.items():
            features.append(one_hot(codes_of(inputs[name], categories), len(categories)))
        for name in self.indicated:
            missing = inputs[name].isna().to_numpy(dtype=np.float32, copy=True)
            features.append(torch.from_numpy(missing)[:, None])
        return torch.cat(features, dim=1)


def codes_of(
    column: pd.Series,
    categories: Sequence[object],
) -> np.ndarray:
    """The number of each row's category, -1 where it is missing or none of these."""
    texts = pd.Index(texts_of(column), dtype=object)
    return pd.Index(list(categories), dtype=object).get_indexer(texts)


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


def no_column_left(names: Sequence[str]) -> ValueError:
    """The error where every column has one value only."""
    return ValueError(
        f"no input column is left: {', '.join(map(repr, names))} have one value only in the "
        "training rows"
    )


def from_json(text: str) -> Preprocessing:
    """The value that :meth:`Preprocessing.to_json` wrote.

    Raises:
        ValueError: the text is not JSON, or does not describe a preprocessing.
    """
    content = json.loads(text)
    forms = {form.__name__: form for form in (Scaled, Vectors, TableColumns)}
    form = content.pop("form", None) if isinstance(content, dict) else None
    if form not in forms:
        raise ValueError(f"a preprocessing has the form {', '.join(forms)}, got {form!r}")
    try:
        return TypeAdapter(forms[form]).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(
            f"the saved preprocessing {form} is damaged: {first['msg']} at {first['loc']}"
        ) from None
