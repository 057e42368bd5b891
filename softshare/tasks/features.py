"""The columns of a table as features: fitted on training rows, written as JSON, applied to new
rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from softshare.tasks import moments
from softshare.tasks.components import Components
from softshare.tasks.levels import Levels
from softshare.tasks.reading import Reading
from softshare.tasks.target_encoding import TargetEncoding
from softshare.tasks.vectors import Preprocessing, Scaled, Vectors, one_hot

TOLD = 10
"""Columns that a message names."""


@dataclass(frozen=True)
class TableColumns(Preprocessing):
    """The columns of a table: numbers and dates as :class:`Vectors`, a 0/1 feature for every
    category, and what the training rows' targets say of columns with very many.

    A category that no training row has gives zeros in all of its column's features; so does a
    missing value, which has a feature of its own where training rows miss it too.

    Args:
        numeric: what is done to numbers and to the parts of dates.
        categories: categorical column → its categories in the training rows.
        indicated: the categorical columns with a feature that says where they are missing.
        encodings: column of many categories → the numbers that stand for them.
        readings: how each of these columns is read where it stands in a table.
    """

    numeric: Vectors
    categories: Mapping[str, tuple[str, ...]]
    indicated: tuple[str, ...] = ()
    encodings: Mapping[str, TargetEncoding] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()

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
            notes.append(
                filled.format(
                    name,
                    missing[name],
                    how,
                )
            )
        for name in self.indicated:
            notes.append(
                filled.format(
                    name,
                    missing[name],
                    "have a feature of their own",
                )
            )
        for name, encoding in self.encodings.items():
            n_categories = len(encoding.categories)
            how = "stand for what the training rows' targets say of them"
            notes.append(f"column {name!r}: {n_categories:,} categories {how}")
        return tuple(notes)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """A name for each of the numbers that :meth:`transform` gives."""
        names = list(self.numeric.feature_names)
        for name, categories in self.categories.items():
            names += [f"{name} = {category}" for category in categories]
        names += self.encoded_names
        names += [f"{name} is missing" for name in self.indicated]
        return tuple(names)

    @property
    def encoded_names(self) -> list[str]:
        """The names of the features of columns with very many categories."""
        names = []
        for name, encoding in self.encodings.items():
            for outcome in encoding.outcomes:
                names.append(f"{name}, by {outcome}" if outcome else f"{name}, by the target")
        return names

    @property
    def known_categories(self) -> dict[str, tuple[str, ...]]:
        """Column → the categories that it had in the training rows."""
        known = dict(self.categories)
        for name, encoding in self.encodings.items():
            known[name] = encoding.categories
        return known

    def transform(self, inputs: Any) -> Tensor:
        """Rows of the table as features ``(N, len(feature_names))``; columns that were not there in
        training do not count.

        Raises:
            ValueError: the rows are no data frame, lack a column, or a value does not fit how its
                column is read.
        """
        return self.of_parts(*self.taken_apart(inputs))

    def taken_apart(self, inputs: Any) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Of rows of the table what :meth:`of_parts` takes; raises as :meth:`transform` does."""
        if not isinstance(inputs, pd.DataFrame):
            raise ValueError(
                "inputs: the model has learned from a table, not from arrays; hand in a data frame "
                f"with the column(s) {_listed(self.readings)}"
            )
        inputs = inputs.rename(columns=str)
        absent = [reading.name for reading in self.readings if reading.name not in inputs.columns]
        if absent:
            raise ValueError(
                f"the table lacks the column(s) {', '.join(map(repr, absent))}; it has "
                f"{', '.join(map(str, inputs.columns))}"
            )
        levels = {reading.name: Levels.of(inputs[reading.name]) for reading in self.readings}
        values = encoded(
            levels,
            self.readings,
            self.known_categories,
        )
        numbers = dict(zip(levels, values.T, strict=True))
        codes = {name: codes_from(numbers[name]) for name in self.known_categories}
        return numbers, codes

    def of_parts(
        self,
        numbers: Mapping[str, np.ndarray],
        codes: Mapping[str, np.ndarray],
    ) -> Tensor:
        """The features of rows of which it is known what stands in them.

        Args:
            numbers: column → the number of each row, NaN where it is missing.
            codes: column of categories → the place of each row's among those known here, beyond
                them where it is another, -1 where it is missing.
        """
        # side by side: numbers and their indicators | one-hot columns | encodings | indicators
        parts = expanded(numbers, self.readings)
        chosen = [parts[name] for name in self.numeric.names]
        any_column = next(iter(numbers.values()))
        n_rows = len(any_column)
        stacked = np.stack(chosen, axis=1) if chosen else np.empty((n_rows, 0))
        features = [self.numeric.transform(stacked)]
        for name, categories in self.categories.items():
            features.append(one_hot(codes[name], len(categories)))
        for name, encoding in self.encodings.items():
            known = np.where(codes[name] < len(encoding.categories), codes[name], -1)
            features.append(torch.from_numpy(encoding.encode(known).astype(np.float32)))
        for name in self.indicated:
            features.append(torch.from_numpy(codes[name] < 0).float()[:, None])
        return torch.cat(features, dim=1)


