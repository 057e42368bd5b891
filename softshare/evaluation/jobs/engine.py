"""Many independent jobs on one machine or a cluster: one-thread processes that may die without
loss.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import dask
import torch
from dask.system import CPU_COUNT
from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, as_completed, get_worker
from distributed.system import MEMORY_LIMIT

from softshare.evaluation.jobs.contract import Engine, Outcome

Work = Callable[[Any, Any], Any]
"""(what all jobs share, the job) → its result."""

MEMORY_OF_A_WORKER = 1 << 30
"""Bytes that a process is given at least: with less memory fewer processes are started."""

SECONDS_TO_ANSWER = 15

PROCESS_ENVIRONMENT = {
    # Before a process imports anything: set later, one that ends while it starts still has a word
    # to say.
    "DASK_LOGGING__DISTRIBUTED": "critical",
    # Memory that a step frees is kept for the next. Dask's settings give it back to the system at
    # once, and the page faults of fetching it anew take longer than a step on images does.
    "MALLOC_TRIM_THRESHOLD_": 1 << 30,
    "MALLOC_MMAP_THRESHOLD_": 1 << 30,
    "MALLOC_ARENA_MAX": 1,
}

CONFIGURATION = {
    # Jobs keep their data to themselves: nothing could be moved to disk, and a worker that pauses
    # would wait for ever.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    **{
        f"distributed.nanny.pre-spawn-environ.{name}": value
        for name, value in PROCESS_ENVIRONMENT.items()
    },
}


def open_engine(
    work: Work, shared: Any, *, workers: int | None = None, cluster: str | None = None
) -> Engine:
    """The engine for some work, to be used in a ``with`` statement.

    Args:
        work: what a job does, a function of a module that workers can import.
        shared: what all jobs need; it is sent to every worker once.
        workers: processes on this machine; 0 runs the jobs in this process; one a CPU when None,
            fewer where memory is short.
        cluster: address of the Dask scheduler of a cluster to use instead.
    """
    if workers == 0 and cluster is None:
        return _InThisProcess(work, shared)
    return _OnDask(work, shared, workers=workers or default_workers(), cluster=cluster)


def default_workers() -> int:
    """Processes that this machine has CPUs and memory for."""
    return max(1, min(CPU_COUNT, MEMORY_LIMIT // MEMORY_OF_A_WORKER))


class _InThisProcess(Engine):
    def __init__(
        self,
        work: Work,
        shared: Any,
    ) -> None:
        self._work, self._shared = work, shared
        self._threads = torch.get_num_threads()

    @property
    def capacity(self) -> int:
        return 1

    def __enter__(self) -> Self:
        torch.set_num_threads(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        torch.set_num_threads(self._threads)

    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        for key, job in jobs.items():
            try:
                outcome = Outcome(key, self._work(self._shared, job))
            except Exception as error:
                outcome = Outcome(key, error=error)
            yield outcome


class _OnDask(Engine):
    def __init__(
        self,
        work: Work,
        shared: Any,
        *,
        workers: int,
        cluster: str | None,
    ) -> None:
        self._plugin = _SharedWork(
            f"softshare-{uuid.uuid4().hex}", work, shared, local=cluster is None
        )
        self._workers, self._address = workers, cluster
        self._open = ExitStack()

    @property
    def capacity(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.enter_context(dask.config.set(CONFIGURATION))
            cluster = self._address or opening.enter_context(_local_cluster(self._workers))
            self._client = opening.enter_context(_connected(cluster))
            self._client.register_plugin(self._plugin)
            opening.callback(self._client.unregister_worker_plugin, self._plugin.name)
            opening.callback(self._wait_for_restarts)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def _wait_for_restarts(self) -> None:
        """Let processes that are started in place of dead ones come up: closed in between, they
        complain on the terminal.
        """
        if self._address is None:
            with suppress(TimeoutError):
                self._client.wait_for_workers(self._workers, timeout=SECONDS_TO_ANSWER)

    def outcomes(self, jobs: Mapping[str, Any]) -> Iterator[Outcome]:
        futures = {}
        for order, (key, job) in enumerate(jobs.items()):
            future = self._client.submit(
                _do,
                self._plugin.name,
                job,
                key=f"{self._plugin.name}-{key}",
                priority=-order,
                pure=False,
            )
            futures[future] = key
        for future in as_completed(futures, loop=self._client.loop):
            error = future.exception()
            yield (
                Outcome(futures[future], error=_explained(error))
                if error
                else Outcome(futures[future], future.result())
            )
            future.release()


class _SharedWork(WorkerPlugin):
    """The work and what its jobs share, on every worker; the scheduler hands it to those that come
    later, too.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        shared: Any,
        *,
        local: bool,
    ) -> None:
        self.name, self.work, self.shared, self._local = name, work, shared, local

    def setup(self, worker: Any) -> None:
        torch.set_num_threads(1)
        if (
            self._local
        ):  # Ctrl-C reaches every process of a terminal; the one that started the others ends them
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _do(name: str, job: Any) -> Any:
    plugin: Any = get_worker().plugins[name]
    return plugin.work(plugin.shared, job)


@contextmanager
def _local_cluster(workers: int) -> Iterator[LocalCluster]:
    """One-thread processes on this machine, without a dashboard and silent on the terminal."""
    quiet: dict[str, Any] = {
        "silence_logs": logging.CRITICAL,
        "dashboard_address": "127.0.0.1:0",
        "scheduler_kwargs": {"dashboard": False},
    }
    shape = {"n_workers": workers, "threads_per_worker": 1, "processes": True}
    with _main_module_hidden(), _environment_restored(), LocalCluster(**shape, **quiet) as cluster:
        yield cluster


@contextmanager
def _connected(cluster: LocalCluster | str) -> Iterator[Client]:
    try:
        client = Client(cluster, timeout=SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise OSError(f"cluster: no Dask scheduler answers at {cluster!r} ({error})") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError:
            raise OSError(
                f"cluster: the Dask scheduler at {cluster!r} has no workers; start some "
                f"with `dask worker {cluster}`"
            ) from None
        yield client


@contextmanager
def _environment_restored() -> Iterator[None]:
    """Undo what a local cluster leaves in the environment of this process: variables meant for
    those it starts.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _main_module_hidden() -> Iterator[None]:
    """Keep new processes from running the user's script again.

    ``multiprocessing`` imports the main module in every process it starts, so that a script without
    an ``if __name__ == "__main__"`` would start itself for ever. Workers need nothing from it.
    """
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    main.__spec__ = None
    main.__dict__.pop("__file__", None)
    try:
        yield
    finally:
        main.__dict__.update(hidden)


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, KilledWorker):
        return RuntimeError(
            f"{error.allowed_failures + 1} processes died of it, perhaps for want of "
            "memory: try fewer --workers"
        )
    return error
