"""Run records: one JSON file a run."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from softshare.methods.settings import OF_ONE_RUN, given_settings

FORMAT = 1
RECORDS = "records"

Record = dict[str, Any]
"""One run: its settings, data, split, versions, parameters, metrics, curve, time and sharing."""


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write one record as ``<key>.json``, whole or not at all; numbers that are not finite become
    null.
    """
    path = folder / f"{record['key']}.json"
    text = json.dumps(
        _plain(record),
        allow_nan=False,
        separators=(",", ":"),
    )
    return write_text(path, text)


def read_records(folder: Path) -> list[Record]:
    """All records of a folder in the order of their keys; none where there is no such folder.

    Raises:
        ValueError: a file is no record of this format; the message names it.
    """
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def write_text(path: Path, text: str) -> Path:
    """Write a file whole or not at all, and leave it alone where it says the same already."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def conflicts(
    records: Iterable[Record], settings: Mapping[str, Mapping[str, Any]], fingerprint: str
) -> list[str]:
    """How earlier records differ from what is asked now, the settings aside in which runs may
    differ.

    Args:
        records: what the output folder holds.
        settings: method → settings of any of its runs asked now, as given: nothing has been
            searched for.
        fingerprint: of the data asked now.

    Returns:
        One phrase for each setting that differs; none where the runs belong together.
    """
    now_of = {method: _flat(of_method) for method, of_method in settings.items()}
    found = {}
    for record in records:
        method = record["settings"]["method"]
        earlier = given_settings(record["settings"])
        # a method that is not asked for has the settings that all have
        now = now_of.get(method, next(iter(now_of.values())))
        for name in {**now, **earlier}:
            was = earlier.get(name)
            asked = now.get(name)
            if name in OF_ONE_RUN or was == asked:
                continue
            # options of methods that are not asked for may be any
            if method in now_of or "." not in name:
                found[name] = f"{name} was {_shown(was)} and is {_shown(asked)}"
        if record["data"]["fingerprint"] != fingerprint:
            found["data"] = "the data were others"
    return list(found.values())


def _read(path: Path) -> Record:
    try:
        record: Record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT:
            raise ValueError(f"its format is {record['format']}, this version reads {FORMAT}")
    except (ValueError, KeyError, TypeError) as error:
        remedy = "delete it to run it again, or choose another folder (out)"
        raise ValueError(f"{path} is no run record ({error}); {remedy}") from None
    return record


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that nothing has been searched for, options as METHOD.NAME."""
    return given_settings({**settings, "trials": 0}) | {"trials": settings["trials"]}


def _shown(value: Any) -> str:
    return "the default" if value is None else json.dumps(value)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
