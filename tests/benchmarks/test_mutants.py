import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mutmut", reason="pip install 'softshare[mutation]'")

ROOT = Path(__file__).resolve().parents[2]

CODE = '''\
"""Numbers."""


def larger(first, second):
    """The larger of two."""
    return first if first > second else second


def halved(number):
    """Half of it."""
    return number / 2


def doubled(number):
    """Twice as much."""
    return number * 2
'''

TESTS = """\
from pathlib import Path

from softshare.training.numbers_of_tests import halved, larger


def test_larger_of_two():
    assert larger(1, 2) == larger(2, 1) == 2
    assert larger(True, 1) is 1


def test_halved_runs():
    halved(3)


def test_passes_once():
    halved(3)
    Path("passed").touch(exist_ok=False)
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What is written on a package of three functions: one is tested, one is only run."""
    root = tmp_path_factory.mktemp("repository")
    package, tests = root / "softshare" / "training", root / "tests" / "training"
    for folder in (package, tests, root / "benchmarks" / "mutants"):
        folder.mkdir(parents=True)
    (root / "softshare" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "numbers_of_tests.py").write_text(CODE)
    (tests / "test_numbers.py").write_text(TESTS)
    reasons = root / "benchmarks" / "mutants" / "reasons.json"
    reasons.write_text(json.dumps({}))
    program = (
        f"import sys; sys.path[:0] = [{str(root)!r}, {str(ROOT)!r}]\n"
        "from pathlib import Path\n"
        "from benchmarks.mutants.__main__ import measure\n"
        f"measure(Path({str(root)!r}), 100, [0], ['training'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return (root / "benchmarks" / "mutants.md").read_text()


def test_counts_the_mutants_that_a_test_sees(page):
    row = next(line for line in page.splitlines() if line.startswith("| training"))
    assert [cell.strip() for cell in row.split("|")][1:6] == ["training", "7", "0", "7", "3"]
    assert "failed 3, not reached 2, survived 2" in row


def test_a_function_that_is_tested_keeps_no_fault(page):
    assert "`larger`" not in page


def test_a_function_that_no_test_looks_at_keeps_its_faults(page):
    # A test that fails without the fault as well does not count as seeing it.
    assert "`halved`: `number / 2` → `number * 2` (survived)" in page
    assert "`doubled`: `number * 2` → `number / 2` (not reached)" in page
