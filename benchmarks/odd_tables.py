"""Tables written oddly, or damaged, by a generator that knows what it wrote.

``python -m benchmarks.odd_tables --number 20000`` (some twenty minutes on one core) writes so many
small tables: numbers with decimal commas, thousands, currencies, units and limits; dates in a dozen
forms; codes with leading zeros and exponents; words and numbers for missing; classes and tasks in
several spellings; other separators, encodings and heads; or with bytes deleted, doubled, changed.
Each is read, looked at and split, and what was read is held against what was written:

* no two tasks are merged, and none is lost;
* no class is lost, and none that differ in more than capitals or blanks are merged;
* every number is read as what it is, or its column is refused, left out or read as categories
  with a line that says so;
* nothing but a ``ValueError`` of one line is raised, and no table takes long or much memory.

For one table in four ``softshare look`` is called with options drawn at random, right ones and
wrong ones: it must end with 0, or with 2 and one line.

It prints how many tables were read and refused, the slowest, the memory, and every fault with the
seed that makes it again (``--first SEED --number 1``).
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

import softshare as ss
from softshare.cli.app import main as main_of_commands
from softshare.tasks.encoded_columns import EncodedColumns
from softshare.tasks.task_set import TaskSet

Random = np.random.Generator


@dataclass
class Column:
    """A column as it was written.

    Args:
        name: of the column.
        texts: its cells.
        numbers: what they say, NaN where nothing; None where the column says no numbers.
        kinds: readings that are right.
    """

    name: str
    texts: list[str]
    numbers: np.ndarray | None = None
    kinds: tuple[str, ...] = ("number",)


@dataclass
class Written:
    """A table, and what is true of it.

    Args:
        content: the file's bytes.
        options: by which it is read.
        tasks: the true task of each row.
        target: its true class or number in each row.
        is_number: whether the target is a number.
        columns: the inputs.
        is_damaged: whether bytes were changed, so that nothing is known of the content.
        story: what was odd.
    """

    content: bytes
    options: dict[str, object]
    tasks: list[str]
    target: list[str] | np.ndarray
    is_number: bool
    columns: list[Column]
    is_damaged: bool = False
    story: list[str] = field(default_factory=list)


# --- columns -------------------------------------------------------------------------------------


def _grouped(number: float, digits: int, mark: str, point: str) -> str:
    text = f"{number:,.{digits}f}"
    return text.replace(",", "\0").replace(".", point).replace("\0", mark)


FORMS = ("plain", "grouped", "unit", "currency", "limit", "apostrophe", "brackets")
MISSING = ("", "NA", "unknown", "-", "n/a", "NULL", "?", "#N/A", "none", "na", ".")
NAMES = ("category", "left out")


def _numbers(random: Random, n_rows: int, comma: bool) -> Column:
    """Numbers in one of the ways people write them, in the table's own convention."""
    point, mark = (",", ".") if comma else (".", ",")
    mark = str(random.choice([mark, " ", "'", "\u00a0", ""]))
    size = float(random.choice([1.0, 30.0, 5_000.0, 2e6]))
    digits = int(random.integers(0, 4)) if size < 1e5 else int(random.integers(0, 3))
    numbers = np.round(random.normal(size=n_rows) * size + random.choice([0, 2 * size]), digits)
    if random.random() < 0.3:
        numbers = np.abs(numbers)
    numbers = numbers + 0.0
    form = str(
        random.choice(["plain", "grouped", "unit", "currency", "limit", "apostrophe", "brackets"])
    )
    texts = []
    unit = str(random.choice(["%", " kg", " %", " mg/dl", "€", " EUR", " km"]))
    before = str(random.choice(["€", "$", "£ ", "CHF ", "USD "]))
    for number in numbers:
        grouped = form in ("grouped", "currency", "brackets")
        text = _grouped(abs(number), digits, mark if grouped else "", point)
        sign = "-" if number < 0 else ""
        if form == "brackets" and number < 0:
            texts.append(f"({text})")
            continue
        if form == "currency":
            texts.append(f"{sign}{before}{text}")
            continue
        text = sign + text
        if form == "unit":
            text += unit
        if form == "apostrophe":
            text = "'" + text
        if form == "limit" and random.random() < 0.2:
            text = str(random.choice(["<", ">", "< "])) + text
        texts.append(text)
    return Column(f"number {form}", texts, numbers, ("number",))


