"""Independent jobs, and the processes and machines that run them.

The room that needs Dask is loaded when there is a cluster to run on.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softshare.evaluation.jobs import dask_cluster as dask_cluster

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["dask_cluster"])
