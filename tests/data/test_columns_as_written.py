"""Columns as people write them, through the reading of a whole file: right, or refused by name."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from softshare.data.table import read_table
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.task_set import TaskSet

N_ROWS = 120
RANDOM = np.random.default_rng(0)
AGE = RANDOM.normal(50, 10, N_ROWS).round(1)
ILL = np.where(AGE + RANDOM.normal(0, 10, N_ROWS) > 50, "yes", "no")
WARD = RANDOM.choice(["north", "south"], N_ROWS)


def read(
    folder: Path,
    texts: list[str] | np.ndarray,
    *,
    sep: str = ",",
    name: str = "x",
    age: bool = True,
    **options: Any,
) -> TaskSet:
    """A table with a column of these texts beside an age, a ward and an outcome."""
    columns: dict[str, Any] = {name: texts}
    columns |= {"age": AGE} if age else {}
    columns |= {"ward": WARD, "ill": ILL}
    frame = pd.DataFrame(columns)
    path = folder / "visits.csv"
    decimal = "," if sep == ";" else "."
    frame.to_csv(path, index=False, sep=sep, decimal=decimal)
    return read_table(path, task="ward", target="ill", **options)


def table_of(tasks: TaskSet) -> EncodedColumns:
    assert isinstance(tasks.sources[0], EncodedColumns)
    return tasks.sources[0]


def kind_of(tasks: TaskSet, name: str = "x") -> str:
    return {reading.name: reading.kind for reading in table_of(tasks).readings}[name]


NUMBERS = np.round(RANDOM.uniform(1, 9000, N_ROWS), 2)


def european(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize(
    ("written", "sep"),
    [
        (lambda number: f"{number:,.2f}", ","),
        (european, ";"),
        (lambda number: f"{number:.2f}".replace(".", ","), ";"),
        (lambda number: f"{number:,.2f}".replace(",", " ").replace(".", ","), ";"),
        (lambda number: f"{number:,.2f}".replace(",", "'"), ","),
        (lambda number: f"{number:,.2f}".replace(",", "\u00a0"), ","),
        (lambda number: f"€{number:,.2f}", ","),
        (lambda number: f"{number:.2f} EUR", ","),
        (lambda number: f"CHF {number:.2f}", ","),
        (lambda number: f"{number:.2f}%", ","),
        (lambda number: f"{number:.2f} mg/dl", ","),
        (lambda number: f"{number:.2f}kg", ","),
        (lambda number: f"'{number:.2f}", ","),
        (lambda number: f"  {number:.2f} ", ","),
        (lambda number: f"{number:.4e}", ","),
        (lambda number: f"({number:,.2f})" if number < 4000 else f"{number:,.2f}", ","),
        (lambda number: f"−{number:.2f}" if number < 4000 else f"{number:.2f}", ","),
    ],
)
def test_numbers_are_read_however_they_are_written(tmp_path: Path, written: Any, sep: str) -> None:
    texts = [written(number) for number in NUMBERS]
    table = table_of(read(tmp_path, texts, sep=sep))
    is_negative = np.array([text.lstrip().startswith(("(", "−")) for text in texts])
    expected = np.where(is_negative, -NUMBERS, NUMBERS)
    np.testing.assert_allclose(table.column("x"), expected, rtol=1e-4 if "e+" in texts[0] else 0)
    np.testing.assert_array_equal(table.column("age"), AGE)


def test_points_between_thousands_are_told_by_smaller_numbers_without(tmp_path: Path) -> None:
    prices = RANDOM.integers(100, 4000, N_ROWS)
    texts = [f"{price:,}".replace(",", ".") for price in prices]
    np.testing.assert_array_equal(
        table_of(read(tmp_path, texts, sep=";")).column("x"), prices, strict=False
    )
    with pytest.raises(ValueError, match=r"column 'x': numbers such as .* say which \(decimal"):
        read(tmp_path, texts)  # the age has a decimal point
    told = table_of(read(tmp_path, texts, decimal=","))
    np.testing.assert_array_equal(told.column("x"), prices)


def test_commas_that_may_be_either_are_told_by_other_columns_or_asked_for(tmp_path: Path) -> None:
    numbers = RANDOM.integers(1001, 9999, N_ROWS)
    texts = [f"{number:,}" for number in numbers]
    np.testing.assert_array_equal(table_of(read(tmp_path, texts)).column("x"), numbers)
    with pytest.raises(ValueError, match="may have a fraction, or thousands"):
        read(tmp_path, texts, age=False)
    found = table_of(read(tmp_path, texts, age=False, decimal=",")).column("x")
    np.testing.assert_allclose(found, numbers / 1000)


@pytest.mark.parametrize("word", ["unknown", "-", "na", "n/a", "None", "#N/A", "."])
def test_words_among_numbers_are_missing_and_noted(tmp_path: Path, word: str) -> None:
    gone = np.arange(N_ROWS) % 9 == 0
    texts = np.where(gone, word, AGE.astype(str))
    tasks = read(tmp_path, texts)
    np.testing.assert_array_equal(table_of(tasks).column("x"), np.where(gone, np.nan, AGE))
    assert any("'x'" in note and "read as missing" in note for note in tasks.notes)


@pytest.mark.parametrize("code", [-999, -99, 9999])
def test_codes_for_missing_are_missing_and_can_be_numbers(tmp_path: Path, code: int) -> None:
    gone = np.arange(N_ROWS) % 9 == 0
    numbers = np.where(gone, code, AGE)
    tasks = read(tmp_path, numbers)
    assert np.isnan(table_of(tasks).column("x")[gone]).all()
    assert any(str(code) in note for note in tasks.notes)
    asked = read(tmp_path, numbers, columns={"x": "number"})
    np.testing.assert_array_equal(table_of(asked).column("x"), numbers)


def test_values_that_are_nine_and_near_others_stay(tmp_path: Path) -> None:
    numbers = RANDOM.integers(0, 120, N_ROWS)
    np.testing.assert_array_equal(table_of(read(tmp_path, numbers)).column("x"), numbers)


def test_limits_are_read_as_their_number_and_noted(tmp_path: Path) -> None:
    texts = ["<5" if age < 45 else f"{age}" for age in AGE]
    tasks = read(tmp_path, texts)
    np.testing.assert_array_equal(table_of(tasks).column("x"), np.where(AGE < 45, 5, AGE))
    assert any("limits such as '<5'" in note for note in tasks.notes)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["5 mg", "3 g"] * 60, r"column 'x' has numbers in several units .*columns x=category"),
        (["1,5", "2.5"] * 60, r"column 'x' has numbers written in several ways"),
        (["900", "1.2k"] * 60, r"column 'x' has numbers in several units \('900' and '1.2k'\)"),
        (["0.05", "7%"] * 60, r"column 'x' has numbers in several units"),
        (["3/4/2021", "5/6/2021"] * 60, r"'x': dates such as .*columns x=day-first"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused_with_the_remedy(
    tmp_path: Path, texts: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, texts)
    assert kind_of(read(tmp_path, texts, columns={"x": "category"})) == "category"


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [(["0", "5%", "0.0", "7%"], [0, 5, 0, 7]), (["900", "$ 1,200", "3", "$5"], [900, 1200, 3, 5])],
)
def test_none_needs_no_unit_and_a_currency_goes_without_saying(
    tmp_path: Path, texts: list[str], numbers: list[float]
) -> None:
    tasks = read(tmp_path, texts * 30)
    np.testing.assert_array_equal(table_of(tasks).column("x"), numbers * 30)


@pytest.mark.parametrize("mark", ["*", "†", "\x1a", " est"])
def test_a_mark_behind_one_number_is_no_unit(tmp_path: Path, mark: str) -> None:
    """One marked cell made categories of all others, in silence."""
    texts = [f"{age}" for age in AGE]
    texts[40] += mark
    named = r"'x' holds numbers, but 1 value\(s\) are not: .* in row 41 .*columns x=category"
    with pytest.raises(ValueError, match=named):
        read(tmp_path, texts)
    assert kind_of(read(tmp_path, texts, columns={"x": "category"})) == "many"
    told = read(tmp_path, texts, na=[texts[40]])
    assert np.isnan(table_of(told).column("x")[40])
    with pytest.raises(ValueError, match=r"'y' holds numbers, but 1 value.* in row 41"):
        read_table(with_target(texts), task="ward", target="y")


def test_units_of_many_and_codes_with_letters_stay(tmp_path: Path) -> None:
    parts = [f"{age} parts" for age in AGE]
    np.testing.assert_array_equal(table_of(read(tmp_path, parts)).column("x"), AGE)
    houses = [f"{number}{'abc'[number % 3]}" for number in range(10)]
    assert kind_of(read(tmp_path, houses * 12)) == "category"


@pytest.mark.parametrize(("code", "n_values"), [(99, 5), (-9, 3), (999, 9)])
def test_codes_for_missing_are_no_class(code: int, n_values: int) -> None:
    """Of few whole numbers too: a 99 beside answers from 1 to 5 is none of them."""
    answers = 1 + np.arange(N_ROWS) % n_values
    gone = np.arange(N_ROWS) % 7 == 0
    frame = with_target(list(np.where(gone, code, answers)))
    for column in (frame["y"], frame["y"].astype(str)):
        tasks = read_table(frame.assign(y=column), task="ward", target="y")
        assert len(tasks.rows) == (~gone).sum()
        assert any(f"target 'y': {code} in {gone.sum()} row(s)" in note for note in tasks.notes)
        kept = read_table(
            frame.assign(y=column),
            task="ward",
            target="y",
            columns={"y": "number"},
            kinds="multiclass",
        )
        assert str(code) in kept.tasks[0].classes
        asked = read_table(frame.assign(y=column), task="ward", target="y", kinds="multiclass")
        assert str(code) in asked.tasks[0].classes


def test_a_class_that_one_row_has_is_refused_and_can_be_asked_for() -> None:
    texts = [str(1 + row % 4) for row in range(N_ROWS)]
    texts[7] = "3b"
    with pytest.raises(ValueError, match=r"'3b' in row 8 .*kind multiclass"):
        read_table(with_target(texts), task="ward", target="y")
    asked = read_table(with_target(texts), task="ward", target="y", kinds="multiclass")
    assert asked.tasks[0].classes == ("1", "2", "3", "3b", "4")


def test_dates_of_several_forms_are_named() -> None:
    texts = [f"{day:%d.%m.%Y}" if row % 9 else f"{day:%Y-%m-%d}" for row, day in enumerate(DAYS)]
    with pytest.raises(ValueError, match=r"several forms, such as '06.03.2019' and '2019-03-01'"):
        read_table(
            with_target(list(AGE), x=texts), task="ward", target="y", columns={"x": "day-first"}
        )


def with_target(texts: list[str], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"age": AGE, "ward": WARD, **columns, "y": texts})


THREE_PLACES = [f"{age / 10:.1f}00" for age in AGE]


def test_a_target_is_no_thousands_where_its_table_has_decimal_points(tmp_path: Path) -> None:
    path = tmp_path / "three.csv"
    with_target(THREE_PLACES).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"target 'y': numbers such as .* may have a fraction"):
        read_table(path, task="ward", target="y")
    with pytest.raises(ValueError, match=r"target 'y': numbers such as .* may have a fraction"):
        read_table(path, task="ward", target="y", chunk_rows=50)
    told = read_table(path, task="ward", target="y", decimal=".")
    np.testing.assert_allclose(sorted(told.targets), sorted(map(float, THREE_PLACES)))


def test_thousands_in_a_target_are_told() -> None:
    tasks = read_table(with_target(THREE_PLACES), task="ward", target="y")
    assert any(f"target 'y': '{THREE_PLACES[0]}' is read as" in note for note in tasks.notes)


def test_numbers_with_exponents_have_no_thousands() -> None:
    texts = [f"{age // 10:.3f}e+01" for age in AGE]
    tasks = read_table(with_target(texts), task="ward", target="y", kinds="regression")
    assert sorted(tasks.targets) == sorted(AGE // 10 * 10)
    inputs = read_table(with_target(list(AGE), x=texts), task="ward", target="y")
    np.testing.assert_array_equal(table_of(inputs).column("x"), AGE // 10 * 10)


DAYS = pd.Series(pd.date_range("2019-03-01", periods=N_ROWS, freq="5D"))


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%Y%m%d",
        "%d %b %Y",
        "%B %d, %Y",
        "%Y-%m-%dT%H:%M:%SZ",
        "%d/%m/%y %H:%M",
    ],
)
def test_dates_become_days_and_places_in_the_year_and_week(tmp_path: Path, form: str) -> None:
    tasks = read(tmp_path, DAYS.dt.strftime(form).to_numpy())
    seconds = (DAYS - pd.Timestamp(0)).dt.total_seconds()
    np.testing.assert_array_equal(table_of(tasks).column("x"), seconds)
    names = tasks.split(seed=0)[0].preprocessing[0].feature_names
    assert sum(name.startswith("x, ") for name in names) == 5


@pytest.mark.parametrize("held", [DAYS, DAYS.dt.date, DAYS.dt.tz_localize("UTC")])
def test_typed_dates_are_read_like_written_ones(held: pd.Series) -> None:
    frame = pd.DataFrame({"x": held, "age": AGE, "ward": WARD, "ill": ILL})
    table = table_of(read_table(frame, task="ward", target="ill"))
    seconds = (DAYS - pd.Timestamp(0)).dt.total_seconds()
    np.testing.assert_array_equal(table.column("x"), seconds)


def test_dates_of_several_offsets_from_utc_are_moments() -> None:
    zones = [timezone(timedelta(hours=row % 3)) for row in range(N_ROWS)]
    local = [day.tz_localize("UTC").astimezone(zone) for day, zone in zip(DAYS, zones, strict=True)]
    held = [None, DAYS[1].to_pydatetime(), *(day.to_pydatetime() for day in local[2:])]
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "ill": ILL})
    frame["x"] = pd.Series(held, dtype=object)
    table = table_of(read_table(frame, task="ward", target="ill"))
    seconds = (DAYS - pd.Timestamp(0)).dt.total_seconds().where(DAYS.index > 0)
    np.testing.assert_array_equal(table.column("x"), seconds)


@pytest.mark.parametrize("arrow", ["date32[day][pyarrow]", "date64[ms][pyarrow]"])
def test_dates_of_arrow_are_read_like_written_ones(arrow: str) -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "ill": ILL})
    frame["x"] = DAYS.where(DAYS.index > 0).astype("timestamp[us][pyarrow]").astype(arrow)
    table = table_of(read_table(frame, task="ward", target="ill"))
    seconds = (DAYS - pd.Timestamp(0)).dt.total_seconds().where(DAYS.index > 0)
    np.testing.assert_array_equal(table.column("x"), seconds)


def test_times_of_day_stand_on_a_circle(tmp_path: Path) -> None:
    texts = [f"{hour % 24:02d}:30" for hour in range(N_ROWS)]
    assert kind_of(read(tmp_path, texts)) == "time"


def test_dates_can_be_no_target(tmp_path: Path) -> None:
    frame = pd.DataFrame({"when": DAYS.astype(str), "age": AGE, "ward": WARD})
    frame.to_csv(tmp_path / "t.csv", index=False)
    for table in (tmp_path / "t.csv", frame.assign(when=DAYS), frame.assign(when=DAYS.dt.date)):
        with pytest.raises(ValueError, match="target 'when' holds dates or times"):
            read_table(table, task="ward", target="when")


@pytest.mark.parametrize(
    "names",
    [
        ["007", "7", "07"],
        ["1E5", "100000", "1e5"],
        ["9007199254740993", "9007199254740992", "9007199254740994"],
        ["1", "1.0", "01"],
        ["NA", "ZA", "BW"],
        ["None", "null", "nan"],
        ["true", "True", "1"],
    ],
)
@pytest.mark.parametrize("chunk_rows", [None, 50])
def test_tasks_are_named_as_they_are_written(
    tmp_path: Path, names: list[str], chunk_rows: int | None
) -> None:
    frame = pd.DataFrame({"age": AGE, "site": np.resize(names, N_ROWS), "ill": ILL})
    frame.to_csv(tmp_path / "t.csv", index=False)
    tasks = read_table(tmp_path / "t.csv", task="site", target="ill", chunk_rows=chunk_rows)
    assert dict(zip(tasks.names, tasks.n_examples, strict=True)) == dict.fromkeys(names, 40)


def test_blanks_around_a_name_are_no_part_of_it_and_noted(tmp_path: Path) -> None:
    site = np.resize(["North", "North ", "South"], N_ROWS)
    frame = pd.DataFrame({"age": AGE, "site": site, "ill": ILL})
    tasks = read_table(frame, task="site", target="ill")
    assert tasks.names == ("North", "South")
    assert any("with blanks around them" in note for note in tasks.notes)


@pytest.mark.parametrize(
    ("written", "classes"),
    [
        (["01", "1"], {"01", "1"}),
        (["1E5", "100000"], {"1E5", "100000"}),
        (["9007199254740993", "9007199254740992"], {"9007199254740993", "9007199254740992"}),
        (["Yes", "yes ", "no", "no "], {"yes", "no"}),
        (["None", "Brick", "Stone"], {"None", "Brick", "Stone"}),
        (["NA", "ZA", "BW"], {"NA", "ZA", "BW"}),
    ],
)
def test_classes_are_what_is_written(tmp_path: Path, written: list[str], classes: set[str]) -> None:
    target = np.resize(written, N_ROWS).astype(object)
    target[0] = written[1]
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "y": target})
    frame.to_csv(tmp_path / "t.csv", index=False)
    tasks = read_table(tmp_path / "t.csv", task="ward", target="y")
    assert {name.lower() for name in tasks.tasks[0].classes} == {name.lower() for name in classes}
    assert tasks.n_examples.sum() == N_ROWS
    if "Yes" in written:
        assert any("spellings read as one class" in note for note in tasks.notes)
        apart = read_table(tmp_path / "t.csv", task="ward", target="y", columns={"y": "category"})
        assert set(apart.tasks[0].classes) == {"Yes", "yes", "no"}


def test_which_texts_mean_missing_can_be_said(tmp_path: Path) -> None:
    target = np.resize(["None", "Brick", "Stone"], N_ROWS)
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "y": target})
    tasks = read_table(frame, task="ward", target="y", na=["None"])
    assert tasks.tasks[0].classes == ("Brick", "Stone")
    assert any("'None'" in note for note in tasks.notes)


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("x", np.arange(N_ROWS) + 5000, "a running number"),
        ("Unnamed: 0", np.arange(N_ROWS), "a running number"),
        ("order_id", RANDOM.permutation(10_000)[:N_ROWS], "another number in every row"),
        ("x", np.cumsum(RANDOM.integers(1, 9, N_ROWS)), "in the order of the rows"),
        ("x", [f"https://a.b/{row}" for row in range(N_ROWS)], "nothing that comes again"),
        ("x", [f"he said {row} long words" for row in range(N_ROWS)], "free text"),
        ("patient", np.arange(N_ROWS) // 3, "persons or things that come again"),
        ("x", [f"P{row // 2:04d}" for row in range(N_ROWS)], "persons or things"),
    ],
)
def test_names_of_rows_and_persons_are_left_out_with_a_line(
    tmp_path: Path, name: str, values: Any, why: str
) -> None:
    tasks = read(tmp_path, values, name=name)
    assert name not in table_of(tasks).names
    (line,) = [note for note in tasks.notes if repr(name) in note]
    assert why in line
    assert f"columns {name}=" in line
    assert ("group" in line) == ("persons" in why)


def test_codes_of_groups_are_categories(tmp_path: Path) -> None:
    tasks = read(tmp_path, np.resize([7, 11, 19, 23], N_ROWS), name="team_id")
    assert table_of(tasks).categories["team_id"] == ("11", "19", "23", "7")
    zeros = read(tmp_path, np.resize(["007", "070", "7"], N_ROWS))
    assert table_of(zeros).categories["x"] == ("007", "070", "7")


def test_measurements_with_a_value_of_their_own_in_every_row_stay(tmp_path: Path) -> None:
    population = RANDOM.permutation(10**6)[:N_ROWS]
    tasks = read(tmp_path, population, name="population")
    np.testing.assert_array_equal(table_of(tasks).column("population"), population)


def test_whole_numbers_that_are_counted_are_a_number(tmp_path: Path) -> None:
    visits = RANDOM.poisson(6, N_ROWS)
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "visits": visits})
    tasks = read_table(frame, task="ward", target="visits")
    assert {task.kind for task in tasks.tasks} == {"regression"}
    assert any("kind multiclass" in note for note in tasks.notes)


TRUTH = AGE > 50


@pytest.mark.parametrize(
    "held",
    [
        pd.Series(TRUTH),
        pd.Series(TRUTH, dtype="boolean"),
        pd.Series([None, *TRUTH[1:]], dtype=object),
        pd.Series(TRUTH, dtype="category"),
        pd.Series(TRUTH.astype(int), dtype="category"),
        pd.Series(TRUTH.astype(int).astype(str), dtype="category"),
        pd.Series([np.nan, *TRUTH[1:].astype(float)], dtype="category"),
    ],
)
def test_categories_and_truths_are_numbers_where_these_are_asked_for(held: pd.Series) -> None:
    frame = pd.DataFrame({"age": AGE, "y": held})
    tasks = read_table(frame, target="y", kinds="regression")
    assert tasks.tasks[0].kind == "regression"
    np.testing.assert_array_equal(tasks.targets, TRUTH[tasks.rows])
    np.testing.assert_array_equal(tasks.rows, np.flatnonzero(held.notna()))


def test_a_target_of_texts_that_hardly_come_again_is_refused() -> None:
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "y": [f"code {k}" for k in range(N_ROWS)]})
    with pytest.raises(ValueError, match=r"120 different texts in 120 rows.* kind multiclass"):
        read_table(frame, task="ward", target="y")


@pytest.mark.parametrize(
    ("classes", "weights", "positive"),
    [
        (["stay", "churn"], [0.9, 0.1], "churn"),
        (["yes", "no"], [0.9, 0.1], "yes"),
        (["healthy", "ill"], [0.2, 0.8], "ill"),
        (["b", "a"], [0.9, 0.1], "a"),
    ],
)
def test_the_positive_class_is_the_one_that_says_so_or_the_rarer(
    classes: list[str], weights: list[float], positive: str
) -> None:
    target = np.random.default_rng(1).choice(classes, N_ROWS, p=weights)
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "y": target})
    tasks = read_table(frame, task="ward", target="y")
    assert tasks.tasks[0].classes[1] == positive
    assert f"the positive one is {positive!r}" in str(tasks.look())
    other = tasks.tasks[0].classes[0]
    asked = read_table(frame, task="ward", target="y", positive=other)
    assert asked.tasks[0].classes == (positive, other)
    np.testing.assert_array_equal(asked.targets, 1 - tasks.targets)
    with pytest.raises(ValueError, match="positive: target 'y' has no class 'maybe'"):
        read_table(frame, task="ward", target="y", positive="maybe")


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ((1_234_567, 7_654_321), ("1234567", "7654321")),
        ((1_234_567, 1_234_568), ("1234567", "1234568")),
        ((0.25, 0.1234567891), ("0.25", "0.1234567891")),
        ((-0.0, 1.0), ("0", "1")),
    ],
)
def test_classes_of_numbers_are_named_by_all_their_digits(
    values: tuple[float, float], classes: tuple[str, str]
) -> None:
    frame = pd.DataFrame({"age": AGE, "ward": WARD, "y": np.where(ILL == "yes", *values)})
    for place, positive in enumerate(classes):
        tasks = read_table(frame, task="ward", target="y", positive=positive)
        assert tasks.tasks[0].classes == (classes[1 - place], positive)
        truth = frame["y"].to_numpy()[tasks.rows] == values[place]
        np.testing.assert_array_equal(tasks.targets, truth)
