"""What the machine has, as the command line finds it."""

from __future__ import annotations

import os
import subprocess
import sys

from softshare.cli.app import ENVIRONMENT
from softshare.evaluation.jobs.machine import default_workers

TELL = "from softshare.evaluation.jobs.machine import default_workers as d; print(d())"


def test_the_command_line_has_as_many_workers_as_python() -> None:
    """Its environment keeps joblib from starting processes, and so from counting CPUs."""
    command = [sys.executable, "-c", TELL]
    told = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, check=True)
    assert int(told.stdout) == default_workers()
