"""The command in environments as machines, schedulers and people have them.

``python -m benchmarks.environments`` runs one small ``softshare compare`` in each of some fifty: no
home, no variables, few files, little memory, odd paths, closed streams, other encodings, a full
disk, no right to write, a folder that is gone. Each must give a result, or one line that says what
is wrong. About 6 minutes on two cores; ``--only WORD`` runs those with the word in their name, and
``--workers N`` gives the runs to so many processes instead of making them in one.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from cyclopts import App

ROOT = Path(__file__).resolve().parents[1]
COMMAND = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from softshare.cli import main; main()"
OPTIONS = (
    *("--task", "place", "--target", "y", "--methods", "tied", "--base", "none"),
    *("--seeds", "1", "--steps", "1", "--hidden", "2"),
)
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/capability.h
SECONDS = 900
GB = 1 << 30
MOST_SHOWN = 300

Change = Callable[[], Any]

app = App(name="environments", help=__doc__)


@dataclass(frozen=True)
class Environment:
    """Where a command runs.

    Args:
        name: in a few words.
        variables: that are set; None removes one.
        bare: whether all other variables are removed.
        before: is called in the new process before the command.
        stdout, stderr: a device in place of a stream.
        out: the folder for the results, in the folder of the trial.
        table: the name of the table there.
        cwd: where the command runs, likewise.
        make: is called with the folder of the trial before the process is started.
    """

    name: str
    variables: Mapping[str, str | None] = field(default_factory=dict)
    bare: bool = False
    before: Change | None = None
    stdout: str | None = None
    stderr: str | None = None
    out: str | bytes = "out"
    table: str | bytes = "table.csv"
    cwd: str = "."
    make: Callable[[Path], Any] | None = None


def limited(kind: int, most: int) -> Change:
    """A limit of the system."""
    return lambda: resource.setrlimit(kind, (most, most))


def closed(*streams: int) -> Change:
    """Standard streams that are not there."""
    return lambda: [os.close(stream) for stream in streams]


def as_owner_only() -> None:
    """As a user has it: the rights of a file hold for root too."""
    if sys.platform == "linux" and not os.geteuid():
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability)


def without_network() -> None:
    """Without any interface but one that is down, where the system lets us."""
    with suppress(OSError, AttributeError):
        os.unshare(os.CLONE_NEWNET)  # type: ignore[attr-defined]


def gone() -> None:
    """In a folder that does not exist any more."""
    os.rmdir(os.getcwd())


def strange_modules(folder: Path) -> None:
    """Files of the user's with names of the standard library's."""
    for name in ("signal", "random", "socket", "numpy", "torch", "pickle", "logging", "csv"):
        (folder / f"{name}.py").write_text("raise SystemExit('a file of this folder was run')")


def read_only(folder: Path) -> None:
    """A folder that nobody may write into."""
    (folder / "out").mkdir()
    (folder / "out").chmod(0o555)


def a_link(target: str) -> Callable[[Path], None]:
    """The folder for the results is a link."""

    def make(folder: Path) -> None:
        (folder / "elsewhere").mkdir()
        (folder / "out").symlink_to(folder / target)

    return make


PLAIN_TEXT = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

ENVIRONMENTS = (
    Environment("plain"),
    Environment("no HOME", {"HOME": None}),
    Environment("HOME that is not there", {"HOME": "/nonexistent"}),
    Environment("HOME that is a file", {"HOME": "/dev/null"}),
    Environment("empty environment", bare=True),
    Environment("no PATH", {"PATH": ""}),
    Environment("64 open files", before=limited(resource.RLIMIT_NOFILE, 64)),
    Environment("3 GB of addresses", before=limited(resource.RLIMIT_AS, 3 * GB)),
    Environment("2 GB of addresses", before=limited(resource.RLIMIT_AS, 2 * GB)),
    Environment("1 GB of addresses", before=limited(resource.RLIMIT_AS, GB)),
    Environment("files of 4 KB", before=limited(resource.RLIMIT_FSIZE, 4096)),
    Environment("files of 0 bytes", before=limited(resource.RLIMIT_FSIZE, 0)),
    Environment("stack of 512 KB", before=limited(resource.RLIMIT_STACK, 1 << 19)),
    Environment("no core files", before=limited(resource.RLIMIT_CORE, 0)),
    Environment("lowest priority", before=lambda: os.nice(19)),
    Environment("blanks in paths", out="a folder/of results", table="a table.csv"),
    Environment("other scripts in paths", out="ergebnisse-größe-東京", table="tabelle-ñ-表.csv"),
    Environment("line break in paths", out="a\nb", table="a\nb.csv"),
    Environment("escape sequence in paths", out="a\x1b[2Jb", table="a\x1b[31m.csv"),
    Environment("markup in paths", out="[red]", table="[bold]x.csv"),
    Environment("bytes that are no text in paths", out=b"a\xff", table=b"b\xff.csv"),
    Environment("long path", out="/".join(["x" * 200] * 8)),
    Environment("too long a name", out="x" * 300),
    Environment("too long a path", out="/".join(["x" * 200] * 30)),
    Environment("linked folder", make=a_link("elsewhere")),
    Environment("dangling link", make=a_link("nowhere")),
    Environment("link to itself", make=lambda folder: (folder / "out").symlink_to("out")),
    Environment("a file for a folder", make=lambda folder: (folder / "out").touch()),
    Environment("/dev/null for a folder", out="/dev/null"),
    Environment("read-only folder", before=as_owner_only, make=read_only),
    Environment("read-only file system", out="/proc/softshare"),
    Environment("closed stdin", before=closed(0)),
    Environment("closed stdout", before=closed(1)),
    Environment("closed stderr", before=closed(2)),
    Environment("all streams closed", before=closed(0, 1, 2)),
    Environment("full disk behind stdout", stdout="/dev/full"),
    Environment("full disk behind stderr", stderr="/dev/full"),
    Environment("LANG=C", {**PLAIN_TEXT, "LANG": "C", "LC_ALL": "C"}, table="tabelle-ñ.csv"),
    Environment("ASCII streams", {"PYTHONIOENCODING": "ascii"}, table="tabelle-ñ.csv"),
    Environment("cp1252 streams", {"PYTHONIOENCODING": "cp1252"}, table="tabelle-表.csv"),
    Environment("UTF-16 streams", {"PYTHONIOENCODING": "utf-16"}),
    Environment("a locale that is not there", {"LC_ALL": "xx_YY.cp437", "LANG": "xx"}),
    Environment("no TMPDIR", {"TMPDIR": "/nonexistent"}),
    Environment("TMPDIR that cannot be written", {"TMPDIR": "/proc"}),
    Environment("TERM=dumb", {"TERM": "dumb"}),
    Environment("TERM that is not known", {"TERM": "odd", "FORCE_COLOR": "1"}),
    Environment("one column", {"COLUMNS": "1", "LINES": "1"}),
    Environment("columns that are no number", {"COLUMNS": "many"}),
    Environment("umask 777", before=lambda: os.umask(0o777)),
    Environment("umask 777, not root", before=lambda: (os.umask(0o777), as_owner_only())),
    Environment("umask 077", before=lambda: os.umask(0o077)),
    Environment("folder that is gone", before=gone, cwd="inner"),
    Environment("folder of strange modules", make=strange_modules),
    Environment("no network", {"http_proxy": "http://127.0.0.1:9"}, before=without_network),
    Environment("odd time zone", {"TZ": "Nowhere/Odd"}),
    Environment("matplotlib's folder cannot be written", {"MPLCONFIGDIR": "/proc/x"}),
    Environment("another drawing library", {"MPLBACKEND": "tkagg"}),
    Environment("cache folder cannot be written", {"SOFTSHARE_CACHE": "/proc/x"}),
    Environment("optimised", {"PYTHONOPTIMIZE": "2", "PYTHONHASHSEED": "7"}),
    Environment("warnings shown", {"PYTHONWARNINGS": "always"}),
    Environment("signals ignored", before=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)),
)


def write_table(path: Path) -> None:
    """Three places of twenty rows."""
    rows = [f"{row % 7},{'abc'[row % 3]},{row // 3 % 2}" for row in range(60)]
    path.write_text("\n".join(["x,place,y", *rows]), encoding="utf-8")


def run_in(environment: Environment, folder: Path, workers: int) -> tuple[int, str, str]:
    """The exit code of the command, and what it wrote."""
    folder.chmod(0o777)
    (folder / "inner").mkdir()
    table = folder / os.fsdecode(environment.table)
    write_table(table)
    out = folder / os.fsdecode(environment.out)
    if environment.make is not None:
        environment.make(folder)
    command = [sys.executable, "-P", "-c", COMMAND, "compare", str(table), *OPTIONS]
    with _opened(environment.stdout) as stdout, _opened(environment.stderr) as stderr:
        ended = subprocess.run(
            [*command, "--workers", str(workers), "--out", str(out)],
            stdin=subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=stderr or subprocess.PIPE,
            env=_variables(environment),
            cwd=folder / environment.cwd,
            preexec_fn=environment.before,
            timeout=SECONDS,
        )
    texts = [
        (written or b"").decode("utf-8", "replace") for written in (ended.stdout, ended.stderr)
    ]
    return ended.returncode, texts[0], texts[1]


def wrong_with(code: int, stdout: str, stderr: str) -> str:
    """What is wrong with how a command ended: nothing is right."""
    shown = f"{stdout}{stderr}"
    if code < 0:
        return f"ended by signal {-code}"
    for mark in ("Traceback", "Exception ignored", "Error in sys.", "Warning:"):
        if mark in shown:
            last = stderr.strip().splitlines()[-1:]
            return f"{mark} in what it says, with exit code {code}: {' '.join(last)}"
    lines = [line for line in stderr.splitlines() if line and not line.startswith("[")]
    if code and len(lines) > 1:
        return f"{len(lines)} lines with exit code {code}: {lines[0]}"
    return ""


def _opened(device: str | None) -> AbstractContextManager[IO[bytes] | None]:
    """A device in place of a stream, or None for a pipe."""
    return Path(device).open("wb") if device else nullcontext()


def _variables(environment: Environment) -> dict[str, str]:
    variables = {} if environment.bare else dict(os.environ)
    for name, value in environment.variables.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    return variables


def tried(environment: Environment, workers: int) -> tuple[bool, str]:
    """Whether the command ended well in an environment, and how."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            code, stdout, stderr = run_in(environment, Path(folder).resolve(), workers)
            wrong = wrong_with(code, stdout, stderr)
        except subprocess.TimeoutExpired:
            code, stderr, wrong = -1, "", f"no end after {SECONDS} s"
    told = wrong or ("a result" if not code else stderr.strip() or f"exit code {code}")
    if len(told) > MOST_SHOWN:
        told = f"{told[: MOST_SHOWN // 2]}…{told[-MOST_SHOWN // 2 :]}"
    mark = "WRONG " if wrong else ""
    seconds = time.monotonic() - begin
    return not wrong, f"{environment.name}: {mark}{told!r} ({seconds:.0f} s)"


@app.default
def main(*, only: str = "", workers: int = 0, at_a_time: int = 1) -> None:
    """Run them all and say how each ended; the exit code is 1 where one ended wrongly.

    Args:
        only: a word in the names of those to run.
        workers: processes for the runs.
        at_a_time: so many commands side by side.
    """
    chosen = [environment for environment in ENVIRONMENTS if only in environment.name]
    n_wrong = 0
    with ThreadPoolExecutor(at_a_time) as threads:
        for is_well, line in threads.map(partial(tried, workers=workers), chosen):
            n_wrong += not is_well
            print(line, flush=True)
    print(f"{len(chosen)} environments, {n_wrong} of them ended wrongly")
    sys.exit(bool(n_wrong))


if __name__ == "__main__":
    app()
