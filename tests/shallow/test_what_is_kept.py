"""What estimators keep of a fit can be written down without any other library's objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from softshare.methods.estimators import ESTIMATORS
from softshare.shallow import boosted_trees, forest

PLAIN = bool | int | float | str | np.generic | None
WITH_OTHER_LIBRARY = [("boosted", True), ("boosted-apart", True)]


def strangers(value: Any, path: str) -> Iterator[str]:
    """Where in a value there is something that is neither plain nor made of what is plain."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        yield f"{path}: an array of objects"
    elif not isinstance(value, PLAIN | np.ndarray):
        inner = parts_of(value)
        if inner is None:
            yield f"{path}: {type(value)}"
            return
        for key, part in inner.items():
            if not isinstance(key, str):
                yield f"{path}: the key {key!r}"
            yield from strangers(part, f"{path}.{key}")


def parts_of(value: Any) -> dict[Any, Any] | None:
    """What a container, a frozen dataclass or an estimator holds; None of anything else."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return {str(place): part for place, part in enumerate(value)}
    if type(value).__module__.partition(".")[0] != "softshare":
        return None
    if is_dataclass(value) and value.__dataclass_params__.frozen:
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return vars(value) if isinstance(value, BaseEstimator) else None


@pytest.mark.parametrize(
    ("name", "without_lightgbm"), [*((name, False) for name in ESTIMATORS), *WITH_OTHER_LIBRARY]
)
def test_estimators_keep_plain_values(
    name: str, without_lightgbm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without_lightgbm:
        monkeypatch.setattr(boosted_trees, "lightgbm", None)
        monkeypatch.setattr(boosted_trees, "STAGES", 10)
    elif name.startswith("boosted"):
        pytest.importorskip("lightgbm")
    monkeypatch.setattr(boosted_trees, "MOST_ROUNDS", 10)
    monkeypatch.setattr(forest, "TREES_TO_CHOOSE", 5)
    monkeypatch.setattr(forest, "ROWS_IN_LEAF", (6,))
    generator = np.random.default_rng(0)
    tasks = np.repeat(np.arange(3), 30)
    inputs = generator.normal(size=(90, 2))
    targets = np.digitize(inputs[:, 0] * inputs[:, 1] + tasks % 2, (-0.2, 0.7))
    # Most is kept of several classes; what trees stand on is fitted faster to numbers.
    kind = "regression" if name == "boosted-on-pooled" else "multiclass"
    model = ESTIMATORS[name](kind, n_folds=2, random_state=0).fit(inputs, targets, tasks)
    assert list(strangers(model, name)) == []


def test_what_is_foreign_or_changes_would_be_seen() -> None:
    assert len(list(strangers({1: 0, "a": [object()], "b": np.array([None])}, ""))) == 3
