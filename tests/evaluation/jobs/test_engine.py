"""Jobs run apart: none is lost, none disturbs another."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from distributed import LocalCluster

from softshare.evaluation.jobs.engine import PROCESS_ENVIRONMENT, open_engine


def double(shared, job):
    if job == "raise":
        raise ZeroDivisionError("job of the test")
    return shared["factor"] * job, os.getpid(), torch.get_num_threads()


def die_once(folder: Path, job: int) -> tuple[int, int]:
    """Job 3 kills its process the first time that it runs."""
    started = folder / f"{job}-{time.monotonic_ns()}"
    started.touch()
    if job == 3 and len(list(folder.glob("3-*"))) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return job, os.getpid()


def always_die(shared, job):
    if job == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return job


@pytest.mark.parametrize("workers", [0, 2])
def test_a_job_that_raises_is_told_by_its_key_and_loses_no_other(workers):
    jobs = {"a": 1, "bad": "raise", "b": 2, "c": 3}
    with open_engine(double, {"factor": 10}, workers=workers) as engine:
        outcomes = {outcome.key: outcome for outcome in engine.outcomes(jobs)}
    assert {key: outcome.result[0] for key, outcome in outcomes.items() if not outcome.error} == {
        "a": 10,
        "b": 20,
        "c": 30,
    }
    assert isinstance(outcomes["bad"].error, ZeroDivisionError)
    assert "job of the test" in str(outcomes["bad"].error)


def test_jobs_run_in_other_processes_of_one_thread():
    with open_engine(double, {"factor": 1}, workers=2) as engine:
        assert engine.capacity == 2
        results = [
            outcome.result for outcome in engine.outcomes({str(job): job for job in range(8)})
        ]
        more = [outcome.result for outcome in engine.outcomes({str(job): job for job in range(8)})]
    assert (
        sorted(result[0] for result in results)
        == list(range(8))
        == sorted(result[0] for result in more)
    )
    assert os.getpid() not in {process for _, process, _ in results}
    assert {threads for *_, threads in results} == {1}


def test_in_this_process_threads_are_given_back():
    torch.set_num_threads(2)
    try:
        with open_engine(double, {"factor": 1}, workers=0) as engine:
            (outcome,) = engine.outcomes({"one": 1})
        assert outcome.result == (1, os.getpid(), 1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_job_of_a_killed_process_is_taken_up_by_another(tmp_path, workers, capfd):
    with open_engine(die_once, tmp_path, workers=workers) as engine:
        outcomes = list(engine.outcomes({str(job): job for job in range(8)}))
    assert [outcome.error for outcome in outcomes] == [None] * 8
    assert sorted(outcome.result[0] for outcome in outcomes) == list(range(8))
    assert len(list(tmp_path.glob("3-*"))) >= 2
    assert capfd.readouterr() == ("", "")


def environment(shared, job):
    return dict(os.environ)


def test_processes_are_silent_and_keep_their_memory_and_this_one_keeps_its_environment():
    before = dict(os.environ)
    with open_engine(environment, None, workers=1) as engine:
        (outcome,) = engine.outcomes({"job": None})
    assert {
        name: str(value) for name, value in PROCESS_ENVIRONMENT.items()
    }.items() <= outcome.result.items()
    assert dict(os.environ) == before


def test_a_job_that_kills_every_process_is_given_up(capfd):
    with open_engine(always_die, None, workers=2) as engine:
        outcomes = {
            outcome.key: outcome
            for outcome in engine.outcomes({"deadly": "deadly", "harmless": "harmless"})
        }
    assert outcomes["harmless"].result == "harmless"
    assert "processes died" in str(outcomes["deadly"].error)
    assert capfd.readouterr() == ("", "")


def test_an_address_where_nothing_answers_is_an_error(monkeypatch):
    monkeypatch.setattr("softshare.evaluation.jobs.engine.SECONDS_TO_ANSWER", 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with (
            pytest.raises(OSError, match="no Dask scheduler answers at"),
            open_engine(double, None, cluster=address),
        ):
            pass


@pytest.fixture
def cluster():
    """A Dask cluster that somebody else started: one worker of two threads, in this process."""
    with LocalCluster(
        n_workers=0,
        threads_per_worker=2,
        processes=False,
        protocol="tcp://",
        dashboard_address="127.0.0.1:0",
    ) as made:
        yield made


def test_jobs_run_on_a_cluster_and_leave_nothing_there(cluster):
    cluster.scale(1)
    with open_engine(double, {"factor": 2}, cluster=cluster.scheduler_address) as engine:
        assert engine.capacity == 2
        results = [
            outcome.result for outcome in engine.outcomes({str(job): job for job in range(5)})
        ]
        assert [
            name for name in cluster.scheduler.worker_plugins if name.startswith("softshare")
        ] != []
    assert sorted(result[0] for result in results) == [0, 2, 4, 6, 8]
    assert [name for name in cluster.scheduler.worker_plugins if name.startswith("softshare")] == []


def test_a_cluster_without_workers_is_an_error(cluster, monkeypatch):
    monkeypatch.setattr("softshare.evaluation.jobs.engine.SECONDS_TO_ANSWER", 1)
    with (
        pytest.raises(OSError, match="has no workers"),
        open_engine(double, None, cluster=cluster.scheduler_address),
    ):
        pass


UNGUARDED = """
import operator
from softshare.evaluation.jobs.engine import open_engine

print("main runs")
with open_engine(operator.add, 1, workers=1) as engine:
    print([outcome.result for outcome in engine.outcomes({"a": 1, "b": 2})])
print(__file__ is not None)
"""


def test_a_script_without_a_main_guard_is_not_run_again_by_its_workers(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split("\n") == ["main runs", "[2, 3]", "True", ""]
    assert done.stderr == ""


INTERRUPTED = """
import signal
import time
from softshare.evaluation.jobs.engine import open_engine

def main():
    try:
        with open_engine(pause, None, workers=2) as engine:
            for outcome in engine.outcomes({str(job): job for job in range(20)}):
                print(outcome.key, flush=True)
    except KeyboardInterrupt:
        print("stopped")

def pause(shared, job):
    time.sleep(0.2 if job < 2 else 60)

# a shell's background jobs inherit that it is ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


def test_an_interrupt_from_the_keyboard_ends_all_processes_silently(tmp_path):
    (tmp_path / "script.py").write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    assert first.strip() in ("0", "1")
    assert out.endswith("stopped\n")
    assert err == ""
    _, alive = psutil.wait_procs(_group(process.pid), timeout=10)
    assert [other for other in alive if other.status() != psutil.STATUS_ZOMBIE] == []


def _group(leader: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if os.getpgid(process.pid) == leader]
