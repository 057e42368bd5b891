"""A table's columns as a module: numbers and codes in, features out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from softshare.models.export.scaled_numbers import ScaledNumbers, numbers_of, table_of
from softshare.tasks import moments
from softshare.tasks.features import TableColumns, part_names

Raw = dict[str, Tensor]
"""What a graph is given of rows, by the input's name."""

CIRCLES = {"of the year": moments.YEAR, "of the week": moments.WEEK, "of the day": moments.DAY}


class TableFeatures(nn.Module):
    """The columns of a table as features.

    Args:
        columns: what was fitted on the training rows.
    """

    def __init__(self, columns: TableColumns) -> None:
        super().__init__()
        self.parts = Parts(columns) if columns.numeric.names else None
        self.scaled = ScaledNumbers([columns.numeric])
        self.categories = Categories(columns) if columns.known_categories else None

    def forward(
        self,
        raw: Raw,
        sources: Tensor,
    ) -> Tensor:
        """Numbers ``(N, C)`` and codes ``(N, K)`` → ``(N, features)``."""
        features = []
        if self.parts is not None:
            values = self.parts(raw["numbers"])
            features.append(self.scaled(values, sources))
        if self.categories is not None:
            features.append(self.categories(raw["categories"]))
        return torch.cat(features, dim=1)


class Parts(nn.Module):
    """The numbers that are scaled: columns as they are, and dates as their parts.

    Args:
        columns: what was fitted.
    """

    places: Tensor
    divisors: Tensor
    moments: Tensor
    periods: Tensor
    sines: Tensor
    monday: Tensor
    turn: Tensor
    order: Tensor

    def __init__(self, columns: TableColumns) -> None:
        super().__init__()
        places = {}
        divisors = {}
        circles: dict[str, tuple[int, float, bool]] = {}
        numeric = [reading for reading in columns.readings if reading.is_numeric]
        for place, reading in enumerate(numeric):
            for name, part in zip(
                part_names(reading),
                reading.parts or ("",),
                strict=True,
            ):
                if part in ("", moments.ELAPSED):
                    places[name] = place
                    divisors[name] = moments.DAY if part else 1.0
                    continue
                circle, _, function = part.partition(", ")
                circles[name] = (place, CIRCLES[circle], function == "sine")
        names = columns.numeric.names
        plain = [name for name in names if name in places]
        round_ = [name for name in names if name in circles]
        self.register_buffer("places", numbers_of([places[name] for name in plain]))
        self.register_buffer("divisors", table_of([divisors[name] for name in plain]))
        self.register_buffer("moments", numbers_of([circles[name][0] for name in round_]))
        self.register_buffer("periods", table_of([circles[name][1] for name in round_]))
        self.register_buffer("sines", torch.tensor([circles[name][2] for name in round_]))
        self.register_buffer("monday", torch.tensor(moments.MONDAY, dtype=torch.float64))
        self.register_buffer("turn", torch.tensor(2 * np.pi, dtype=torch.float64))
        made = [*plain, *round_]
        self.register_buffer("order", numbers_of([made.index(name) for name in names]))

    def forward(self, numbers: Tensor) -> Tensor:
        """``(N, columns)`` → ``(N, parts)``."""
        plain = numbers.index_select(1, self.places) / self.divisors
        if not len(self.moments):
            return plain
        seconds = numbers.index_select(1, self.moments)
        turns = (seconds - self.monday) / self.periods
        # Whole turns are left out, so that single precision would do for the rest.
        angles = self.turn * (turns - torch.floor(turns))
        curves = torch.where(
            self.sines,
            torch.sin(angles),
            torch.cos(angles),
        )
        curves = torch.where(
            torch.isnan(curves),
            torch.zeros_like(curves),
            curves,
        )
        made = torch.cat([plain, curves], dim=1)
        return made.index_select(1, self.order)


class Categories(nn.Module):
    """Codes of categories as features; -1 is a missing one, and any that is not known is unknown.

    Args:
        columns: what was fitted.
    """

    column_of: Tensor
    category_of: Tensor
    indicated: Tensor

    def __init__(self, columns: TableColumns) -> None:
        super().__init__()
        place_of = {name: place for place, name in enumerate(columns.known_categories)}
        column_of: list[int] = []
        category_of: list[int] = []
        for name, categories in columns.categories.items():
            column_of += [place_of[name]] * len(categories)
            category_of += range(len(categories))
        self.register_buffer("column_of", numbers_of(column_of))
        self.register_buffer("category_of", numbers_of(category_of))
        encodings = columns.encodings
        self.encoded = tuple(place_of[name] for name in encodings)
        self.tables = nn.ParameterList()
        for encoding in encodings.values():
            # The last row is that of all others.
            codes = np.arange(len(encoding.categories) + 1)
            table = torch.from_numpy(encoding.encode(codes).astype(np.float32))
            self.tables.append(nn.Parameter(table, requires_grad=False))
        self.register_buffer("indicated", numbers_of([place_of[n] for n in columns.indicated]))

    def forward(self, codes: Tensor) -> Tensor:
        """``(N, K)`` → ``(N, features)``."""
        features = []
        if len(self.column_of):
            chosen = codes.index_select(1, self.column_of)
            features.append((chosen == self.category_of).to(torch.float32))
        for place, table in zip(self.encoded, self.tables, strict=True):
            own = codes[:, place]
            others = len(table) - 1
            known = torch.where(
                (own < 0) | (own > others),
                others,
                own,
            )
            features.append(table.index_select(0, known))
        if len(self.indicated):
            missing = codes.index_select(1, self.indicated) < 0
            features.append(missing.to(torch.float32))
        return torch.cat(features, dim=1)
