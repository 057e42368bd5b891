"""How the tasks' copies of some layers' weights are shared: one file a way to share.

Sums stand above the sharings that they add, and every sharing can be added: that room is loaded
when a sum is first made.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softshare.sharing import sum as sum

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["sum"])
