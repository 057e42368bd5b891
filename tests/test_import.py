"""What importing softshare imports: measured by the modules that are loaded, never by time."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from importlib.resources import files

import pytest

import softshare

SLOW = {"torch", "pandas", "scipy", "sklearn", "matplotlib", "distributed", "dask"}
"""What takes long to import, and has no part in answering ``softshare --help``."""


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running some code."""
    script = f"""{code}
import sys
print("\\nLOADED", *{{name.partition(".")[0] for name in sys.modules}})
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_the_package_alone_imports_nothing_slow() -> None:
    assert not loaded_by("import softshare") & (SLOW | {"numpy", "cyclopts"})


def test_a_public_name_imports_what_it_needs() -> None:
    assert "torch" in loaded_by("import softshare; softshare.Tied")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["compare", "--help"], ["methods", "--help"], ["--version"]]
)
def test_the_command_lines_help_imports_nothing_slow(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['softshare', *{arguments}]\nfrom softshare.cli import "
        "main\ntry: main()\nexcept SystemExit: pass"
    )
    assert not loaded_by(code) & SLOW


def test_the_report_needs_no_torch() -> None:
    modules = [
        f"softshare.report.{module.name}"
        for module in pkgutil.iter_modules([str(files("softshare.report"))])
    ]
    assert modules
    assert "torch" not in loaded_by(f"import {', '.join(modules)}")


@pytest.mark.parametrize("name", softshare.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(softshare, name) is not None


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Tucked"):
        softshare.Tucked  # noqa: B018 - the access is what is tested