def _missing_words(random: Random, column: Column) -> Column:
    """The same column with words, codes or nothing where values are missing."""
    word = str(
        random.choice(["", "NA", "unknown", "-", "n/a", "NULL", "?", "#N/A", "none", "na", "."])
    )
    gone = random.random(len(column.texts)) < 0.1
    texts = [word if is_gone else text for text, is_gone in zip(column.texts, gone, strict=True)]
    numbers = None if column.numbers is None else np.where(gone, np.nan, column.numbers)
    return Column(column.name, texts, numbers, column.kinds)


def _sentinels(random: Random, n_rows: int) -> Column:
    numbers = np.round(random.normal(27, 4, n_rows), 1)
    gone = random.random(n_rows) < 0.1
    gone[:2] = True
    texts = [
        "-999" if is_gone else f"{number}" for number, is_gone in zip(numbers, gone, strict=True)
    ]
    return Column("bmi", texts, np.where(gone, np.nan, numbers), ("number",))


DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d-%b-%y",
    "%d/%m/%Y",
    "%m/%d/%Y",
)


def _dates(random: Random, n_rows: int) -> Column:
    form = str(random.choice(DATES))
    days = random.integers(0, 900, n_rows)
    minutes = random.integers(0, 1440, n_rows) if "%H" in form else np.zeros(n_rows, dtype=int)
    moments = []
    for day, minute in zip(days, minutes, strict=True):
        moments.append(datetime(2019, 1, 1) + timedelta(days=int(day), minutes=int(minute)))
    seconds = [(moment - datetime(1970, 1, 1)).total_seconds() for moment in moments]
    texts = [moment.strftime(form) for moment in moments]
    return Column(f"date {form}", texts, np.array(seconds), ("date",))


def _codes(random: Random, n_rows: int) -> Column:
    """Digits that are names: no numbers must be made of them."""
    codes = [f"{code:03d}" for code in random.integers(0, 60, 12)] + ["007", "07"]
    return Column(
        "site code",
        [str(text) for text in random.choice(codes, n_rows)],
        None,
        ("category", "left out"),
    )


def _words(random: Random, n_rows: int) -> Column:
    words = ["red", "Green", "blue ", " grey", "None", "5+", "a,b", 'say "x"', "é", "1st"]
    return Column(
        "colour",
        [str(text) for text in random.choice(words, n_rows)],
        None,
        ("category", "left out"),
    )


def _ids(random: Random, n_rows: int) -> Column:
    start = int(random.integers(0, 10_000))
    return Column("row_id", [str(start + row) for row in range(n_rows)], None, ("left out",))


