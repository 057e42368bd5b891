"""What a comparison was begun with, in its folder before the first run is made.

Records say it of runs that have ended. Until there is one, this is what tells a comparison of other
settings that the folder is taken, where the lock of another machine is not seen.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from softshare.evaluation.records.schema import FORMAT, check
from softshare.evaluation.records.sealed import seal, unseal
from softshare.files import write_text

SETTINGS = "settings.json"


class BegunWith(BaseModel):
    """The content of the file."""

    format: int
    data: dict[str, str]
    settings: dict[str, dict[str, Any]]


def write_begun(
    out: Path,
    settings: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, str],
) -> None:
    """Write what a comparison is begun with.

    Args:
        out: its folder.
        settings: method → settings of any of its runs, as given.
        data: the ``fingerprint`` and the ``division`` of the data.
    """
    content = {"format": FORMAT, "data": dict(data), "settings": dict(settings)}
    write_text(out / SETTINGS, seal(content))


def read_begun(out: Path) -> list[dict[str, Any]]:
    """With what the folder was begun, a value for each method that says as much as a record does.

    None where there is no such file; a damaged one tells nothing, and is written anew.
    """
    try:
        content = unseal((out / SETTINGS).read_bytes())
        check(content, BegunWith)
    except (OSError, ValueError):
        return []
    return [
        {"settings": of_method, "data": content["data"]}
        for of_method in content["settings"].values()
    ]


def remove_begun(out: Path) -> None:
    """Leave the folder to settings of any kind: nothing was kept in it."""
    with suppress(OSError):
        os.unlink(out / SETTINGS)
