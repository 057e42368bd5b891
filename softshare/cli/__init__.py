"""The command line. Each command is a module, loaded when it is called, and what it needs later.

Only here have arguments flags: everything below speaks of them by their names in Python.
"""

from typing import TYPE_CHECKING

import lazy_loader

from softshare.cli.app import main as main

if TYPE_CHECKING:
    from softshare.cli import comparing as comparing
    from softshare.cli import explaining as explaining
    from softshare.cli import exporting as exporting
    from softshare.cli import fetching as fetching
    from softshare.cli import fitting as fitting
    from softshare.cli import looking as looking
    from softshare.cli import reproducing as reproducing
    from softshare.cli import using as using

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submodules=[
        "comparing",
        "explaining",
        "exporting",
        "fetching",
        "fitting",
        "looking",
        "reproducing",
        "using",
    ],
)
