"""Ten small sets of the UCI repository, each a task with inputs and classes of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from softshare.data.archives import naming
from softshare.data.names import near
from softshare.data.public import PublicFile, PublicSet
from softshare.tasks.task import Kind
from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Vectors

_HOME = "https://archive.ics.uci.edu/ml/machine-learning-databases"
# UCI withdrew the set; this is a copy of it
_PIMA_HOME = (
    "https://raw.githubusercontent.com/jbrownlee/Datasets/master/pima-indians-diabetes.data.csv"
)


@dataclass(frozen=True)
class _Table:
    """How a set's file is laid out: its fields, of which the class is one and some say nothing."""

    file: PublicFile
    n_features: int
    separator: str | None = ","  # None: white space
    class_at: int = -1
    leading: int = 0  # fields before the first feature


def _file(
    name: str,
    size: int,
    sha256: str,
    *,
    folder: str = "",
    url: str = "",
) -> PublicFile:
    return PublicFile(
        f"uci/{name}",
        size,
        url or f"{_HOME}/{folder}/{name}",
        f"sha256:{sha256}",
        f"sha256:{sha256}",
    )


_TABLES = {
    "australian": _Table(
        _file(
            "australian.dat",
            28_735,
            "3abe5af151afa50b999a9ba21cbc884e80d80a4050b716cf88b34a2e6ecb731c",
            folder="statlog/australian",
        ),
        14,
        separator=None,
    ),
    "breast cancer": _Table(
        _file(
            "wdbc.data",
            124_103,
            "d606af411f3e5be8a317a5a8b652b425aaf0ff38ca683d5327ffff94c3695f4a",
            folder="breast-cancer-wisconsin",
        ),
        30,
        class_at=1,
        leading=2,
    ),
    "ecoli": _Table(
        _file(
            "ecoli.data",
            19_488,
            "008bd8fbb1d8b34040c3c8c4e987cac2a7ebf116e008b140cc6441be5261ba1d",
            folder="ecoli",
        ),
        7,
        separator=None,
        leading=1,
    ),
    "german": _Table(
        _file(
            "german.data-numeric",
            102_000,
            "2752b044394958ab6dd193a0b56ca0f0b3a2d8bc7cb8c008e35a5e84bbec02f8",
            folder="statlog/german",
        ),
        24,
        separator=None,
    ),
    "heart": _Table(
        _file(
            "processed.cleveland.data",
            18_461,
            "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8",
            folder="heart-disease",
        ),
        13,
    ),
    "hepatitis": _Table(
        _file(
            "hepatitis.data",
            7_545,
            "9971f9d18abb4fc9dd6749eefb0f864b36fa7bdd59f54188c0b148a5c28214bc",
            folder="hepatitis",
        ),
        19,
        class_at=0,
        leading=1,
    ),
    "iris": _Table(
        _file(
            "iris.data",
            4_551,
            "6f608b71a7317216319b4d27b4d9bc84e6abd734eda7872b71a458569e2656c0",
            folder="iris",
        ),
        4,
    ),
    "pima": _Table(
        _file(
            "pima-indians-diabetes.data",
            23_279,
            "06f5b7c2cd7bca686fda4f92eab5f61e7ff6426a9acefa2e3dda04fc54293cf5",
            url=_PIMA_HOME,
        ),
        8,
    ),
    "wine": _Table(
        _file(
            "wine.data",
            10_782,
            "6be6b1203f3d51df0b553a70e57b8a723cd405683958204f96d23d7cd6aea659",
            folder="wine",
        ),
        13,
        class_at=0,
        leading=1,
    ),
    "yeast": _Table(
        _file(
            "yeast.data",
            94_976,
            "7cf61776fc04f527f93bf57a327b863893a1225d82df02d457e8950173218258",
            folder="yeast",
        ),
        8,
        separator=None,
        leading=1,
    ),
}

SET = PublicSet(
    name="uci",
    title="ten small tables: credit, cells, proteins, hearts, livers, flowers, wines",
    paper="UCI Machine Learning Repository; together in Meyerson & Miikkulainen 2018",
    licence="",
    home="https://archive.ics.uci.edu/",
    files=tuple(table.file for table in _TABLES.values()),
)


def load(sets: Sequence[str] | None = None, *, unit_interval: bool = False) -> TaskSet:
    """Ten tasks with 4 to 30 features and 2 to 10 classes: to classify the rows of each set.

    Categories are the numeric codes of the files.

    Args:
        sets: which, in this order; all ten when None.
        unit_interval: scale every feature to [0, 1] by the range of all its rows, as the paper
            does, and fill missing values with the median of all rows. Otherwise features are
            standardised, and missing values filled in and indicated, by what the training rows of a
            split say.

    Raises:
        FileNotFoundError: the files are not in the data folder.
        ValueError: a set is unknown, or a file is damaged.
    """
    names = list(_TABLES) if sets is None else list(sets)
    if unknown := [name for name in names if name not in _TABLES]:
        raise ValueError(f"sets: there is no {unknown[0]!r}; {near(unknown[0], _TABLES)}")
    SET.require([_TABLES[name].file for name in names])
    examples = {name: _read(name) for name in names}
    kinds: dict[Any, Kind] = {}
    for name, (_, classes) in examples.items():  # of a disease from 0 to 4 they would be numbers
        kinds[name] = "binary" if len(np.unique(classes)) == 2 else "multiclass"
    tasks = TaskSet.from_arrays(examples, kinds=kinds)
    if not unit_interval:
        return tasks
    scalings = tuple(_to_unit_interval(source) for source in tasks.sources)
    inputs = tuple(
        scaling.transform(source) for scaling, source in zip(scalings, tasks.sources, strict=True)
    )
    return replace(tasks, sources=inputs, preprocessing=scalings)


def _read(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Features, NaN where missing, and classes ``(N,)`` as text.

    The features are a frame, as arrays of equal width would be scaled together.
    """
    table = _TABLES[name]
    with naming(table.file.place):
        content = table.file.read()
        features, classes = rows_of(
            content,
            table.n_features,
            separator=table.separator,
            class_at=table.class_at,
            leading=table.leading,
        )
    return pd.DataFrame(
        features, columns=[f"{name} {place}" for place in range(table.n_features)]
    ), classes


def rows_of(
    content: bytes,
    n_features: int,
    *,
    separator: str | None = ",",
    class_at: int = -1,
    leading: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The features and classes of a text table without a header.

    Args:
        content: lines of fields; ``?`` is a missing value.
        n_features: fields that are features, one after the other.
        separator: between fields; None: white space.
        class_at: the place of the class.
        leading: fields before the first feature.

    Raises:
        ValueError: a line has another number of fields, or a feature is no number.

    Shape:
        ``(N, n_features)`` with NaN where missing, and ``(N,)``.
    """
    lines = [line.split(separator) for line in content.decode("ascii").splitlines() if line.strip()]
    n_fields = leading + n_features + (class_at == -1)
    for number, fields in enumerate(lines, start=1):
        if len(fields) != n_fields:
            raise ValueError(f"row {number} has {len(fields)} fields, expected {n_fields}")
    cells = np.array(lines, dtype=object).reshape(-1, n_fields)
    features = np.where(cells == "?", "nan", cells)[:, leading : leading + n_features].astype(
        np.float64
    )
    return features, cells[:, class_at]


def _to_unit_interval(frame: pd.DataFrame) -> Vectors:
    low, high = frame.min(), frame.max()
    spread = (high - low).where(high > low, 1.0)
    return Vectors(
        tuple(frame.columns),
        fill=tuple(frame.median()),
        mean=tuple(low),
        std=tuple(spread),
    )
