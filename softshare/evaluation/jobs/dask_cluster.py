"""Jobs on a Dask cluster that somebody started.

Loaded when there is one: nothing else needs Dask.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from distributed import Client, KilledWorker, Security, WorkerPlugin, as_completed, get_worker

from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.jobs.contract import Engine, Outcome, Work
from softshare.evaluation.jobs.one_thread import compute_on_one_thread

SECONDS_TO_ANSWER = 15


class OnCluster(Engine):
    """Runs jobs on the workers of a cluster.

    Args:
        work: what a job does, a function of a module that workers can import.
        shared: what all jobs need; it is sent to every worker once.
        cluster: where it is.
    """

    def __init__(
        self,
        work: Work,
        shared: Any,
        *,
        cluster: Cluster,
    ) -> None:
        self._plugin = _SharedWork(f"softshare-{uuid.uuid4().hex}", work, shared)
        self._cluster = cluster
        self._open = ExitStack()

    @property
    def capacity(self) -> int:
        return max(1, sum(self._client.nthreads().values()))

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            self._client = opening.enter_context(_connected(self._cluster))
            self._client.register_plugin(self._plugin)
            opening.callback(self._client.unregister_worker_plugin, self._plugin.name)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

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
    ) -> None:
        self.name, self.work, self.shared = name, work, shared

    def setup(self, worker: Any) -> None:
        compute_on_one_thread()


def _do(name: str, job: Any) -> Any:
    plugin: Any = get_worker().plugins[name]
    return plugin.work(plugin.shared, job)


class _ClosedOnFailure(Client):
    """A client that closes when it cannot connect.

    One of Dask's that fails by its address or certificates stays open, and closes when the garbage
    collector finds it. That may be in the middle of the start of another client or cluster, which
    holds the lock that closing waits for.
    """

    def start(self, **kwargs: Any) -> None:
        try:
            super().start(**kwargs)
        except BaseException:
            self.close()
            raise


@contextmanager
def _connected(cluster: Cluster) -> Iterator[Client]:
    address = cluster.address
    try:
        client = _ClosedOnFailure(
            address,
            security=_security(cluster),
            timeout=SECONDS_TO_ANSWER,
            set_as_default=False,
        )
    except (OSError, ValueError, TypeError) as error:
        # a TypeError: encrypted, and neither here nor in Dask's settings is a certificate named
        raise OSError(f"cluster: no Dask scheduler answers at {address!r} ({error})") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=SECONDS_TO_ANSWER)
        except TimeoutError:
            raise OSError(
                f"cluster: the Dask scheduler at {address!r} has no workers; start some "
                f"with `dask worker {address}`"
            ) from None
        yield client


def _security(cluster: Cluster) -> Security:
    if not cluster.is_encrypted:
        return Security()
    given = {
        "tls_ca_file": cluster.tls_ca_file,
        "tls_client_cert": cluster.tls_cert,
        "tls_client_key": cluster.tls_key,
    }
    named = {name: value for name, value in given.items() if value is not None}
    return Security(require_encryption=True, **named)


def _explained(error: BaseException) -> BaseException:
    if isinstance(error, KilledWorker):
        deaths = error.allowed_failures + 1
        return RuntimeError(
            f"{deaths} workers of the cluster died of it, perhaps of want of memory"
        )
    return error
