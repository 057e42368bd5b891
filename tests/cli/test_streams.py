"""Standard streams that are closed, full, read no further, or know few characters."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import os, sys
from softshare.cli import app

def run(tokens):
    for _ in range(int(tokens[0])):
        print("gained −0.02 ± 0.01 · \\ud800é")
        print("progress …", file=sys.stderr)
    with open("result", "w") as file:
        file.write("kept")
        file.flush()
        os.write(2, b"said to nobody")
    return 0

app._run = run
app.main()
"""


def run(folder, redirection="", *, lines=1, encoding="utf-8"):
    """What a command that writes so many lines and one file leaves behind, run by a shell."""
    (folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    command = f"{sys.executable} script.py {lines} {redirection}"
    environment = os.environ | {
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=600,
        check=False,
    )


@pytest.mark.parametrize(("encoding", "line"), [
    ("utf-8", "gained −0.02 ± 0.01 · ?é"),
    ("ascii", "gained -0.02 +/- 0.01 - ??"),
    ("latin-1", "gained -0.02 ± 0.01 · ?é"),
])  # fmt: skip
def test_what_an_encoding_has_no_place_for_is_written_alike(tmp_path, encoding, line):
    done = run(tmp_path, encoding=encoding)
    assert done.returncode == 0
    assert done.stdout.decode(encoding) == f"{line}\n"


@pytest.mark.parametrize(
    "redirection", [">&-", "2>&-", ">&- 2>&- <&-", "| head -1", "2>&1 | head -1"]
)
def test_streams_that_are_closed_or_read_no_further_end_nothing(tmp_path, redirection):
    done = run(tmp_path, redirection, lines=5000)
    assert done.returncode == 0
    assert (tmp_path / "result").read_text() == "kept"
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_full_disk_under_the_output_is_one_line(tmp_path):
    done = run(tmp_path, "> /dev/full")
    assert done.returncode == 2
    told = b"softshare: cannot write the output (No space left on device)\n"
    assert done.stderr.endswith(told)
    assert done.stderr.count(b"cannot write") == 1
    assert b"Traceback" not in done.stderr
