"""Processes of a comparison killed at random.

``python -m benchmarks.kills [KILLS [SEED]]`` makes a small comparison in two worker processes again
and again, and kills in each the whole group of processes, the one that was started, one worker or
all of them: while they start, in a run, or while a file is being written. A comparison whose
workers alone were killed must end as if nothing had happened; of any other no process may be left,
and the same comparison must go on from there. Every time the folder must then hold what one that
nobody disturbed holds, times aside, with nothing left behind. 100 kills take 20 minutes on two
cores.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from softshare.evaluation.compare import compare
from softshare.evaluation.results_folder import LOCK
from softshare.tasks.task_set import TaskSet

GROUP, FIRST, ONE, ALL = "the group", "the first process", "one worker", "all workers"
START, RUN, WRITE = "at start", "in a run", "while writing"

WORKER = "softshare.evaluation.jobs.worker"
"""Stands in the command line of every worker process."""

OF_TIME = ("seconds", "cpu_seconds", "digest")
"""What differs from run to run: how long it took, and the digest of that too."""

SECONDS_TO_END = 15
MOST_SECONDS = 300


@dataclass(frozen=True)
class Kill:
    """Who is killed and when.

    Args:
        whom: one of the processes above.
        moment: while they start, in a run, or while a file is written.
        share: of the time of that moment that is waited first.
        choice: which worker, where it is one.
    """

    whom: str
    moment: str
    share: float
    choice: float


@dataclass(frozen=True)
class Pace:
    """Seconds of a comparison that nobody disturbs: to its first record, and from there to its
    end.
    """

    to_first: float
    to_end: float


def main(kills: int = 100, seed: int = 0) -> int:
    """Kill so often, or until Ctrl-C; returns the exit code."""
    tasks = _tasks()
    faults: list[str] = []
    made: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder, suppress(KeyboardInterrupt):
        place = Path(folder)
        # here, so that the processes that are forked from this one have everything imported
        _compared(tasks, place / "here", workers=0)
        expected = contents(place / "here")
        pace = _measured(tasks, place / "undisturbed")
        if contents(place / "undisturbed" / "out") != expected:
            faults.append("two processes give other results than none")
        for number, kill in enumerate(_kills(seed)):
            found = _trial(tasks, place / str(number), kill, pace, expected)
            if found is None:
                continue
            made[kill.whom, kill.moment] += 1
            faults += [f"{number}: {kill.whom} {kill.moment}: {fault}" for fault in found]
            print(f"{made.total()} kills, {kill.whom} {kill.moment}:", *found, file=sys.stderr)
            if made.total() == kills:
                break
    for (whom, moment), count in sorted(made.items()):
        print(f"{whom:18} {moment:14} {count:4} kills")
    print(f"{made.total()} kills, {len(faults)} faults", *faults, sep="\n")
    return bool(faults)


def _kills(seed: int) -> Iterator[Kill]:
    """Kills without end."""
    generator = random.Random(seed)
    while True:
        whom = generator.choice((GROUP, FIRST, ONE, ALL))
        moment = generator.choice((START, RUN, WRITE))
        yield Kill(whom, moment, generator.random(), generator.random())


def _trial(
    tasks: TaskSet,
    place: Path,
    kill: Kill,
    pace: Pace,
    expected: dict[str, Any],
) -> list[str] | None:
    """What was wrong after a kill; None where the moment for it never came."""
    driver = in_a_process(place, lambda out: _compared(tasks, out, workers=2))
    if not _moment_has_come(kill, pace, place / "out", driver):
        driver.wait()
        return None
    family = [driver, *alive(driver.children(recursive=True))]
    victims = _victims(kill, family)
    if not victims:
        driver.wait()
        return None
    for victim in victims:
        kill_process(victim)
    faults = []
    if kill.whom in (ONE, ALL):
        code = driver.wait(MOST_SECONDS)
        family = [each for each in family if each.pid != driver.pid]
        if code:
            faults.append(f"it did not survive: code {code}, {said_in(place)}")
    else:
        os.waitpid(driver.pid, 0)
        family = family[1:]
    _, left = psutil.wait_procs(family, timeout=SECONDS_TO_END)
    faults += [f"left behind: process {process.pid}" for process in left]
    again = in_a_process(place, lambda out: _compared(tasks, out, workers=0)).wait(MOST_SECONDS)
    if again:
        faults.append(f"it does not go on: code {again}, {said_in(place)}")
    found = contents(place / "out")
    different = [name for name in {*found, *expected} if found.get(name) != expected.get(name)]
    faults += [f"other than expected: {name}" for name in sorted(different)]
    faults += [f"left behind: {path}" for path in sorted((place / "tmp").iterdir())]
    return faults


def contents(out: Path) -> dict[str, Any]:
    """File → what it says, times aside; all files of a folder, hidden ones too."""
    found = {}
    for path in sorted(out.rglob("*")):
        if not path.is_file() or path.name == LOCK:
            continue
        said: Any = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            said = {name: value for name, value in json.loads(said).items() if name not in OF_TIME}
        found[str(path.relative_to(out))] = said
    return found


def _tasks() -> TaskSet:
    """Three tasks of sixty rows."""
    generator = np.random.default_rng(0)
    data = {}
    for name in ("north", "south", "west"):
        inputs = generator.normal(size=(60, 4))
        data[name] = (inputs, (inputs.sum(axis=1) > 0).astype(int))
    return TaskSet.from_arrays(data)


def _compared(tasks: TaskSet, out: Path, *, workers: int) -> None:
    compare(
        tasks,
        methods=["tied"],
        seeds=3,
        steps=30,
        hidden=[8],
        base="none",
        out=out,
        workers=workers,
        progress=False,
    )


def _measured(tasks: TaskSet, place: Path) -> Pace:
    begin = time.monotonic()
    driver = in_a_process(place, lambda out: _compared(tasks, out, workers=2))
    while not _records(place / "out"):
        time.sleep(0.01)
    first = time.monotonic()
    driver.wait()
    return Pace(first - begin, time.monotonic() - first)


def in_a_process(place: Path, work: Callable[[Path], None]) -> psutil.Process:
    """Some work in a group of processes of its own, that knows all modules from the beginning.

    Its folder is ``out``; what it says is in ``said``, and its temporary files are in ``tmp``.
    """
    (place / "tmp").mkdir(parents=True, exist_ok=True)
    child = os.fork()
    if child:
        return psutil.Process(child)
    code = 1
    try:
        os.setsid()
        os.environ["TMPDIR"] = str(place / "tmp")
        tempfile.tempdir = None
        os.dup2(os.open(place / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
        work(place / "out")
        code = 0
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(code)


def _moment_has_come(kill: Kill, pace: Pace, out: Path, driver: psutil.Process) -> bool:
    """Wait for the moment; False: the comparison ended before."""
    if kill.moment == START:
        time.sleep(kill.share * pace.to_first)
        return _is_running(driver)
    while not _records(out) and _is_running(driver):
        time.sleep(0.01)
    time.sleep(kill.share * pace.to_end)
    while kill.moment == WRITE and _is_running(driver):
        # no pause: a file is unfinished for a few milliseconds
        if any(name.startswith(".softshare-") for name in os.listdir(out / "records")):
            break
    return _is_running(driver)


def _victims(kill: Kill, family: list[psutil.Process]) -> list[psutil.Process]:
    if kill.whom == GROUP:
        return family
    if kill.whom == FIRST:
        return family[:1]
    workers = [process for process in family[1:] if WORKER in " ".join(_command(process))]
    if kill.whom == ALL or not workers:
        return workers
    return [workers[int(kill.choice * len(workers))]]


def _command(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return command


def kill_process(process: psutil.Process) -> None:
    """Kill a process, unless it has ended."""
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.Error:
        return


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended."""
    return [process for process in processes if _is_running(process)]


def _is_running(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _records(out: Path) -> list[Path]:
    return list((out / "records").glob("*.json"))


def said_in(place: Path) -> str:
    """What the processes in a place said."""
    return (place / "said").read_text(encoding="utf-8").strip()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