def _customers(random: Random, n_rows: int) -> Column:
    codes = random.integers(0, n_rows // 2, n_rows)
    return Column(
        "customer", [f"C{code:06d}" for code in codes], None, ("left out", "many", "category")
    )


COLUMNS: tuple[Callable[[Random, int], Column], ...] = (
    _sentinels,
    _dates,
    _codes,
    _words,
    _ids,
    _customers,
)

TASKS = (
    ["North", "South", "East"],
    ["007", "7", "07"],
    ["1E5", "100000", "1e5"],
    ["NA", "ZA", "BW"],
    ["None", "Some", "All"],
    ["9007199254740993", "9007199254740992", "9007199254740994"],
    ["1", "1.0", "01"],
    ["a b", "a  b", "A b"],
    ["Süd/West", "Hôpital Est", "St. Mary"],
    ["true", "false", "True"],
    ["2020-01-01", "20200101", "01.01.2020"],
    ["1,5", "1.5", "15"],
)

CLASSES = (
    ["yes", "no"],
    ["01", "1"],
    ["1E5", "100000"],
    ["None", "Brick", "Stone"],
    ["NA", "ZA", "BW"],
    ["a", "b", "c"],
    ["1", "2", "3"],
    ["churn", "stay"],
    ["TRUE", "FALSE"],
    ["low", "mid", "high"],
)


def made(seed: int) -> Written:
    """A table, by its seed."""
    random = np.random.default_rng(seed)
    n_rows = int(random.integers(60, 140))
    comma = bool(random.random() < 0.35)
    names = list(TASKS[random.integers(len(TASKS))])
    tasks = [names[place] for place in random.integers(0, len(names), n_rows)]
    tasks[: len(names)] = names
    columns = [_numbers(random, n_rows, comma), _numbers(random, n_rows, comma)]
    columns[1].name += " too"
    # a column that says which mark is the decimal one
    point = "," if comma else "."
    plain = np.round(random.normal(size=n_rows), 2) + 0.0
    columns.append(Column("plain", [f"{x:.2f}".replace(".", point) for x in plain], plain))
    for _ in range(int(random.integers(0, 4))):
        column = COLUMNS[random.integers(len(COLUMNS))](random, n_rows)
        if comma and column.name == "bmi":
            column.texts = [text.replace(".", ",") for text in column.texts]
        columns.append(column)
    unique = {column.name: column for column in columns}
    columns = list(unique.values())
    for place, column in enumerate(columns):
        if (
            random.random() < 0.25
            and column.kinds in (("number",), ("date",))
            and column.name != "bmi"
        ):
            columns[place] = _missing_words(random, column)
    is_number = bool(random.random() < 0.4)
    if is_number:
        of_target = _numbers(random, n_rows, comma)
        cells, target = of_target.texts, of_target.numbers
    else:
        classes = list(CLASSES[random.integers(len(CLASSES))])
        drawn = [classes[place] for place in random.integers(0, len(classes), n_rows)]
        drawn[: 2 * len(classes)] = classes * 2
        target, cells = drawn, list(drawn)
        if random.random() < 0.2:
            cells = [f"{text} " if random.random() < 0.3 else text for text in cells]
        if random.random() < 0.2 and not set("0123456789").intersection("".join(classes)):
            cells = [text.capitalize() if random.random() < 0.3 else text for text in cells]
    shown = [f" {name}" if random.random() < 0.05 else name for name in tasks]
    return _written(random, columns, tasks, shown, target, cells, is_number)


def _written(
    random: Random,
    columns: list[Column],
    tasks: list[str],
    shown: list[str],
    target: list[str] | np.ndarray,
    cells: list[str],
    is_number: bool,
) -> Written:
    separator = str(random.choice([",", ";", "\t", "|"], p=[0.45, 0.35, 0.1, 0.1]))
    head = ["unit", *(column.name for column in columns), "outcome"]
    rows = [head]
    for row in range(len(tasks)):
        rows.append([shown[row], *(column.texts[row] for column in columns), cells[row]])
    always = random.random() < 0.2
    lines = [separator.join(_quoted(cell, separator, always) for cell in row) for row in rows]
    if random.random() < 0.1:
        lines.insert(0, "# exported, by somebody; on a day")
    text = str(random.choice(["\n", "\r\n"])).join(lines) + "\n"
    encoding = str(
        random.choice(["utf-8", "utf-8-sig", "utf-16", "cp1252"], p=[0.6, 0.15, 0.1, 0.15])
    )
    content = text.encode(encoding, errors="replace")
    options: dict[str, object] = {"task": "unit", "target": "outcome"}
    options["kinds"] = "regression" if is_number else None
    written = Written(content, options, tasks, target, is_number, columns)
    written.story = [encoding, repr(separator), *(column.name for column in columns)]
    if random.random() < 0.25:
        _damage(random, written)
    return written


def _quoted(cell: str, separator: str, always: bool) -> str:
    if always or separator in cell or '"' in cell or "\n" in cell:
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _damage(random: Random, written: Written) -> None:
    content = bytearray(written.content)
    for _ in range(int(random.integers(1, 6))):
        place = int(random.integers(len(content)))
        how = int(random.integers(4))
        if how == 0:
            content[place] = int(random.integers(256))
        elif how == 1:
            del content[place : place + int(random.integers(1, 200))]
        elif how == 2:
            content[place:place] = content[max(0, place - 100) : place]
        else:
            del content[place:]
        if not content:
            content = bytearray(b"x")
    written.content = bytes(content)
    written.is_damaged = True


# --- checks --------------------------------------------------------------------------------------


def faults_of(written: Written, path: Path) -> tuple[str, list[str]]:
    """What became of a table (read or refused), and what is wrong with that."""
    path.write_bytes(written.content)
    try:
        tasks = ss.read_table(path, **written.options)  # type: ignore[arg-type]
        look = tasks.look()
        str(look)
    except (ValueError, OSError) as error:
        long = "\n" in str(error).strip()
        return "refused", [f"an error of several lines: {error}"] if long else []
    except Exception as error:
        told = "".join(traceback.format_exception(error)[-3:])
        return "broken", [f"{type(error).__name__}: {told}"]
    if written.is_damaged:
        return "read", _split_faults(tasks)
    told = [*tasks.notes, *look.cautions, *look.notes]
    return "read", [
        *_task_faults(tasks, written),
        *_target_faults(tasks, written, told),
        *_column_faults(tasks, written, told),
        *_split_faults(tasks),
    ]


def _split_faults(tasks: TaskSet) -> list[str]:
    try:
        train, _, _ = tasks.split(seed=0)
        values = train.sources[0][train.rows[:5]]
        return [] if np.isfinite(np.asarray(values)).all() else ["features are not finite"]
    except ValueError as error:
        return ["an error of several lines"] if "\n" in str(error).strip() else []
    except Exception as error:
        return [f"split: {type(error).__name__}: {''.join(traceback.format_exception(error)[-3:])}"]


def _task_faults(tasks: TaskSet, written: Written) -> list[str]:
    expected = Counter(written.tasks)
    unlabelled = len(written.tasks) - int(tasks.n_examples.sum())
    found = dict(zip(tasks.names, tasks.n_examples.tolist(), strict=True))
    if set(found) != set(expected):
        return [f"tasks {sorted(map(str, found))} of {sorted(expected)}"]
    if unlabelled == 0 and found != dict(expected):
        return [f"rows of tasks {found} of {dict(expected)}"]
    return []


def _target_faults(tasks: TaskSet, written: Written, told: list[str]) -> list[str]:
    order = tasks.source_rows()
    if written.is_number:
        expected = np.asarray(written.target, dtype=float)[order]
        if len(order) < len(written.target) and not any("no label" in line for line in told):
            return ["labels are lost without a word"]
        wrong = ~np.isclose(tasks.targets, expected, rtol=1e-12, atol=0)
        return (
            [f"target {expected[wrong][0]} read as {tasks.targets[wrong][0]}"]
            if wrong.any()
            else []
        )
    classes = tasks.tasks[0].classes
    true = [written.target[row] for row in order]
    if not classes:
        numbers = [float(str(text)) for text in true]
        return (
            []
            if np.allclose(numbers, tasks.targets)
            else ["classes of digits read as other numbers"]
        )
    pairs = {(text, classes[int(code)]) for text, code in zip(true, tasks.targets, strict=True)}
    if len(pairs) != len({text for text, _ in pairs}) or len(pairs) != len(
        {code for _, code in pairs}
    ):
        return [f"classes are merged or split: {sorted(pairs)}"]
    lost = set(map(str, written.target)) - {text for text, _ in pairs}
    if lost and not any(repr(text)[1:-1] in line for line in told for text in lost):
        return [f"classes {lost} are lost without a word"]
    return []


def _column_faults(tasks: TaskSet, written: Written, told: list[str]) -> list[str]:
    table = tasks.sources[0]
    if not isinstance(table, EncodedColumns):
        return []
    reading_of = {reading.name: reading for reading in table.readings}
    faults = []
    for column in written.columns:
        reading = reading_of[column.name]
        is_told = any(repr(column.name) in line for line in told)
        if reading.kind not in column.kinds:
            shown = reading.kind in ("category", "many", "left out") and is_told
            if not shown:
                faults.append(
                    f"{column.name} {column.texts[:4]} read as {reading.kind} ({reading.why})"
                )
            continue
        if column.numbers is None or not reading.is_used:
            continue
        found = table.column(column.name)
        same = np.isclose(found, column.numbers, rtol=1e-12, atol=1e-9, equal_nan=True)
        if not same.all():
            row = int(np.argmin(same))
            true = f"{column.texts[row]!r} is {column.numbers[row]}"
            faults.append(f"{column.name}: {true}, read as {found[row]}")
    return faults


OPTIONS = (
    ["--drop", "plain"],
    ["--drop", "nothing"],
    ["--kind", "binary"],
    ["--kind", "outcome=regression"],
    ["--kind", "best"],
    ["--columns", "plain=category"],
    ["--columns", "plain=date"],
    ["--columns", "plain=colour"],
    ["--columns", "plain"],
    ["--columns", "=", "=number"],
    ["--group", "plain"],
    ["--group", "unit"],
    ["--split", "unit"],
    ["--positive", "yes"],
    ["--na=-", "--na=NA"],
    ["--na="],
    ["--decimal", ","],
    ["--decimal", "x"],
    ["--sep", ";"],
    ["--sep", ""],
    ["--encoding", "latin-1"],
    ["--encoding", "klingon"],
    ["--sheet", "first"],
    ["--task", "unit", "plain"],
    ["--target", "plain", "outcome"],
    ["--tasks", "2"],
    ["--image-size", "8"],
    ["--nonsense"],
    ["--config", "nowhere.toml"],
    ["\u2603"],
)


def command_faults(seed: int, path: Path) -> list[str]:
    """What is wrong with how ``softshare look`` ends on a table with options drawn at random."""
    random = np.random.default_rng([seed, 1])
    tokens = ["look", str(path), "--task", "unit", "--target", "outcome"]
    for place in random.integers(0, len(OPTIONS), int(random.integers(0, 4))):
        tokens += OPTIONS[place]
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main_of_commands(tokens)
    except SystemExit as end:
        if end.code == 0:
            return []
        lines = [line for line in said.getvalue().splitlines() if line.strip()]
        is_one = len(lines) == 1 and lines[0].startswith("softshare:")
        return [] if end.code == 2 and is_one else [f"{tokens[2:]} ended with {end.code}: {lines}"]
    except Exception as error:
        return [f"{tokens[2:]}: {''.join(traceback.format_exception(error)[-3:])}"]
    return [f"{tokens[2:]} did not end"]


def main() -> None:
    """Write, read and check; see above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    slowest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.first + arguments.number):
            begin = time.perf_counter()
            written = made(seed)
            outcome, wrong = faults_of(written, Path(folder, "odd.csv"))
            slowest = max(slowest, time.perf_counter() - begin)
            if seed % 4 == 0:
                wrong += command_faults(seed, Path(folder, "odd.csv"))
                outcomes["command lines"] += 1
            told = "damaged" if written.is_damaged else "odd"
            outcomes[f"{told}, {outcome}"] += 1
            faults += [f"seed {seed} ({', '.join(written.story)}): {fault}" for fault in wrong]
            if (seed - arguments.first) % 500 == 499:
                print(f"{seed + 1 - arguments.first:,} tables, {len(faults)} faults", flush=True)
    for fault in faults[:40]:
        print(fault)
    counted = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(outcomes.items()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{arguments.number:,} tables: {counted}; {len(faults)} faults")
    print(f"slowest {slowest:.2f} s, {peak:.2f} GiB at most")
    if faults:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
