"""The engine for many independent jobs: here, in processes of this machine, or on a cluster."""

from __future__ import annotations

from typing import Any

from softshare.evaluation import jobs
from softshare.evaluation.jobs.cluster import Cluster, cluster_at
from softshare.evaluation.jobs.contract import AtWorkers, Engine, Work
from softshare.evaluation.jobs.in_process import InThisProcess
from softshare.evaluation.jobs.local_pool import LocalPool
from softshare.evaluation.jobs.machine import default_workers
from softshare.evaluation.jobs.one_thread import compute_on_one_thread
from softshare.tasks.arguments import ArgumentError


def open_engine(
    work: Work,
    shared: Any,
    *,
    workers: int | None = None,
    cluster: str | Cluster | None = None,
) -> Engine:
    """The engine for some work, to be used in a ``with`` statement.

    Args:
        work: what a job does, a function of a module that workers can import.
        shared: what all jobs need; it is sent to every worker once.
        workers: processes on this machine; 0 runs the jobs in this process; one a CPU when None,
            fewer where memory is short.
        cluster: a Dask cluster to use instead, or the address of its scheduler.

    Raises:
        ArgumentError: the cluster cannot be used, for example because Dask is not installed.
    """
    if cluster is not None:
        cluster = cluster_at(cluster)
        if wrong := cluster.wrong():
            raise ArgumentError(*wrong)
        return jobs.dask_cluster.OnCluster(work, shared, cluster=cluster)
    if workers == 0:
        return InThisProcess(work, shared)
    needed = AtWorkers(compute_on_one_thread, work, shared)
    return LocalPool(needed, workers=workers or default_workers())
