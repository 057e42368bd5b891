"""The folder of a model: its numbers, all else as JSON, and a card for people.

Loading runs no code that the folder brings: numbers are read as numbers (safetensors), everything
else is JSON, and only what this package knows is made of it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from softshare.evaluation.records.sealed import seal, unseal
from softshare.evaluation.records.unfinished import UNFINISHED
from softshare.files import write_bytes, write_text
from softshare.models.schema import check_model

FORMAT = 1
"""Of the folder; what this version writes. Every format up to it can be read."""

MODEL, CARD = "model.json", "README.md"
WEIGHTS = "weights-{}.safetensors"
"""Called by its digest: a model that is written over another one is the old one until its JSON
names the new numbers.
"""

_WEIGHTS = re.compile(WEIGHTS.format("[0-9a-f]{32}"))

_ARRAY = "array"
"""The key of what stands in the JSON in place of an array: the array's name among the weights."""


def write_folder(folder: Path, content: Mapping[str, Any], card: str) -> None:
    """Write a model.

    The numbers come first, and the JSON that names them last.

    Args:
        folder: it is made where there is none.
        content: JSON values, and arrays among them.
        card: text for people.

    Raises:
        OSError: a file cannot be written; the message names it, the reason and a remedy.
        ValueError: the folder holds something else than a model.
    """
    check_free(folder)
    arrays: dict[str, np.ndarray] = {}
    plain = _without_arrays(content, "", arrays)
    packed = save_arrays(arrays)
    path = folder / WEIGHTS.format(_digest(packed))
    write_bytes(path, packed)
    write_text(folder / MODEL, seal({"format": FORMAT, "weights": path.name, **plain}))
    write_text(folder / CARD, card)
    for other in folder.glob(WEIGHTS.format("*")):
        if other != path:
            other.unlink()


def check_free(folder: Path) -> None:
    """Make sure that a model can go into a folder: a new one, an empty one, or that of a model.

    Raises:
        ValueError: it holds something else.
    """
    if folder.exists() and not (folder / MODEL).exists() and _is_filled(folder):
        raise ValueError(f"{folder} is there and holds no model; choose another folder (out)")


def read_folder(folder: Path) -> dict[str, Any]:
    """The content of a model's folder, its arrays in place.

    Raises:
        FileNotFoundError: there is no model; says what is missing.
        ValueError: a file is damaged, of another model, or of a newer version; says which.
    """
    content = read_json(folder)
    path = folder / str(content["weights"])
    try:
        packed = path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise FileNotFoundError(f"cannot read {path}: {reason}; the model is incomplete") from None
    if path.name != WEIGHTS.format(_digest(packed)):
        raise ValueError(f"{path} is damaged: its content does not fit the digest in its name")
    try:
        arrays = load_arrays(packed)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    try:
        found: dict[str, Any] = _with_arrays(content, arrays)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} lacks the numbers {error}") from None
    return found


def read_json(folder: Path) -> dict[str, Any]:
    """What a folder says beside its numbers.

    Raises:
        As :func:`read_folder`.
    """
    path = folder / MODEL
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}, so no model")
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{folder} holds no model: it has no {MODEL}") from None
    except OSError as error:
        raise OSError(f"cannot read {path}: {error.strerror or error}") from None
    try:
        content = unseal(text)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    version = content.get("format")
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"{path} is damaged: it says no format")
    if version > FORMAT:
        raise ValueError(
            f"{path} has the format {version} of a newer softshare, this one reads up to {FORMAT}: "
            "pip install --upgrade softshare"
        )
    try:
        check_model(content)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if not _WEIGHTS.fullmatch(str(content.get("weights"))):
        raise ValueError(f"{path} is damaged: it names no weights beside it")
    return content


def _without_arrays(value: Any, name: str, arrays: dict[str, np.ndarray]) -> Any:
    """The same with every array replaced by its name, under which it is put among the others."""
    if isinstance(value, np.ndarray):
        arrays[name] = np.ascontiguousarray(value).reshape(value.shape)
        return {_ARRAY: name}
    if isinstance(value, Mapping):
        return {
            key: _without_arrays(part, f"{name}/{key}" if name else key, arrays)
            for key, part in value.items()
        }
    if isinstance(value, list | tuple):
        parts = enumerate(value)
        return [_without_arrays(part, f"{name}/{place}", arrays) for place, part in parts]
    return value


def _with_arrays(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(value, Mapping):
        if set(value) == {_ARRAY}:
            return arrays[value[_ARRAY]]
        return {key: _with_arrays(part, arrays) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_arrays(part, arrays) for part in value]
    return value


def _is_filled(folder: Path) -> bool:
    return folder.is_file() or any(path.name != UNFINISHED for path in folder.iterdir())


def _digest(packed: bytes) -> str:
    return hashlib.blake2b(packed, digest_size=16).hexdigest()
