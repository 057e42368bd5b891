"""Small made tables of schools, and models of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from softshare.data.table import read_table
from softshare.models.learning import learn
from softshare.models.model import Model

FEW = {"steps": 10, "hidden": (4,)}
"""Enough for a network to be one."""


def schools(*, rows: int = 12, tasks: int = 5, seed: int = 0) -> pd.DataFrame:
    """Pupils with a number, a category and a gap here and there, and what they have reached."""
    random = np.random.default_rng(seed)
    n_rows = rows * tasks
    school = np.repeat([f"school {number}" for number in range(tasks)], rows)
    age = random.normal(12, 2, n_rows).round(1)
    home = random.choice(["town", "village"], n_rows)
    offsets = np.repeat(random.normal(size=tasks), rows)
    score = 50 + 3 * age + 5 * offsets + 2 * (home == "town") + random.normal(size=n_rows)
    passed = np.where(score > np.median(score), "yes", "no")
    grade = np.digitize(score, np.quantile(score, [0.3, 0.6]))
    frame = pd.DataFrame({"school": school, "age": age, "home": home, "score": score.round(3)})
    frame["passed"], frame["grade"] = passed, np.array(["low", "middle", "high"])[grade]
    frame.loc[::7, "age"] = np.nan
    return frame


def model_of(method: str, target: str = "score", **settings: Any) -> Model:
    others = {"score", "passed", "grade"} - {target}
    tasks = read_table(schools(), task="school", target=target, drop=sorted(others))
    return learn(tasks, method=method, **{**FEW, **settings})