def _listed(readings: Sequence[Reading]) -> str:
    """The names of the first columns, for a message."""
    told = ", ".join(repr(reading.name) for reading in readings[:TOLD])
    more = f" and {len(readings) - TOLD} more" if len(readings) > TOLD else ""
    return told + more


def encoded(
    levels: Mapping[str, Levels],
    readings: Sequence[Reading],
    categories: Mapping[str, Sequence[str]],
    *,
    first_row: int = 0,
) -> np.ndarray:
    """Columns as numbers, NaN where they are missing: the numbers that stand there, seconds of
    dates, and the places of categories, beyond the last where one is not known.

    Args:
        levels: the columns taken apart.
        readings: how each is read.
        categories: column of categories → these in the order of their places.
        first_row: number of the first row in the table, for errors.

    Raises:
        ValueError: a value does not fit how its column is read; names all such columns.

    Shape:
        ``(N, len(readings))``.
    """
    n_rows = next(iter(levels.values())).n_rows if levels else 0
    values = np.empty((n_rows, len(readings)))
    wrong = []
    for place, reading in enumerate(readings):
        column = levels[reading.name]
        try:
            if reading.is_numeric:
                of_levels = reading.numbers(column, first_row=first_row)
            else:
                of_levels = _places(reading.categories(column), categories[reading.name])
        except ValueError as error:
            wrong.append(str(error))
            continue
        values[:, place] = column.numbers_by_row(of_levels)
    if wrong:
        raise ValueError("; ".join(wrong))
    return values


def _places(found: Sequence[str | None], categories: Sequence[str]) -> np.ndarray:
    """The place of each among the categories, beyond the last where it is none, NaN for None."""
    place_of: dict[str | None, float] = {
        text: float(place) for place, text in enumerate(categories)
    }
    place_of[None] = np.nan
    return np.array(
        [place_of.get(text, float(len(categories))) for text in found], dtype=np.float64
    )


def codes_from(places: np.ndarray) -> np.ndarray:
    """Places of categories as whole numbers, -1 where they are missing."""
    return np.nan_to_num(places, nan=-1.0).astype(np.int64)


def expanded(
    numbers: Mapping[str, np.ndarray],
    readings: Sequence[Reading],
) -> dict[str, np.ndarray]:
    """Every number that is scaled, by its name: columns of numbers, and the parts of dates."""
    parts: dict[str, np.ndarray] = {}
    for reading in readings:
        names = part_names(reading)
        if not names:
            continue
        column = numbers[reading.name]
        made = moments.features(column, reading.parts) if reading.parts else column[:, None]
        parts.update(zip(names, made.T, strict=True))
    return parts


def part_names(reading: Reading) -> list[str]:
    """The names of the numbers that :func:`expanded` makes of a column."""
    if not reading.is_numeric:
        return []
    if not reading.parts:
        return [reading.name]
    return [f"{reading.name}, {part}" for part in reading.parts]


def no_column_left(names: Sequence[str]) -> ValueError:
    """The error where every column has one value only."""
    return ValueError(
        f"no input column is left: {', '.join(map(repr, names))} have one value only in the "
        "training rows"
    )


def nothing_used(readings: Sequence[Reading]) -> ValueError:
    """The error where every column is left out, whatever the rows that train."""
    told = ", ".join(f"{reading.name!r} ({reading.why})" for reading in readings[:5])
    more = f" and {len(readings) - 5} more" if len(readings) > 5 else ""
    return ValueError(
        f"no input column is left: {told}{more}; columns NAME=number or NAME=category uses one"
    )


def from_json(text: str) -> Preprocessing:
    """The value that :meth:`Preprocessing.to_json` wrote.

    Raises:
        ValueError: the text is not JSON, or does not describe a preprocessing.
    """
    content = json.loads(text)
    forms = {form.__name__: form for form in (Scaled, Vectors, TableColumns, Components)}
    form = content.pop("form", None) if isinstance(content, dict) else None
    if form not in forms:
        raise ValueError(f"a preprocessing has the form {', '.join(forms)}, got {form!r}")
    if form == Components.__name__ and content.get("before") is not None:
        content["before"] = from_json(content["before"])
    try:
        return TypeAdapter(forms[form]).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(
            f"the saved preprocessing {form} is damaged: {first['msg']} at {first['loc']}"
        ) from None
