"""Comparisons: their plan, their runs and records, and what these say.

The room that needs Optuna is loaded when something is searched for.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from softshare.evaluation import search as search

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submodules=["search"])
