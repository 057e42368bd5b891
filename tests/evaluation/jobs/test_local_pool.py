"""Jobs run apart: none is lost, none disturbs another, and nobody else can enter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import torch

from softshare.evaluation.jobs.contract import AtWorkers
from softshare.evaluation.jobs.engine import open_engine
from softshare.evaluation.jobs.local_pool import LocalPool
from softshare.evaluation.jobs.worker_process import PROCESS_ENVIRONMENT
from softshare.tasks.arguments import ArgumentError
from tests.evaluation.jobs import work_of_tests


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """No waiting between starts that fail."""
    monkeypatch.setattr("softshare.evaluation.jobs.minder.SECONDS_BETWEEN_STARTS", 0)


def pool_of(work, shared, *, workers):
    """Processes that import no PyTorch, and are there at once."""
    return LocalPool(AtWorkers(work_of_tests.prepared, work, shared), workers=workers)


def outcomes_of(work, shared, jobs, *, workers=2):
    with pool_of(work, shared, workers=workers) as pool:
        return {outcome.key: outcome for outcome in pool.outcomes(jobs)}


def test_a_job_that_raises_is_told_by_its_key_and_loses_no_other():
    jobs = {"a": 1, "bad": "raise", "b": 2, "c": 3}
    outcomes = outcomes_of(work_of_tests.double, {"factor": 10}, jobs)
    results = {key: outcome.result[0] for key, outcome in outcomes.items() if not outcome.error}
    assert results == {"a": 10, "b": 20, "c": 30}
    assert isinstance(outcomes["bad"].error, ZeroDivisionError)
    assert str(outcomes["bad"].error) == "job of the test"
    (note,) = outcomes["bad"].error.__notes__
    assert "in double" in note


def test_an_exception_that_cannot_be_sent_comes_as_one_that_says_the_same():
    outcome = outcomes_of(work_of_tests.odd_error, None, {"odd": None}, workers=1)["odd"]
    assert isinstance(outcome.error, RuntimeError)
    assert "OddError: ('odd'" in str(outcome.error)


def threads_of_process(shared, job):
    return torch.get_num_threads()


def test_processes_compute_on_one_thread():
    with open_engine(threads_of_process, None, workers=1) as engine:
        (outcome,) = engine.outcomes({"one": 1})
    assert outcome.result == 1


def test_jobs_run_in_other_processes_again_and_again():
    with pool_of(work_of_tests.double, {"factor": 1}, workers=2) as pool:
        assert pool.capacity == 2
        jobs = {str(job): job for job in range(8)}
        for _ in range(2):
            results = [outcome.result for outcome in pool.outcomes(jobs)]
            assert sorted(result for result, _ in results) == list(range(8))
            assert os.getpid() not in {process for _, process in results}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_job_of_a_killed_process_is_taken_up_by_another(tmp_path, workers, capfd):
    jobs = {str(job): job for job in range(8)}
    outcomes = outcomes_of(work_of_tests.die_once, tmp_path, jobs, workers=workers)
    assert [outcome.error for outcome in outcomes.values()] == [None] * 8
    assert sorted(outcome.result[0] for outcome in outcomes.values()) == list(range(8))
    assert len(list(tmp_path.glob("3-*"))) == 2
    assert capfd.readouterr() == ("", "")


def test_a_process_that_dies_while_it_has_nothing_to_do_costs_nothing():
    with pool_of(work_of_tests.double, {"factor": 1}, workers=1) as pool:
        (first,) = pool.outcomes({"a": 1})
        psutil.Process(first.result[1]).kill()
        (second,) = pool.outcomes({"b": 2})
    assert second.result[0] == 2
    assert second.result[1] != first.result[1]


def test_jobs_that_nobody_waits_for_are_not_done(tmp_path):
    with pool_of(work_of_tests.leave_a_file, tmp_path, workers=1) as pool:
        for _ in pool.outcomes({str(job): job for job in range(100)}):
            break
        (outcome,) = pool.outcomes({"last": 100})
    assert outcome.result == 100
    assert len(list(tmp_path.iterdir())) < 100


def test_processes_keep_their_memory_and_this_one_keeps_its_environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", *sys.path]))
    before = dict(os.environ)
    outcome = outcomes_of(work_of_tests.environment, None, {"job": None}, workers=1)["job"]
    assert PROCESS_ENVIRONMENT.items() <= outcome.result.items()
    assert "" not in outcome.result["PYTHONPATH"].split(os.pathsep)
    assert dict(os.environ) == before


def test_a_job_that_kills_every_process_is_given_up(monkeypatch, capfd):
    monkeypatch.setattr("softshare.evaluation.jobs.local_pool.MOST_DEATHS", 2)
    jobs = {"deadly": "deadly", "harmless": "harmless"}
    outcomes = outcomes_of(work_of_tests.always_die, None, jobs)
    assert outcomes["harmless"].result == "harmless"
    told = str(outcomes["deadly"].error)
    assert told.startswith("workers: 2 processes died of this run (it was ended by SIGKILL)")
    assert "memory" in told
    assert capfd.readouterr() == ("", "")


def test_a_job_that_outgrows_its_memory_is_ended(monkeypatch):
    monkeypatch.setattr("softshare.evaluation.jobs.local_pool.MOST_DEATHS", 2)
    monkeypatch.setattr("softshare.evaluation.jobs.local_pool.memory_limit", lambda: 200 << 20)
    jobs = {"small": 0, "large": 300 << 20}
    outcomes = outcomes_of(work_of_tests.fill_memory, None, jobs, workers=1)
    assert outcomes["small"].result == 0
    assert "it outgrew its part of the memory" in str(outcomes["large"].error)


def test_a_process_that_dies_while_it_starts_is_started_again(tmp_path):
    shared = work_of_tests.DiesOnFirstArrival(tmp_path)
    assert outcomes_of(work_of_tests.identity, shared, {"a": 1}, workers=1)["a"].result == 1


def test_where_no_process_comes_up_one_line_says_what_to_try(capfd):
    with pytest.raises(ArgumentError) as told:
        outcomes_of(work_of_tests.identity, work_of_tests.DiesOnArrival(), {"a": 1})
    assert told.value.told({"workers": "--workers"}) == (
        "--workers: no process could be started (it left with code 9), perhaps for want of "
        "memory: try fewer, or 0 to run in this process"
    )
    assert capfd.readouterr() == ("", "")


def test_where_the_system_starts_no_process_it_says_why(monkeypatch):
    def refuse(*_, **__):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("softshare.evaluation.jobs.worker_process.subprocess.Popen", refuse)
    with pytest.raises(ArgumentError, match=r"Resource temporarily unavailable.*memory"):
        outcomes_of(work_of_tests.identity, None, {"a": 1})


def test_work_that_processes_cannot_import_is_told_at_once():
    with pytest.raises(ArgumentError, match=r"cannot run this .*No module named 'mine'.*module"):
        outcomes_of(work_of_tests.identity, work_of_tests.Unreadable(), {"a": 1})


HOSTILE = "raise SystemExit(f'{__name__} of the current folder was run')\n"


def test_nothing_of_the_current_folder_stands_in_for_a_module_of_python(tmp_path, monkeypatch):
    for name in ("signal", "pickle", "subprocess", "json", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    outcome = outcomes_of(work_of_tests.places, None, {"job": None}, workers=1)["job"]
    found, from_here = outcome.result
    assert from_here == []
    assert "" not in found


def test_no_process_listens_on_anything():
    with pool_of(work_of_tests.double, {"factor": 1}, workers=2) as pool:
        for _ in pool.outcomes({"a": 1, "b": 2}):
            family = [psutil.Process(), *psutil.Process().children(recursive=True)]
            sockets = [socket for each in family for socket in each.net_connections("inet")]
            assert [socket for socket in sockets if socket.status == psutil.CONN_LISTEN] == []
            named = [socket for each in family for socket in each.net_connections("unix")]
            assert [socket.laddr for socket in named if socket.laddr] == []


UNGUARDED = """
import operator
from softshare.evaluation.jobs.contract import AtWorkers
from softshare.evaluation.jobs.local_pool import LocalPool

