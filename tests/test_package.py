"""The wheel, which ``pip install .`` makes: building one needs the package index, so only CI does
it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(
    "CI" not in os.environ,
    reason="builds a wheel, for which pip asks the package index: set CI=true",
)
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(pip, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("softshare-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    files = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "softshare").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {"softshare/__init__.pyi", "softshare/py.typed"} <= files
    assert files <= held
