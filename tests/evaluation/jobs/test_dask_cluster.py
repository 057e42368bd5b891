"""Jobs on a Dask cluster that somebody else started."""

from __future__ import annotations

import gc
import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest

from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.jobs.engine import open_engine
from softshare.tasks.arguments import ArgumentError
from tests.evaluation.jobs.work_of_tests import double

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


SECONDS_TO_ANSWER = "softshare.evaluation.jobs.dask_cluster.SECONDS_TO_ANSWER"
PATIENT = 600
"""Seconds for what must succeed, on a machine of which others take most, too."""


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    monkeypatch.setattr(SECONDS_TO_ANSWER, PATIENT)
    with dask.config.set({"distributed.comm.timeouts.connect": PATIENT}):
        yield


def open_clients():
    """They would close in the middle of whatever runs when they are collected."""
    clients = [each for each in gc.get_objects() if issubclass(type(each), distributed.Client)]
    return [client for client in clients if client.status != "closed"]


def be_impatient(monkeypatch):
    """From here on nothing answers that is asked."""
    monkeypatch.setattr(SECONDS_TO_ANSWER, 1)


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_an_address_where_nothing_answers_is_an_error(protocol, monkeypatch):
    be_impatient(monkeypatch)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"{protocol}://127.0.0.1:{listener.getsockname()[1]}"
        with (
            pytest.raises(OSError, match="no Dask scheduler answers at"),
            open_engine(double, None, cluster=address),
        ):
            pass


@contextmanager
def local_cluster(**options):
    """A scheduler, and workers of two threads, in this process."""
    shape = {"threads_per_worker": 2, "processes": False, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**shape, **options) as made:
        yield made


@pytest.fixture
def cluster():
    with local_cluster(n_workers=0, protocol="tcp://") as made:
        yield made


def test_jobs_run_on_a_cluster_and_leave_nothing_there(cluster):
    cluster.scale(1)
    with open_engine(double, {"factor": 2}, cluster=cluster.scheduler_address) as engine:
        assert engine.capacity == 2
        results = [
            outcome.result for outcome in engine.outcomes({str(job): job for job in range(5)})
        ]
        assert _ours(cluster) != []
    assert sorted(result[0] for result in results) == [0, 2, 4, 6, 8]
    assert _ours(cluster) == []


def _ours(cluster):
    return [name for name in cluster.scheduler.worker_plugins if name.startswith("softshare")]


def test_a_cluster_without_workers_is_an_error(cluster, monkeypatch):
    be_impatient(monkeypatch)
    with (
        pytest.raises(OSError, match="has no workers"),
        open_engine(double, None, cluster=cluster.scheduler_address),
    ):
        pass


def test_certificates_go_with_an_encrypted_address_alone():
    cluster = Cluster("tcp://127.0.0.1:8786", tls_ca_file="ca.pem")
    with pytest.raises(ArgumentError, match=r"^tls_ca_file: only goes with a cluster at tls://"):
        open_engine(double, None, cluster=cluster)


@pytest.mark.parametrize("address", ["tls://127.0.0.1:9", "tcp://127.0.0.1", "smoke://hill:9"])
def test_a_client_that_cannot_connect_is_closed(address):
    with (
        pytest.raises(OSError, match="no Dask scheduler answers at"),
        open_engine(double, None, cluster=address),
    ):
        pass
    assert open_clients() == []


@pytest.fixture
def certificate(tmp_path):
    """A certificate that is its own authority, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    files = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    made = ["-keyout", files["key"], "-out", files["cert"], "-subj", "/CN=test", "-days", "1"]
    command = ["openssl", "req", "-x509", *kind, *made]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_a_cluster_that_asks_for_certificates_is_entered_with_them_alone(certificate, monkeypatch):
    roles = ("scheduler", "worker", "client")
    certificates = {f"tls_{role}_cert": certificate["cert"] for role in roles}
    keys = {f"tls_{role}_key": certificate["key"] for role in roles}
    security = distributed.Security(
        tls_ca_file=certificate["cert"], require_encryption=True, **certificates, **keys
    )
    with local_cluster(n_workers=1, protocol="tls://", security=security) as made:
        ours = Cluster(
            made.scheduler_address,
            tls_ca_file=certificate["cert"],
            tls_cert=certificate["cert"],
            tls_key=certificate["key"],
        )
        with open_engine(double, {"factor": 2}, cluster=ours) as engine:
            (outcome,) = engine.outcomes({"a": 4})
        assert outcome.result[0] == 8
        be_impatient(monkeypatch)
        with (
            pytest.raises(OSError, match="no Dask scheduler answers at"),
            open_engine(double, {"factor": 2}, cluster=made.scheduler_address),
        ):
            pass
