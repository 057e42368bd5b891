"""Folders of models, tables and command lines that are damaged, exchanged or forged.

``python -m benchmarks.odd_models --number 10000`` (some 40 minutes on one core) keeps a few small
models, and then breaks them again and again: bytes that are changed, lost or doubled; files that
are missing, exchanged or of another model; JSON whose values were replaced by other ones and whose
digest was made anew, as a forger would; tables with other columns, cells and endings; command
lines with options that do not belong there. Each time a command uses the model, and must end

* with 0, or with 2 and one line that says what is wrong: never with a traceback;
* within ten seconds, and without a gigabyte more memory;
* with the same predictions, where nothing but a file's bytes was damaged and it was not refused.

It prints how many were refused and how many were answered, and every fault with the seed that makes
it again (``--first SEED --number 1``).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softshare import cli
from softshare.data.table import read_table
from softshare.evaluation.records.sealed import seal, unseal
from softshare.models.folder import MODEL
from softshare.models.learning import learn

SECONDS = 10
MEMORY = 1 << 30
"""Bytes more than before that a case may take."""

METHODS = {
    "pooled-ridge": "score",
    "forest": "passed",
    "mixed-model": "grade",
    "tensor-train": "score",
    "shared-plus-own": "passed",
    "auto": "score",
}
"""Method → the target that its model predicts."""

COMMANDS = ("predict", "evaluate", "inspect")


def main() -> int:
    """Break so many models, and tell what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        models = _models(home)
        counts: Counter[str] = Counter()
        slowest = 0.0
        for seed in range(given.first, given.first + given.number):
            begin = time.perf_counter()
            ended = broken(seed, home, models)
            slowest = max(slowest, time.perf_counter() - begin)
            counts[ended.partition(":")[0]] += 1
            if ended.startswith("fault"):
                print(f"seed {seed}: {ended}", flush=True)
            if seed % 1000 == 999:
                print(seed + 1 - given.first, dict(counts), flush=True)
    print(f"{sum(counts.values())} cases: {dict(counts)}; the slowest took {slowest:.1f} s")
    return 1 if counts["fault"] else 0


def broken(seed: int, home: Path, models: dict[str, str]) -> str:
    """One case: ``answered``, ``refused``, or ``fault: why``."""
    draw = random.Random(seed)
    name = draw.choice(list(models))
    folder = home / "broken"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(home / name, folder)
    table = home / "broken.csv"
    shutil.copy(home / "new.csv", table)
    harm = draw.choice(HARMS)
    harm(draw, home, folder, table)
    command = draw.choice(COMMANDS)
    tokens = [command, str(folder), *([] if command == "inspect" else [str(table)])]
    if harm is _options:
        tokens += _odd_options(draw)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        code, out, err = _run(tokens)
    except BaseException:
        return f"fault: {harm.__name__}, {command}: {traceback.format_exc()}"
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    if more > MEMORY:
        return f"fault: {harm.__name__}, {command}: {more >> 20} MiB more memory"
    if code == 2 and err.count("\n") == 1:
        return "refused"
    if code != 0:
        return f"fault: {harm.__name__}, {command}: exit {code}: {err}"
    if harm in (_bytes, _files) and command == "predict" and out != models[name]:
        return f"fault: {harm.__name__}: other predictions"
    return "answered"


# --- what is done to them ------------------------------------------------------------------------


def _bytes(draw: random.Random, home: Path, folder: Path, table: Path) -> None:
    """Bytes of a file changed, lost or doubled."""
    path = draw.choice(sorted(folder.iterdir()))
    content = bytearray(path.read_bytes())
    for _ in range(draw.choice((1, 1, 3, 30))):
        place = draw.randrange(len(content) or 1)
        kind = draw.randrange(4)
        if kind == 0 and content:
            content[place] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del content[place:]
        elif kind == 2:
            content[place:place] = content[place : place + draw.randrange(1, 50)]
        else:
            content[place : place + draw.randrange(1, 50)] = draw.randbytes(draw.randrange(40))
    path.write_bytes(bytes(content))


def _files(draw: random.Random, home: Path, folder: Path, table: Path) -> None:
    """Files missing, exchanged, of another model, or folders in their place."""
    path = draw.choice(sorted(folder.iterdir()))
    path.unlink()
    kind = draw.randrange(4)
    if kind == 1:
        other = draw.choice(sorted((home / draw.choice(list(METHODS))).iterdir()))
        shutil.copy(other, path)
    elif kind == 2:
        path.mkdir()
    elif kind == 3:
        path.symlink_to(draw.choice(("/dev/null", "/nowhere", str(path))))


def _forged(draw: random.Random, home: Path, folder: Path, table: Path) -> None:
    """Values of the JSON replaced by others, under a digest that fits."""
    content = unseal((folder / MODEL).read_bytes())
    for _ in range(draw.choice((1, 1, 1, 4))):
        places = list(_places(content))
        holder, key = draw.choice(places)
        if draw.random() < 0.2 and isinstance(holder, dict):
            del holder[key]
        else:
            holder[key] = _odd_value(draw, holder[key])
    with contextlib.suppress(ValueError):
        (folder / MODEL).write_text(seal(content))


