"""Whatever learns: the named methods, one file a family, and what trains their networks.

The rooms that need torch are loaded when a method first learns, so that the methods can be listed
without it.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softshare.methods import estimators as estimators
    from softshare.methods import pieces as pieces
    from softshare.methods import plain_entries as plain_entries
    from softshare.methods import restored as restored
    from softshare.methods import select_pattern as select_pattern
    from softshare.methods import stacked as stacked
    from softshare.methods import training as training

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "estimators",
        "pieces",
        "plain_entries",
        "restored",
        "select_pattern",
        "stacked",
        "training",
    ],
)
