"""Jobs on a Dask cluster that somebody else started."""

from __future__ import annotations

import shutil
import socket
import subprocess

import pytest

from softshare.evaluation.jobs.cluster import Cluster
from softshare.evaluation.jobs.engine import open_engine
from softshare.tasks.arguments import ArgumentError
from tests.evaluation.jobs.work_of_tests import double

distributed = pytest.importorskip("distributed")


@pytest.fixture
def _impatient(monkeypatch):
    monkeypatch.setattr("softshare.evaluation.jobs.dask_cluster.SECONDS_TO_ANSWER", 1)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_an_address_where_nothing_answers_is_an_error(protocol):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"{protocol}://127.0.0.1:{listener.getsockname()[1]}"
        with (
            pytest.raises(OSError, match="no Dask scheduler answers at"),
            open_engine(double, None, cluster=address),
        ):
            pass


@pytest.fixture
def cluster():
    """One worker of two threads, in this process."""
    with distributed.LocalCluster(
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
        assert _ours(cluster) != []
    assert sorted(result[0] for result in results) == [0, 2, 4, 6, 8]
    assert _ours(cluster) == []


def _ours(cluster):
    return [name for name in cluster.scheduler.worker_plugins if name.startswith("softshare")]


@pytest.mark.usefixtures("_impatient")
def test_a_cluster_without_workers_is_an_error(cluster):
    with (
        pytest.raises(OSError, match="has no workers"),
        open_engine(double, None, cluster=cluster.scheduler_address),
    ):
        pass


def test_certificates_go_with_an_encrypted_address_alone():
    cluster = Cluster("tcp://127.0.0.1:8786", tls_ca_file="ca.pem")
    with pytest.raises(ArgumentError, match=r"^tls_ca_file: only goes with a cluster at tls://"):
        open_engine(double, None, cluster=cluster)


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


@pytest.mark.usefixtures("_impatient")
def test_a_cluster_that_asks_for_certificates_is_entered_with_them_alone(certificate):
    roles = ("scheduler", "worker", "client")
    certificates = {f"tls_{role}_cert": certificate["cert"] for role in roles}
    keys = {f"tls_{role}_key": certificate["key"] for role in roles}
    security = distributed.Security(
        tls_ca_file=certificate["cert"], require_encryption=True, **certificates, **keys
    )
    shape = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    address = {"protocol": "tls://", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**shape, **address, security=security) as made:
        ours = Cluster(
            made.scheduler_address,
            tls_ca_file=certificate["cert"],
            tls_cert=certificate["cert"],
            tls_key=certificate["key"],
        )
        with open_engine(double, {"factor": 2}, cluster=ours) as engine:
            (outcome,) = engine.outcomes({"a": 4})
        assert outcome.result[0] == 8
        with (
            pytest.raises(OSError, match="no Dask scheduler answers at"),
            open_engine(double, {"factor": 2}, cluster=made.scheduler_address),
        ):
            pass
