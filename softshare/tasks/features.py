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
from torch import Tensor

from softshare.tasks.frames import LARGEST, check_finite, is_numeric, names_of, numbers_of, texts_of


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
        std: what each feature is divided by then; 1 where all training rows have one value.
        indicated: the places of the features with an indicator.
    """

    names: tuple[str, ...]
    fill: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    indicated: tuple[int, ...] = ()

    @classmethod
    def fit(cls, training: np.ndarray, names: Sequence[str]) -> Self:
        """Median, mean, standard deviation and missing values of the training rows, ``(N, C)`` with
        NaN where missing.
        """
        check_finite(training, names)
        missing = np.isnan(training)
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # a column without any value has no median: 0 stands for it
            fill = (
                np.nan_to_num(np.nanmedian(training, axis=0))
                if missing.any()
                else np.median(training, axis=0)
            )
        filled = np.where(missing, fill, training)
        constant = filled.max(axis=0) == filled.min(axis=0)
        std = np.where(constant, 1.0, filled.std(axis=0))
        indicated = np.flatnonzero(missing.any(axis=0))
        return cls(
            tuple(names),
            _floats(fill),
            _floats(filled.mean(axis=0)),
            _floats(std),
            tuple(int(k) for k in indicated),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the numbers that :meth:`transform` gives."""
        return (*self.names, *(f"{self.names[k]} is missing" for k in self.indicated))

    def transform(self, inputs: Any) -> Tensor:
        """Rows ``(N, C)``, NaN where a value is missing, as features ``(N, C + indicators)``."""
        values = np.asarray(inputs, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.names):
            raise ValueError(
                f"inputs must be rows of {len(self.names)} features, got shape {values.shape}"
            )
        check_finite(values, self.names)
        missing = np.isnan(values)
        scaled = (np.where(missing, np.array(self.fill), values) - np.array(self.mean)) / np.array(
            self.std
        )
        scaled = scaled.clip(-LARGEST, LARGEST)  # a column that hardly varied in training
        return torch.from_numpy(
            np.concatenate([scaled, missing[:, list(self.indicated)]], axis=1).astype(np.float32)
        )


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
        informative = [
            name for name in names_of(training) if training[name].nunique(dropna=False) > 1
        ]
        if not informative:
            raise ValueError(
                f"no input column is left: {', '.join(map(repr, names_of(training)))} have "
                "one value only in the training rows"
            )
        names = [name for name in informative if is_numeric(training[name])]
        numeric = Vectors.fit(numbers_of(training, names), names)
        texts = {name: texts_of(training[name]) for name in informative if name not in names}
        categories = {name: tuple(sorted(set(text) - {None})) for name, text in texts.items()}
        indicated = tuple(name for name in texts if training[name].hasnans)
        columns = cls(numeric, categories, indicated)
        left_out = [name for name in names_of(training) if name not in informative]
        return columns, columns.notes(
            left_out, {name: int(training[name].isna().sum()) for name in informative}
        )

    def notes(self, left_out: Sequence[str], missing: Mapping[str, int]) -> tuple[str, ...]:
        """What was done to columns with one value only, and to missing values, of which each column
        has so many.
        """
        numeric = self.numeric
        fills = {
            numeric.names[
                k
            ]: f"filled with the median {numeric.fill[k]:.4g}, and an indicator added"
            for k in numeric.indicated
        }
        fills |= dict.fromkeys(self.indicated, "have a feature of their own")
        return (
            *(
                f"column {name!r}: one value only in the training rows, left out"
                for name in left_out
            ),
            *(
                f"column {name!r}: {missing[name]} missing value(s) in the training rows {fill}"
                for name, fill in fills.items()
            ),
        )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the numbers that :meth:`transform` gives."""
        one_hot = tuple(
            f"{name} = {category}"
            for name, categories in self.categories.items()
            for category in categories
        )
        return (
            *self.numeric.feature_names,
            *one_hot,
            *(f"{name} is missing" for name in self.indicated),
        )

    def transform(self, inputs: pd.DataFrame) -> Tensor:
        """Rows of the table as features ``(N, len(feature_names))``; columns that were not there in
        training do not count.
        """
        inputs = inputs.rename(columns=str)
        absent = [
            name for name in (*self.numeric.names, *self.categories) if name not in inputs.columns
        ]
        if absent:
            raise ValueError(
                f"the table lacks the column(s) {', '.join(map(repr, absent))}; it has "
                f"{', '.join(map(str, inputs.columns))}"
            )
        features = [self.numeric.transform(numbers_of(inputs, self.numeric.names))]
        for name, categories in self.categories.items():
            codes = pd.Index(categories, dtype=object).get_indexer(
                pd.Index(texts_of(inputs[name]), dtype=object)
            )
            features.append(torch.from_numpy(codes[:, None] == np.arange(len(categories))).float())
        features += [
            torch.from_numpy(inputs[name].isna().to_numpy(dtype=np.float32, copy=True))[:, None]
            for name in self.indicated
        ]
        return torch.cat(features, dim=1)


def from_json(text: str) -> Preprocessing:
    """The value that :meth:`Preprocessing.to_json` wrote.

    Raises:
        ValueError: the text is not JSON, or does not describe a preprocessing.
    """
    from pydantic import TypeAdapter, ValidationError  # 0.1 s that only a saved model needs

    content = json.loads(text)
    forms = {form.__name__: form for form in (Scaled, Vectors, TableColumns)}
    form = content.pop("form", None) if isinstance(content, dict) else None
    if form not in forms:
        raise ValueError(f"a preprocessing has the form {', '.join(forms)}, got {form!r}")
    try:
        return TypeAdapter(forms[form]).validate_python(content)
    except ValidationError as error:
        raise ValueError(
            f"the saved preprocessing {form} is damaged: {error.errors()[0]['msg']} at "
            f"{error.errors()[0]['loc']}"
        ) from None


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