print("main runs")
with LocalPool(AtWorkers(print, operator.add, 1), workers=1) as pool:
    print([outcome.result for outcome in pool.outcomes({"a": 1, "b": 2})])
"""


def test_a_script_without_a_main_guard_is_not_run_again_by_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout.split("\n") == ["main runs", "[2, 3]", ""]
    assert done.stderr == ""


ENDED = """
import os
import signal
import sys
import time
from softshare.evaluation.jobs.contract import AtWorkers
from softshare.evaluation.jobs.local_pool import LocalPool

def pause(shared, job):
    time.sleep(0.1 if job < 2 else 3600)

# a shell's background jobs inherit that it is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with LocalPool(AtWorkers(print, pause, None), workers=2) as pool:
        for outcome in pool.outcomes({str(job): job for job in range(20)}):
            print(outcome.key, flush=True)
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_process_ends_no_other_is_left(tmp_path, end):
    (tmp_path / "script.py").write_text(ENDED)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    workers = psutil.Process(process.pid).children(recursive=True)
    assert workers
    if end == signal.SIGINT:  # Ctrl-C reaches all processes of a terminal
        os.killpg(process.pid, end)
    else:
        process.send_signal(end)
    _, alive = psutil.wait_procs(workers, timeout=600)
    for other in alive:
        other.kill()
    out, err = process.communicate(timeout=600)
    assert alive == []
    assert first.strip() in ("0", "1")
    assert err == ""
    if end == signal.SIGINT:
        assert out.endswith("stopped\n")


def test_closing_does_not_wait_for_what_nobody_waits_for():
    begin = time.monotonic()
    with pool_of(work_of_tests.fill_memory, None, workers=2) as pool:
        for _ in pool.outcomes({"short": 0, "long": 1}):
            break
    assert time.monotonic() - begin < work_of_tests.LONG / 2
