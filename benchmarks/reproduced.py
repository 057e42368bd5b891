"""An experiment killed at random moments ends with the same records.

``python -m benchmarks.reproduced [KILLS [SEED]]`` makes the quick runs of ``dmtrl/figure-2`` in two
worker processes, kills the whole group of processes at random moments so often, lets the same
command go on each time, and at last lets it end. Its folder must then hold what one holds that was
made in a single process and never disturbed: the same files, bit for bit but for times. 20 kills
take five minutes on two cores.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.kills import contents

NAME = "dmtrl/figure-2"
COMMAND = "from softshare.cli import main; main()"


def main(kills: int = 20, seed: int = 0) -> int:
    """Kill so often; returns the exit code."""
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        undisturbed, disturbed = Path(folder) / "undisturbed", Path(folder) / "disturbed"
        begin = time.monotonic()
        _started(undisturbed, workers=0).wait()
        longest = time.monotonic() - begin
        made = 0
        while made < kills:
            process = _started(disturbed, workers=2)
            # two processes take longer to start; a kill after the end is none
            time.sleep(generator.random() * 2 * longest)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                made += 1
                there = len(list(disturbed.glob("*/*.json")))
                print(f"{made} kills, {there} records and trials", file=sys.stderr)
            elif made < kills:
                _forget_some(disturbed, generator)
            process.wait()
        code = _started(disturbed, workers=2).wait()
        expected, found = contents(undisturbed), contents(disturbed)
    different = {name for name in {*expected, *found} if expected.get(name) != found.get(name)}
    print(f"{made} kills, code {code}, {len(expected)} files, {len(different)} differ")
    print(*sorted(different), sep="\n")
    return bool(different or code)


def _started(out: Path, *, workers: int) -> subprocess.Popen[bytes]:
    """The command, in a group of processes of its own."""
    arguments = ["reproduce", NAME, "--quick", "--quiet", "--out", out, "--workers", str(workers)]
    return subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], start_new_session=True)


def _forget_some(out: Path, generator: random.Random) -> None:
    """Delete half of the records, so that there is something to be killed again."""
    for path in sorted((out / "records").glob("*.json")):
        if generator.random() < 0.5:
            path.unlink()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