def _places(content: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in JSON where a value stands."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in list(items):
        yield content, key
        if isinstance(value, dict | list):
            yield from _places(value)


def _odd_value(draw: random.Random, value: Any) -> Any:
    if isinstance(value, bool) or value is None or draw.random() < 0.4:
        odd = (None, True, 0, -1, 3, 1e9, 0.5, "", "x", "../x", [], {}, [1], {"a": 1}, [[]])
        return draw.choice((*odd, 10**12, "1e400", {"array": "x"}))
    if isinstance(value, int | float):
        return draw.choice((-value, value + 1, value * 1000, float(value), str(value), [value]))
    if isinstance(value, str):
        return draw.choice((value[:-1], value * 2, value.upper(), f"\x1b[31m{value}", [value]))
    if isinstance(value, list):
        return draw.choice((value[1:], value * 2, value[::-1], {"tuple": value}))
    return draw.choice(({}, list(value), dict(list(value.items())[1:]), {"of": value}))


def _table(draw: random.Random, home: Path, folder: Path, table: Path) -> None:
    """Tables with other columns and cells."""
    frame = pd.read_csv(table, dtype=str)
    kind = draw.randrange(7)
    if kind == 0:
        frame = frame.drop(columns=draw.choice(list(frame)))
    elif kind == 1:
        frame = frame.rename(columns={draw.choice(list(frame)): draw.choice(("", "x", " age"))})
    elif kind == 2:
        column = draw.choice(list(frame))
        odd = ("", "?", "1,5", "1e400", "-inf", "nan", "😀", "x" * 5000, "2021-02-30", "1_000")
        frame.loc[draw.randrange(len(frame)), column] = draw.choice(odd)
    elif kind == 3:
        frame = frame.iloc[: draw.choice((0, 1))]
    elif kind == 4:
        frame = frame.sample(frac=1, axis=1, random_state=draw.randrange(9))
    elif kind == 5:
        frame[draw.choice(list(frame))] = draw.choice(("", "1", "2021-01-01", "a,b"))
    if kind == 6:
        content = bytearray(table.read_bytes())
        for _ in range(draw.randrange(1, 30)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        table.write_bytes(bytes(content))
        return
    frame.to_csv(table, index=False, sep=draw.choice((",", ",", ";", "\t")))


def _options(draw: random.Random, home: Path, folder: Path, table: Path) -> None:
    """Nothing: the command line alone is odd."""


def _odd_options(draw: random.Random) -> list[str]:
    options = (
        ["--json"],
        ["--quiet"],
        ["--metric", "accuracy"],
        ["--metric", "voodoo"],
        ["--unknown-tasks", "refuse"],
        ["--unknown-tasks", "guess"],
        ["--keep", "age"],
        ["--keep", "nothing"],
        ["--sep", ";;"],
        ["--encoding", "klingon"],
        ["--sheet", "one"],
        ["--out", "/nowhere/told.csv"],
        ["--out", "told.doc"],
        ["--out", ""],
        ["--task", "school"],
        ["more.csv"],
        ["--config", "nothing.toml"],
        ["--json", "--json"],
        ["-x"],
        ["--"],
    )
    chosen = draw.sample(options, draw.randrange(1, 4))
    return [token for option in chosen for token in option]


HARMS: tuple[Callable[[random.Random, Path, Path, Path], None], ...] = (
    _bytes,
    _files,
    _forged,
    _forged,
    _table,
    _options,
)


# --- how they are made and used ------------------------------------------------------------------


def _models(home: Path) -> dict[str, str]:
    """Models under their methods' names, and what each predicts of ``new.csv``."""
    _pupils(0).to_csv(home / "pupils.csv", index=False)
    _pupils(1).to_csv(home / "new.csv", index=False)
    predictions = {}
    for method, target in METHODS.items():
        others = [name for name in ("score", "passed", "grade") if name != target]
        tasks = read_table(home / "pupils.csv", task="school", target=target, drop=others)
        preset = "quick" if method == "auto" else None
        model = learn(tasks, method=method, preset=preset, steps=10, hidden=(4,), base="none")
        model.save(home / method)
        predictions[method] = _run(["predict", str(home / method), str(home / "new.csv")])[1]
    return predictions


def _pupils(seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    n_rows = 60
    frame = pd.DataFrame({
        "school": np.repeat([f"school {number}" for number in range(5)], n_rows // 5),
        "age": draw.normal(12, 2, n_rows).round(1),
        "home": draw.choice(["town", "village"], n_rows),
        "seen": pd.date_range("2021-01-01", periods=n_rows).strftime("%Y-%m-%d"),
    })  # fmt: skip
    frame["score"] = (50 + 3 * frame["age"] + draw.normal(size=n_rows)).round(2)
    frame["passed"] = np.where(frame["score"] > frame["score"].median(), "yes", "no")
    frame["grade"] = pd.qcut(frame["score"], 3, labels=["low", "middle", "high"]).astype(str)
    frame.loc[::7, "age"] = np.nan
    return frame


def _run(tokens: list[str]) -> tuple[int, str, str]:
    """A command's exit code and what it wrote.

    Raises:
        BaseException: what it should not have raised; TimeoutError where it took too long.
    """
    out, err = io.StringIO(), io.StringIO()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main(tokens)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    finally:
        signal.alarm(0)
    return 0, out.getvalue(), err.getvalue()


def _too_long(number: int, frame: Any) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


if __name__ == "__main__":
    raise SystemExit(main())
