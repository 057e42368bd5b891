"""Damaged records and splits: one line, or the same answer.

``python -m benchmarks.damage`` damages one to three files of a finished comparison, 5,000 times:
bits are turned, ends cut off or written twice, files exchanged, emptied or copied under another
name, fields changed, removed or added, whole blocks zeroed. Then the same comparison is asked for
again, and the split files are read. Each time there must be either one line that names a damaged
file, with the folder left as it was, or the very same records, with the splits made whole again.
About 5 minutes on one core; ``--trials`` makes fewer.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from cyclopts import App

from benchmarks.tiny_comparison import compared, files_in, remembered_runs, taken_up, tasks
from softshare.evaluation.records.records import Record
from softshare.evaluation.records.split_files import read_split
from softshare.tasks.task_set import TaskSet

Random = np.random.Generator
Damage = Callable[[list[Path], Random], str | None]
"""Damages one of these files; what it did to which, or None where it left all as they were."""

SEED = 20_260_102
WHOLE_EVERY = 25
"""The whole comparison is asked for in one trial of so many, in the others what it begins with: the
records. All else follows from these.
"""

ODD = (None, True, -1, 0, 7, 0.5, "", "odd", [], {}, [[]], 1e308, "\x1b[2J")
"""Values that a field may get in place of its own."""

app = App(name="damage", help=__doc__)


def turned_bits(paths: list[Path], random: Random) -> str:
    """Turn one to four bits."""
    path = _one_of(paths, random)
    content = bytearray(path.read_bytes())
    for _ in range(random.integers(1, 5)):
        place = int(random.integers(len(content)))
        content[place] ^= 1 << int(random.integers(8))
    path.write_bytes(content)
    return path.name


def cut(paths: list[Path], random: Random) -> str:
    """Cut the end off, perhaps all."""
    path = _one_of(paths, random)
    content = path.read_bytes()
    path.write_bytes(content[: int(random.integers(len(content)))])
    return path.name


def longer(paths: list[Path], random: Random) -> str:
    """Write some of the content once more."""
    path = _one_of(paths, random)
    content = path.read_bytes()
    place = int(random.integers(len(content)))
    path.write_bytes(content[:place] + content)
    return path.name


def zeroed(paths: list[Path], random: Random) -> str:
    """Zero a block, as a disk does that lost it."""
    path = _one_of(paths, random)
    content = bytearray(path.read_bytes())
    place = int(random.integers(len(content)))
    size = min(len(content) - place, int(random.integers(1, 513)))
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    return path.name


def exchanged(paths: list[Path], random: Random) -> str:
    """Exchange two files of a folder."""
    first = _one_of(paths, random)
    others = [path for path in paths if path.parent == first.parent and path != first]
    second = _one_of(others, random)
    contents = first.read_bytes(), second.read_bytes()
    second.write_bytes(contents[0])
    first.write_bytes(contents[1])
    return first.name


def replaced(paths: list[Path], random: Random) -> str:
    """Put one file in the place of another."""
    first, second = random.permutation(np.array(paths, dtype=object))[:2]
    second.write_bytes(first.read_bytes())
    return str(second.name)


def copied(paths: list[Path], random: Random) -> None:
    """Leave a copy under a name as sync clients give them."""
    path = _one_of(paths, random)
    names = (" (1).json", "-conflict.json", ".sync-conflict-20260101.json", " - Copy.json")
    copy = path.with_name(f"{path.stem}{_one_of(names, random)}")
    if random.integers(4) == 0:
        copy = path.with_name(f"._{path.name}")
    copy.write_bytes(path.read_bytes())


def changed_field(paths: list[Path], random: Random) -> str | None:
    """Change, remove or add a field, and leave the digest as it was."""
    path = _one_of(paths, random)
    try:
        content = json.loads(path.read_bytes())
    except ValueError:  # it was damaged before
        return None
    if not isinstance(content, dict) or not content:
        return None
    inner, key = _place_in(content, random)
    before = json.dumps(content)
    kind = int(random.integers(3))
    if kind == 0:
        del inner[key]
    elif kind == 1 and isinstance(inner, dict):
        inner[f"{key}2"] = inner[key]
    else:
        inner[key] = _other(inner[key], random)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path.name if json.dumps(content) != before else None


DAMAGES: tuple[Damage, ...] = (
    turned_bits,
    cut,
    longer,
    zeroed,
    exchanged,
    replaced,
    copied,
    changed_field,
    changed_field,
)


def wrong_with(
    data: TaskSet,
    whole: Path,
    random: Random,
) -> tuple[str, str]:
    """What came of one damage, in a word, and what is wrong with that: nothing is right."""
    expected = files_in(whole)
    with tempfile.TemporaryDirectory() as around:
        out = Path(around) / "out"
        shutil.copytree(whole, out)
        damaged = []
        for _ in range(random.integers(1, 4)):
            paths = [*(out / "records").glob("[!.]*-s?.json"), *(out / "splits").glob("?*.json")]
            damage = DAMAGES[random.integers(len(DAMAGES))]
            name = damage([path for path in sorted(paths) if path.stat().st_size], random)
            damaged += [name] if name else []
        before = files_in(out)
        ask = compared if random.integers(WHOLE_EVERY) == 0 else taken_up
        try:
            found = ask(data, out)
        except (ValueError, OSError) as error:
            return "refused", _wrong_refusal(str(error), damaged, before, files_in(out))
        except Exception as error:
            return "traceback", f"{type(error).__name__}: {error}"
        return "the same answer", _wrong_answer(found, data, out, expected)


def _wrong_refusal(
    told: str, damaged: list[str], before: dict[str, bytes], after: dict[str, bytes]
) -> str:
    if "\n" in told or "\x1b" in told:
        return f"no line: {told!r}"
    if not any(name in told for name in damaged):
        return f"of {damaged} none is named: {told}"
    return "" if before == after else "the folder was changed"


def _wrong_answer(
    found: Sequence[Record],
    data: TaskSet,
    out: Path,
    expected: dict[str, bytes],
) -> str:
    after = files_in(out)
    lost = [name for name in expected if after.get(name) != expected[name]]
    # a record may be laid out otherwise and say the same
    records = {record["key"]: record for record in found}
    changed = [name for name in lost if not name.startswith("records/")]
    for name in lost:
        if name.startswith("records/") and _content(after[name]) != _content(expected[name]):
            changed.append(name)
    if changed:
        return f"changed in silence: {', '.join(changed)}"
    for record in records.values():
        read_split(out / "splits" / f"{record['split']}.json", data)
    n_records = sum(name.startswith("records/") for name in expected)
    return "" if len(records) == n_records else f"{len(records)} records"


def _content(record: bytes) -> str:
    return json.dumps(json.loads(record), sort_keys=True)


def _one_of(values: Any, random: Random) -> Any:
    return values[int(random.integers(len(values)))]


def _place_in(content: Any, random: Random) -> tuple[Any, Any]:
    """A place somewhere in JSON: the object or list, and the key or number in it."""
    keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    key = _one_of(keys, random)
    if isinstance(content[key], dict | list) and content[key] and random.integers(4):
        return _place_in(content[key], random)
    return content, key


def _other(value: Any, random: Random) -> Any:
    """A value near by for a number, else any."""
    if isinstance(value, int | float) and not isinstance(value, bool) and random.integers(2):
        return value + _one_of((1, -1, 1e-9, 0.1), random)
    return _one_of(ODD, random)


def trial(data: TaskSet, whole: Path, n_trials: int) -> tuple[Counter[str], list[str]]:
    """So many damages: how often they ended how, and what is wrong."""
    ends: Counter[str] = Counter()
    wrong = []
    with suppress(KeyboardInterrupt):  # what was found until then is told
        for number in range(n_trials):
            end, why = wrong_with(data, whole, np.random.default_rng([SEED, number]))
            ends[end] += 1
            if why:
                wrong.append(f"trial {number}, {end}: {why}")
    return ends, wrong


@app.default
def main(*, trials: int = 5_000) -> None:
    """Make the trials and print what came of them; the exit code is 1 where something is wrong.

    Args:
        trials: how many.
    """
    begin = time.monotonic()
    data = tasks()
    with remembered_runs(), tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole"
        compared(data, whole)
        ends, wrong = trial(data, whole, trials)
    for end, count in ends.items():
        print(f"{count:6,}  {end}")
    print("\n".join(wrong))
    seconds = time.monotonic() - begin
    print(f"{ends.total():,} damages, {len(wrong)} of them wrong, {seconds:.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    app()
