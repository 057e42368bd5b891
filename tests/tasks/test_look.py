"""What is shown of data before anything is trained, and what is cautioned against."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.tasks.look import Look
from softshare.tasks.task_set import TaskSet

N_ROWS = 300
RANDOM = np.random.default_rng(0)


def visits(**columns: Any) -> pd.DataFrame:
    age = RANDOM.normal(50, 10, N_ROWS)
    frame = pd.DataFrame({"age": age, "bmi": RANDOM.normal(27, 4, N_ROWS)})
    frame["ward"] = RANDOM.choice(["north", "south"], N_ROWS)
    frame["ill"] = np.where(age + RANDOM.normal(0, 10, N_ROWS) > 55, "yes", "no")
    for name, made in columns.items():
        frame[name] = made(frame) if callable(made) else made
    return frame


def cautions_of(frame: pd.DataFrame, **options: Any) -> list[str]:
    options = {"task": "ward", "target": "ill", **options}
    return list(read_table(frame, **options).look().cautions)


def test_a_look_names_every_column_and_what_becomes_of_it() -> None:
    frame = visits(seen=pd.date_range("2020-01-01", periods=N_ROWS).astype(str), row=range(N_ROWS))
    look = read_table(frame, task="ward", target="ill", drop=["bmi"]).look()
    read_as = {line.name: line.read_as for line in look.columns}
    assert read_as == {
        "ill": "the target",
        "ward": "the task",
        "age": "number",
        "bmi": "left out",
        "seen": "date",
        "row": "left out",
    }
    assert look.n_tasks == 2
    assert sum(line.inputs for line in look.columns) == 1 + 5
    assert "the positive one is 'yes'" in look.target
    assert Look.from_json(look.to_json()) == look
    for shown in (str(look), look._repr_html_()):
        assert "seen" in shown
        assert "2020-01-01" in shown
    with pytest.raises(ValueError, match="this is no look"):
        Look.from_json("{}")


def test_a_plain_table_has_no_cautions() -> None:
    assert cautions_of(visits()) == []


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (lambda frame: (frame["ill"] == "yes").astype(int), "tells the target alone"),
        (
            lambda frame: np.where(frame["ill"] == "yes", "case", "control"),
            "tells the target alone",
        ),
        (
            lambda frame: (frame["ill"] == "yes") + RANDOM.normal(0, 0.1, N_ROWS),
            "tells the target alone .ROC-AUC",
        ),
        (
            lambda frame: np.where(frame["ill"] == "yes", RANDOM.normal(size=N_ROWS), np.nan),
            "has values only in rows of class 'yes'",
        ),
        (
            lambda frame: np.where(frame["ill"] == "yes", "2020-03-01", ""),
            "'after' .*(only in rows of class 'yes'|one value)",
        ),
    ],
)
def test_what_is_known_only_afterwards_is_cautioned_against(column: Any, told: str) -> None:
    (line,) = [line for line in cautions_of(visits(after=column)) if "'after'" in line]
    assert re.search(told, line)


def test_a_value_that_settles_one_class_of_several_is_cautioned_against() -> None:
    frame = visits(grade=RANDOM.choice(["low", "middle", "high"], N_ROWS))
    frame["passed"] = np.where(frame["grade"] == "low", "no", "yes")
    (line,) = [line for line in cautions_of(frame, target="grade") if "'passed'" in line]
    assert "one value in rows of class 'low', and in these alone" in line


def test_a_copy_of_a_number_is_cautioned_against() -> None:
    frame = visits(cost=lambda frame: frame["age"] * 3, cents=lambda frame: frame["age"] * 300 + 7)
    found = cautions_of(frame, target="cost", drop=["age", "ill"])
    assert [line for line in found if "'cents'" in line and "rank correlation" in line]


def test_a_target_that_never_changes_is_told_by_no_column() -> None:
    frame = visits(cost=lambda frame: np.zeros(len(frame)))
    frame.loc[0, ["cost", "bmi"]] = 1.0, np.nan
    found = cautions_of(frame, target="cost", kinds="regression", drop=["ill"])
    assert not any("is it known before" in line for line in found)


def test_repeated_rows_and_persons_suggest_a_group() -> None:
    frame = visits()
    twice = pd.concat([frame, frame[:60]], ignore_index=True)
    assert any("60 row(s) are like another" in line for line in cautions_of(twice))
    again = frame[:60].assign(age=frame["age"][:60] + 1)
    again["bmi"] = frame["bmi"][:60]
    wide = frame.assign(height=RANDOM.normal(size=N_ROWS), pulse=RANDOM.normal(size=N_ROWS))
    nearly = wide[:60].assign(age=wide["age"][:60] + 1.5)
    both = pd.concat([wide, nearly], ignore_index=True)
    assert any("every input but column 'age'" in line for line in cautions_of(both))
    assert not any("like another" in line for line in cautions_of(wide))


def test_tables_of_their_own_for_every_task_are_each_looked_through() -> None:
    short, long = visits()[:40], visits()
    twice = pd.concat([long, long[:60]], ignore_index=True)
    given = {}
    for name, frame in (("short", short), ("long", twice)):
        given[name] = frame.drop(columns=["ill"]), (frame["ill"] == "yes").to_numpy()
    look = TaskSet.from_arrays(given).look()
    assert [line for line in look.cautions if "60 row(s) are like another" in line]


def test_tasks_and_parts_that_are_odd_are_named() -> None:
    frame = visits(part=lambda frame: np.where(np.arange(N_ROWS) % 3 == 0, "test", "train"))
    frame.loc[frame["part"] == "train", "ill"] = "no"
    found = cautions_of(frame, split="part")
    assert any("one class only in the training part: north, south" in line for line in found)
    assert any("one task only" in line for line in cautions_of(visits(ward="north")))


def test_arrays_have_a_look_too() -> None:
    tasks = TaskSet.from_arrays({"a": (np.zeros((9, 2)), np.arange(9) / 7)})
    assert "an input has the shape 2" in tasks.look().summary
    frame = visits().drop(columns=["ward", "ill"])
    shared = TaskSet.from_shared_inputs(frame, {"y": np.arange(N_ROWS) % 2})
    assert [line.name for line in shared.look().columns] == ["age", "bmi"]


def test_typed_dates_are_shown_as_dates_also_the_last_that_there_is() -> None:
    end = [datetime(9999, 12, 31) if row % 3 else datetime(2021, 9, 27) for row in range(N_ROWS)]
    look = read_table(visits(until=pd.Series(end, dtype=object)), task="ward", target="ill").look()
    (line,) = [line for line in look.columns if line.name == "until"]
    assert line.read_as == "date"
    assert line.examples == "2021-09-27, 9999-12-31"


def test_complex_numbers_are_refused_by_name() -> None:
    frame = visits(wave=np.arange(N_ROWS) % 7 + 1j)
    with pytest.raises(ValueError, match="'wave'"):
        read_table(frame, task="ward", target="ill")
