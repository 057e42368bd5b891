"""What cannot be put into a graph."""

from __future__ import annotations


class NotExportableError(ValueError):
    """A model, or a part of it, has no form as a graph; the message says which and why."""
