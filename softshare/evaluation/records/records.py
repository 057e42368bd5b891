"""Run records: one JSON file a run, with a digest by which a damaged one is known."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from softshare.evaluation.records.schema import FORMAT, RunRecord, check
from softshare.evaluation.records.sealed import seal, unseal
from softshare.files import write_text
from softshare.methods.settings import OF_ONE_RUN, OF_THE_DATA, given_settings
from softshare.tasks.arguments import ArgumentError

RECORDS = "records"

Record = dict[str, Any]
"""One run: its settings, data, split, versions, parameters, metrics, curve, time and sharing."""

_RUN = r".+-f[0-9.e+-]+"
_NAME_OF_RECORD = re.compile(rf"{_RUN}-s\d+\.json", re.DOTALL)
_NAME_OF_TRIAL = re.compile(rf"{_RUN}-trial\d+(-s\d+)?\.json", re.DOTALL)
"""Names of our files. Others are not read: a sync client's copy (``tied-f1-s0 (1).json``), the
notes of a file browser (``._tied-f1-s0.json``, ``.DS_Store``).
"""


def write_record(folder: Path, record: Mapping[str, Any]) -> Path:
    """Write one record as ``<key>.json``, whole or not at all; numbers that are not finite become
    null.
    """
    path = folder / f"{record['key']}.json"
    return write_text(path, seal({"format": FORMAT, **_plain(record)}))


def read_records(folder: Path, *, trials: bool = False) -> list[Record]:
    """All records of a folder in the order of their keys; none where there is no such folder.

    Files whose names are not those of records are left alone.

    Args:
        folder: of the records.
        trials: whether they are of the trials of a search.

    Raises:
        ValueError: some are damaged, or of another version; the message names all of them.
        OSError: one cannot be read.
    """
    expected = _NAME_OF_TRIAL if trials else _NAME_OF_RECORD
    records: list[Record] = []
    damaged: dict[str, list[str]] = {}
    for name in _names_in(folder):
        if name.startswith(".") or not expected.fullmatch(name):
            continue
        try:
            records.append(_read(folder / name, is_trial=trials))
        except ValueError as error:
            damaged.setdefault(str(error), []).append(name)
    if damaged:
        raise ArgumentError(("out", _told_damage(folder, damaged)))
    return records


def conflicts(
    records: Iterable[Record],
    settings: Mapping[str, Mapping[str, Any]],
    data: Mapping[str, str],
) -> list[str]:
    """How earlier records differ from what is asked now, the settings aside in which runs may
    differ.

    Args:
        records: what the output folder holds.
        settings: method → settings of any of its runs asked now, as given: nothing has been
            searched for.
        data: the ``fingerprint`` and the ``division`` of the data asked now.

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
            # the fingerprint says whether the data are the same, wherever they were read from
            if name in (*OF_ONE_RUN, *OF_THE_DATA) or was == asked:
                continue
            # options of methods that are not asked for may be any
            if method in now_of or "." not in name:
                found[name] = f"{name} was {_shown(was)} and is {_shown(asked)}"
        if record["data"]["fingerprint"] != data["fingerprint"]:
            found["data"] = "the data were others"
        elif record["data"]["division"] != data["division"]:
            found["division"] = "the groups or the given parts of the rows were others"
    return list(found.values())


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OSError(f"cannot read the folder {folder}: {error.strerror or error}") from error


def _read(path: Path, *, is_trial: bool) -> Record:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from error
    record = unseal(content)
    check(record, RunRecord)
    key = record["key"]
    if path.name != f"{key}.json":
        raise ValueError(f"it is the record {key!r}")
    of_run = record["settings"]
    run = f"{of_run['method']}-f{of_run['fraction']:.12g}"
    expected = f"{run}-s{of_run['seed']}"
    # a trial has a number, and on another split than the first its seed after that
    fits = key.startswith(f"{run}-trial") if is_trial else key == expected
    if not fits:
        raise ValueError(f"its settings are those of {expected}")
    return record


def _told_damage(folder: Path, damaged: Mapping[str, list[str]]) -> str:
    """All files that cannot be relied on, in one line, with the remedy."""
    count = sum(map(len, damaged.values()))
    them = "it to run it" if count == 1 else "them to run them"
    told = [f"{', '.join(names)} ({reason})" for reason, names in damaged.items()]
    remedy = f"delete {them} again, or choose another folder"
    return f"{count} record(s) in {folder} cannot be relied on: {'; '.join(told)}; {remedy}"


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
