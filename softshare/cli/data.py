"""``softshare data list`` and ``softshare data get``."""

from __future__ import annotations

from softshare import cli


def list_data() -> int:
    """List the public data sets: whether they are here, their size, licence, paper and source."""
    cli.fetching.show_all()
    return 0


def get_data(name: str, /) -> int:
    """Download a public data set into the data folder (SOFTSHARE_DATA).

    Args:
        name: one of `softshare data list`.
    """
    cli.fetching.get(name)
    return 0
