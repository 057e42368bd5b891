"""The command line: arguments in, one comparison and one answer out; what is wrong in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from softshare import cli
from softshare.cli import comparing
from softshare.cli.compare import Training
from softshare.methods import settings as defaults
from softshare.methods.named import METHODS
from softshare.tasks.task_set import TaskSet
from tests.evaluation import stub_run


@pytest.fixture
def table(tmp_path):
    """Visits of two hospitals, in a folder of their own that is the working directory."""
    random = np.random.default_rng(0)
    rows = 120
    frame = pd.DataFrame({
        "hospital": np.repeat(["north", "south"], rows // 2),
        "age": random.normal(60, 10, rows),
        "patient": np.arange(rows) // 2,
        "readmitted": np.arange(rows) % 2,
        "pain": np.arange(rows) // 2 % 2,
        "days": random.normal(5, 1, rows),
    })  # fmt: skip
    frame.to_csv(tmp_path / "visits.csv", index=False)
    return frame


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def ran(monkeypatch):
    """Task sets and settings of the runs made; nothing is trained."""
    made = []

    def run(tasks, settings, split, method=None):
        made.append((tasks, settings))
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    return made


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Only tests that look at the report, and say so by ``report``, take the time to draw it."""
    if "report" not in request.fixturenames:
        monkeypatch.setattr(comparing, "write_report", lambda out, **_: out / "report.html")
        monkeypatch.setattr(comparing, "markdown_of", lambda findings: "")


@pytest.fixture
def report(tmp_path):
    """Where the report of a comparison is written that is given no name by the user."""
    return tmp_path / "softshare-results" / "visits-readmitted" / "report.html"


def call(line: str, capsys) -> tuple[int, str, str]:
    """Exit code, output and errors of a command line."""
    with pytest.raises(SystemExit) as left:
        cli.main(line.split())
    out, err = capsys.readouterr()
    return left.value.code, out, err


def test_a_table_is_compared_and_reported(table, ran, capsys, report):
    code, out, err = call(
        "compare visits.csv --task hospital --target readmitted --methods tied --seeds 2 "
        "--workers 0",
        capsys,
    )
    assert code == 0
    assert [tasks.names for tasks, _ in ran[:1]] == [("north", "south")]
    assert [settings.key for _, settings in ran] == [
        "independent-f1-s0",
        "tied-f1-s0",
        "independent-f1-s1",
        "tied-f1-s1",
    ]
    lines = out.splitlines()
    assert lines[0].startswith("Two seeds show a direction, no more: tied gains ")
    assert [
        line.split()[0] for line in lines if line.strip().startswith(("tied", "independent"))
    ] == ["tied", "independent"]
    assert lines[-2:] == [
        "report:  softshare-results/visits-readmitted/report.html",
        "summary: softshare-results/visits-readmitted/summary.csv",
    ]
    assert report.stat().st_size > 1000
    assert [line.split("] ")[1].split(":")[0] for line in err.splitlines()] == [
        settings.key for _, settings in ran
    ]
    assert "\x1b" not in out + err


def test_run_again_nothing_is_trained_and_no_file_changes(table, ran, capsys, report):
    line = (
        "compare visits.csv --target readmitted --drop hospital patient --methods tied "
        "--seeds 2 --workers 0"
    )
    assert call(line, capsys)[0] == 0
    before = files_in(report.parent)
    assert report in before
    ran.clear()
    code, out, err = call(line, capsys)
    assert (code, err, ran) == (0, "", [])
    assert out.startswith("Two seeds show a direction")
    assert files_in(report.parent) == before


