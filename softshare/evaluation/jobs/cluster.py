"""A cluster that somebody started: where its scheduler is, and by which certificates it is
known.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from softshare.tasks.arguments import Problem

_ENCRYPTED = "tls://"

TLS_FILES = ("tls_ca_file", "tls_cert", "tls_key")
"""What names a certificate or a key, among the fields of a cluster."""


@dataclass(frozen=True)
class Cluster:
    """A Dask cluster.

    Args:
        address: of its scheduler, such as ``"tcp://10.0.0.1:8786"``; with ``"tls://"`` everything
            is encrypted, and both sides show certificates.
        tls_ca_file: certificates of the authority that signed those of the cluster, a PEM file;
            None: what Dask's own settings say, likewise below.
        tls_cert: the certificate to show, a PEM file.
        tls_key: its private key, a PEM file.
    """

    address: str
    tls_ca_file: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None

    def __str__(self) -> str:
        return self.address

    @property
    def is_encrypted(self) -> bool:
        """Whether the address asks for certificates."""
        return self.address.startswith(_ENCRYPTED)

    def wrong(self) -> list[Problem]:
        """What is wrong with it, whether or not anything answers there."""
        wrong: list[Problem] = []
        if find_spec("distributed") is None:
            wrong.append(("cluster", "needs Dask, install softshare[cluster]"))
        given = [name for name in TLS_FILES if getattr(self, name) is not None]
        if given and not self.is_encrypted:
            told = f"only goes with a cluster at {_ENCRYPTED}…, got {self.address!r}"
            wrong.append((given[0], told))
        return wrong


def cluster_at(cluster: str | Cluster) -> Cluster:
    """A cluster, of which only the address may be given."""
    return cluster if isinstance(cluster, Cluster) else Cluster(cluster)
