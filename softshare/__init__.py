"""Deep multi-task learning that learns what several related tasks should share.

The public names stand in ``__init__.pyi``; each is imported when it is first used.
"""

import lazy_loader

from softshare._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