def files_in(folder):
    """What they hold, and when they were written."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def test_options_reach_the_runs(table, ran, capsys):
    line = (
        "compare visits.csv --target readmitted days --kind readmitted=binary "
        "days=regression --drop hospital --group patient "
        "--methods tucker --train-fraction 0.5 1 --seeds 1 --steps 7 --hidden 8 4 "
        "--batch-size 5 --learning-rate 0.01 --weight-decay 0 "
        "--metric loss --workers 0"
    )
    code, _, err = call(line, capsys)
    assert code == 0, err
    tasks, settings = ran[-1]
    assert [(task.name, task.kind) for task in tasks.tasks] == [
        ("readmitted", "binary"),
        ("days", "regression"),
    ]
    assert {settings.fraction for _, settings in ran} == {0.5, 1.0}
    assert (settings.source, settings.method, settings.steps, settings.hidden) == (
        "visits.csv",
        "tucker",
        7,
        (8, 4),
    )
    assert (
        settings.batch_size,
        settings.learning_rate,
        settings.weight_decay,
        settings.metric,
    ) == (5, 0.01, 0, "loss")
    assert all(groups is not None for groups in tasks.groups)


def test_methods_options_reach_their_runs_and_the_reports_command(table, ran, capsys, report):
    given = "--option tensor-ring.shared=cv tensor-ring.cores=2 tucker.ranks=0.5"
    line = (
        "compare visits.csv --target readmitted --methods tensor-ring tucker --seeds 1 "
        f"--workers 0 {given}"
    )
    assert call(line, capsys)[0] == 0
    assert {settings.method: dict(settings.method_options) for _, settings in ran} == {
        "independent": {},
        "tensor-ring": {"shared": "cv", "cores": 2},
        "tucker": {"ranks": 0.5},
    }
    assert given in report.read_text()


def test_digits_are_compared_at_a_tenth_of_their_training_part(ran, capsys):
    assert call("compare digits --methods tied --seeds 1 --workers 0", capsys)[0] == 0
    assert {settings.fraction for _, settings in ran} == {0.1}


def test_small_tasks_are_dropped_when_asked(table, ran, capsys):
    pd.concat([table, table.iloc[:1].assign(hospital="tiny")]).to_csv("visits.csv", index=False)
    line = (
        "compare visits.csv --task hospital --target readmitted --methods tied --seeds 1 "
        "--workers 0"
    )
    code, _, err = call(line, capsys)
    assert code == 2
    assert "tiny" in err
    assert "--drop-small-tasks" in err
    assert call(f"{line} --drop-small-tasks", capsys)[0] == 0
    assert ran[0][0].names == ("north", "south")


def test_tasks_too_small_for_the_share_that_trains_are_dropped_when_asked(
    table, ran, capsys, monkeypatch
):
    tasks = TaskSet.from_task_column(
        table[["age"]], table["readmitted"], np.repeat(["large", "small"], [100, 20])
    )
    monkeypatch.setattr(
        "softshare.cli.reading.load", lambda *_, **__: replace(tasks, train_fraction_of_all=True)
    )
    line = "compare digits --train-fraction 0.5 0.04 --methods tied --seeds 1 --workers 0"
    code, _, err = call(line, capsys)
    assert code == 2
    assert (
        "1 task(s) too small to be split: 'small' (20 rows); a task needs at least 25 rows" in err
    )
    assert call(f"{line} --drop-small-tasks", capsys)[0] == 0
    assert {tasks.names for tasks, _ in ran} == {("large",)}


def test_a_share_that_leaves_nothing_to_judge_by_is_told_by_its_option(table, capsys, monkeypatch):
    tasks = TaskSet.from_task_column(table[["age"]], table["readmitted"], table["hospital"])
    monkeypatch.setattr(
        "softshare.cli.reading.load", lambda *_, **__: replace(tasks, train_fraction_of_all=True)
    )
    code, _, err = call("compare digits --train-fraction 1 --workers 0", capsys)
    assert code == 2
    assert err.startswith("softshare: --train-fraction: here it is a fraction of all examples")


@pytest.mark.parametrize(("line", "phrases"), [
    ("compare", ["SOURCE"]),
    ("compar digits", ["compar", "Did you mean", "compare"]),
    ("compare digits --sedes 3", ["--sedes", "Did you mean", "--seeds"]),
    ("compare digits --steps many", ["--steps", "many"]),
    ("compare digits extra", ["extra"]),
    ("compare digit", ["'digit'", "digits"]),
    ("compare visits.csv --target redmitted", ["'redmitted'", "readmitted"]),
    ("compare nowhere.csv --target y", ["nowhere.csv"]),
    ("compare visits.csv", ["--target"]),
    ("compare visits.csv --target readmitted --kind odd", ["odd"]),
    ("compare visits.csv --target readmitted pain --kind odd binary", ["--kind", "odd"]),
    ("compare digits --methods tuckr", ["--methods: no method 'tuckr', did you mean tucker?"]),
    ("compare digits --methods pooled", ["pooled cannot apply", "same rows"]),
    ("compare digits --train-fraction 0 2", ["--train-fraction: ", "got 0.0", "got 2.0"]),
    ("compare . --image-size 0", ["--image-size: must be"]),
    ("compare digits --tasks 11", ["--tasks: there are 10"]),
    ("compare visits.csv --target readmitted --split hospital",
     ["--split: column 'hospital' must say train"]),
    ("compare digits --seeds 0", ["--seeds: "]),
    ("compare digits --option tucker.rank=3 tucker",
     ["--option: tucker: no option 'rank', did you mean", "expected METHOD."]),
    ("compare digits --option tensor-ring.shared=cv",
     ["--option: tensor-ring is not among the methods that are compared"]),
    ("compare digits --search -1", ["--search: "]),
    ("compare digits --metric rmse", ["rmse", "binary", "roc_auc"]),
    ("methods --verbose", ["--verbose"]),
])  # fmt: skip
def test_what_is_wrong_is_told_in_one_line_with_exit_code_2(
    line, phrases, table, ran, capsys, tmp_path
):
    code, out, err = call(line, capsys)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert err.startswith("softshare: ")
    assert [phrase for phrase in phrases if phrase not in err] == []
    assert ran == []
    assert [path.name for path in tmp_path.iterdir()] == ["visits.csv"]


def test_all_that_is_wrong_is_told_together(table, capsys):
    line = (
        "compare visits.csv --target redmitted --sedes 3 --steps many --batch-size=x --methods "
        "tuckr --train-fraction 2 --workers -1"
    )
    code, _, err = call(line, capsys)
    assert code == 2
    for phrase in (
        "--sedes",
        "--steps",
        "--batch-size",
        "'tuckr'",
        "--train-fraction: ",
        "--workers: ",
        "'redmitted'",
    ):
        assert phrase in err
    assert err.count("\n") == 1


def test_results_of_other_settings_are_kept(table, ran, capsys):
    line = (
        "compare visits.csv --target readmitted --drop hospital --methods tied --seeds 1 "
        "--workers 0"
    )
    assert call(f"{line} --steps 5", capsys)[0] == 0
    code, _, err = call(f"{line} --steps 6", capsys)
    assert code == 2
    assert "steps was 5 and is 6" in err
    assert "--out" in err


def test_failed_runs_are_told_and_the_others_reported(table, monkeypatch, capsys):
    def run(tasks, settings, split, method=None):
        if settings.key == "tied-f1-s1":
            raise ZeroDivisionError("made by the test")
        return stub_run.run(tasks, settings, split)

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    code, out, err = call(
        "compare visits.csv --target readmitted --methods tied --seeds 3 --workers 0", capsys
    )
    assert code == 1
    assert "softshare: tied-f1-s1 failed: ZeroDivisionError: made by the test" in err
    assert "Traceback" in err
    assert out.startswith("Two seeds show a direction")


@pytest.mark.parametrize(
    "diverging",
    [
        {"tied-f1-s1"},
        {f"{method}-f1-s{seed}" for method in ("independent", "tied") for seed in range(3)},
    ],
)
def test_diverged_runs_are_told_by_task_and_step(diverging, table, monkeypatch, capsys):
    told = "the loss of task 'pain' became nan at step 12"

    def run(tasks, settings, split, method=None):
        record = stub_run.run(tasks, settings, split)
        return (
            record | {"metrics": {}, "parameters": None, "curve": [], "error": told}
            if settings.key in diverging
            else record
        )

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    code, out, err = call(
        "compare visits.csv --target readmitted pain --methods tied --seeds 3 --workers 0", capsys
    )
    if len(diverging) == 1:
        assert code == 0
        assert f"1 of 6 runs diverged and are left out: tied-f1-s1 ({told})" in out
    else:
        assert (code, out) == (2, "")
        assert (
            err.splitlines()[-1]
            == f"softshare: every run diverged: {told}; try a smaller --learning-rate"
        )


def test_an_interrupt_is_no_traceback(monkeypatch, capsys):
    def run(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("softshare.evaluation.compare.run", run)
    code, _, err = call("compare digits --workers 0", capsys)
    assert code == 130
    assert (
        err.splitlines()[-1]
        == "softshare: interrupted; finished runs are kept, and the same command goes on from there"
    )


def test_what_nobody_expected_keeps_its_traceback(monkeypatch):
    def load(*_, **__):
        raise ZeroDivisionError("made by the test")

    monkeypatch.setattr("softshare.cli.reading.load", load)
    with pytest.raises(ZeroDivisionError, match="made by the test"):
        cli.main(["compare", "digits"])


@pytest.mark.parametrize(
    "error", [MemoryError(), ImportError("libtorch.so: failed to map segment from shared object")]
)
def test_a_machine_without_memory_is_told_in_one_line(error, monkeypatch, capsys):
    def run(tokens):
        raise error

    monkeypatch.setattr("softshare.cli.app._run", run)
    code, _, err = call("compare digits", capsys)
    assert code == 2
    assert err.startswith("softshare: there is not enough memory here (")
    assert err.count("\n") == 1


def test_methods_has_a_line_for_each(capsys):
    code, out, err = call("methods", capsys)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == [method.name for method in METHODS]
    for line, method in zip(out.splitlines(), METHODS, strict=True):
        assert method.shares in line
        assert line.endswith(method.paper)


def test_the_help_tells_the_defaults_that_are_in_force():
    told = " ".join((Training.__doc__ or "").split())
    vectors, images, large = defaults.BUDGETS.values()
    for value in (
        f"{vectors['steps']}, on large images {large['steps']}",
        " ".join(map(str, defaults.HIDDEN)),
        f"{vectors['batch_size']}, of images {images['batch_size']}",
        f"{defaults.LEARNING_RATE:g}",
        f"{defaults.WEIGHT_DECAY['vector']:g}, of images {defaults.WEIGHT_DECAY['image']:g}",
        f"{defaults.DROPOUT['vector']:g}, of images {defaults.DROPOUT['image']:g}",
    ):
        assert f"by default {value}." in told


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "softshare", *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_the_program_tells_its_version():
    from softshare import __version__

    done = started("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_help_imports_nothing_heavy():
    code = """
import sys
from softshare.cli import main
try:
    main(["compare", "--help"])
except SystemExit:
    slow = {"torch", "pandas", "numpy", "sklearn", "scipy", "matplotlib", "distributed", "pydantic"}
    print("heavy:", sorted(slow & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True
    )
    assert "--train-fraction" in done.stdout
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_the_program_leaves_with_code_2_and_one_line():
    done = started("compare")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("softshare: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="a folder in use cannot be deleted")
def test_a_current_folder_that_is_gone_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    code, out, err = call("methods", capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "the current folder cannot be used (No such file or directory); change to another" in err
