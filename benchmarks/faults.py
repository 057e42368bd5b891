"""Faults at every file operation of a comparison.

``python -m benchmarks.faults`` makes a tiny comparison again and again, each time with one fault at
one of its operations on files: no room (once, and from then on), a failing disk, no right, and the
process killed or told to end, in the middle of what it writes. Each fault must end in one clear
line that names a file, or change nothing; after it the same comparison must give the same files,
byte for byte, with nothing left behind. It begins from an empty folder, and from one with a missing
record, a damaged split and what a killed process left. About 3 minutes on one core.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tiny_comparison import compared, files_in, remembered_runs, tasks
from softshare import files

OPERATIONS = (
    "open",
    "write",
    "fsync",
    "close",
    "replace",
    "mkdir",
    "unlink",
    "listdir",
    "stat",
)
"""Of the module ``os``; reading is one more, by ``io.open``."""

TAKES_ROOM = ("open", "write", "mkdir", "replace")

FAULTS: dict[str, int] = {
    "ENOSPC": errno.ENOSPC,
    "ENOSPC from then on": errno.ENOSPC,
    "EIO": errno.EIO,
    "EACCES": errno.EACCES,
    "SIGKILL": signal.SIGKILL,
    "SIGTERM": signal.SIGTERM,
}

Work = Callable[[Path], Any]


@dataclass(frozen=True)
class Ended:
    """How a process ended: what it said, or the signal that ended it."""

    told: str
    signal: int = 0


class Operations:
    """Counts the operations on files, and spoils one.

    Args:
        name: of the fault; None counts only.
        at: the number of the operation that is spoilt.
    """

    def __init__(self, name: str | None = None, at: int = -1) -> None:
        self._name, self._at = name, at
        self.count = 0

    def watch(self) -> None:
        """Take the place of the system's operations, in this process for good."""
        for name in OPERATIONS:
            setattr(os, name, self._spoilt(name, getattr(os, name)))
        setattr(io, "open", self._spoilt("read", io.open))  # noqa: B010

    def _spoilt(self, operation: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def done(*arguments: Any, **options: Any) -> Any:
            number = self.count
            self.count += 1
            lasts = self._name == "ENOSPC from then on" and operation in TAKES_ROOM
            if self._name and (number == self._at or (lasts and number > self._at)):
                self._spoil(operation, real, arguments)
            return real(*arguments, **options)

        return done

    def _spoil(self, operation: str, real: Callable[..., Any], arguments: Any) -> None:
        number = FAULTS[str(self._name)]
        if str(self._name).startswith("SIG"):
            if operation == "write":  # it ends in the middle
                handle, content = arguments
                real(handle, content[: len(content) // 2])
            os.kill(os.getpid(), number)
        if operation == "close":
            real(*arguments)  # an error of closing comes when the file is closed
        place = arguments[0] if arguments and not isinstance(arguments[0], int) else None
        raise OSError(number, os.strerror(number), None if place is None else str(place))


def in_a_process(work: Callable[[], str]) -> Ended:
    """What some work says, or how its process was ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        write, leave = os.write, os._exit
        try:
            told = work()
        except (OSError, ValueError) as error:
            told = f"line: {error}"
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        write(writing, json.dumps(told).encode())
        leave(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        told = stream.read()
    _, status = os.waitpid(child, 0)
    ended_by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return Ended(json.loads(told) if told else "", ended_by)


def count_of(work: Work, folder: Path) -> int:
    """Operations that some work needs in a folder."""

    def counted() -> str:
        operations = Operations()
        operations.watch()
        work(folder)
        return str(operations.count)

    return int(in_a_process(counted).told)


def wrong_with(
    work: Work,
    begin: Path,
    expected: dict[str, bytes],
    name: str,
    at: int,
) -> tuple[str, str]:
    """What became of one fault, in a word, and what is wrong with that: nothing is right."""
    with tempfile.TemporaryDirectory() as around:
        out = Path(around) / "out"
        shutil.copytree(begin, out)

        def spoilt() -> str:
            Operations(name, at).watch()
            work(out)
            return "done"

        ended = in_a_process(spoilt)
        wrong = _wrong_end(ended, name, out)
        again = in_a_process(lambda: work(out) and "done")
        if again.told != "done":
            return "", f"it does not go on: {again}"
        found = files_in(out)
        if found != expected:
            return "", f"other files than without the fault: {_differing(found, expected)}"
    word = "ended by the signal" if ended.signal else ended.told.split(":")[0]
    return word, wrong


def _differing(found: dict[str, bytes], expected: dict[str, bytes]) -> str:
    paths = sorted({*found, *expected})
    return ", ".join(path for path in paths if found.get(path) != expected.get(path))


def _wrong_end(ended: Ended, name: str, out: Path) -> str:
    if name.startswith("SIG"):
        return "" if ended.signal == FAULTS[name] else f"it lives on: {ended}"
    if ended.signal:
        return f"signal {ended.signal}"
    if ended.told == "done":
        return ""
    is_clear = ended.told.startswith("line: ") and "\n" not in ended.told
    return "" if is_clear and str(out) in ended.told else f"no clear line: {ended.told}"


def beginnings(whole: Path, around: Path) -> Iterator[tuple[str, Path]]:
    """Folders to begin from: an empty one, and one that was left in a bad state."""
    empty = around / "empty"
    empty.mkdir()
    yield "empty folder", empty
    left = around / "left"
    shutil.copytree(whole, left)
    next(iter(sorted((left / "records").iterdir()))).unlink()
    next(iter((left / "splits").iterdir())).write_text("{")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = files.unfinished_name().split("-")[1]
    (left / "records" / f".softshare-{host}-{ended.pid}-00000000.tmp").write_text("half")
    yield "folder of a killed comparison", left


def trial(work: Work, *, every: int = 1) -> tuple[Counter[str], list[str]]:
    """Every fault at every operation, or at some of them: how often it ended how, and what is
    wrong.
    """
    ends: Counter[str] = Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        around = Path(folder)
        whole = around / "whole"
        work(whole)
        expected = files_in(whole)
        for called, begin in beginnings(whole, around):
            tried = around / "counted"
            shutil.copytree(begin, tried)
            n_operations = count_of(work, tried)
            shutil.rmtree(tried)
            for name in FAULTS:
                for at in range(0, n_operations, every):
                    end, why = wrong_with(work, begin, expected, name, at)
                    ends[f"{called}, {name}: {end}"] += 1
                    if why:
                        wrong.append(f"{called}, {name} at operation {at}: {why}")
    return ends, wrong


def main() -> None:
    """Try all faults and print what came of them; the exit code is 1 where something is wrong."""
    begin = time.monotonic()
    data = tasks()
    with remembered_runs():
        ends, wrong = trial(lambda out: compared(data, out))
    for end, count in ends.items():
        print(f"{count:6,}  {end}")
    print("\n".join(wrong))
    seconds = time.monotonic() - begin
    print(f"{ends.total():,} faults, {len(wrong)} of them wrong, {seconds:.0f} s")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
