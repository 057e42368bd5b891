"""One checkpoint as a file: tensors in the format of safetensors, all else as JSON in its header.

A digest of both tells a damaged file from a whole one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from softshare.files import write_bytes
from softshare.training.plain_tree import flattened, joined
from softshare.training.training_parts import digest_of_values

FORMAT = 1
"""Of what stands in a checkpoint; files of another one are refused."""

State = dict[str, Any]
"""Part of a training → its state."""


@dataclass(frozen=True)
class Checkpoint:
    """A training as it was after a step.

    Args:
        step: so many were made.
        finished: whether no more are to be made.
        training: which training it is of, as
            :class:`~softshare.training.training_identity.TrainingIdentity` says it.
        state: of each of its parts.
    """

    step: int
    finished: bool
    training: Mapping[str, Any]
    state: State


class DamagedError(ValueError):
    """A file is not what was once written; the message says how that was noticed."""


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all.

    Raises:
        OSError: it cannot be written; the message names the file, the reason and a remedy.
        TypeError: a part has a state that cannot be written down.
    """
    tensors: dict[str, Tensor] = {}
    parts = {}
    for name, state in checkpoint.state.items():
        parts[name], own = flattened(state, name)
        tensors |= {f"{name}.{number}": value for number, value in own.items()}
    content = {
        "format": FORMAT,
        "step": checkpoint.step,
        "finished": checkpoint.finished,
        "training": dict(checkpoint.training),
        "parts": parts,
    }
    text = json.dumps(content, allow_nan=False)
    header = {"softshare": text, "digest": _digest(text, tensors)}
    write_bytes(path, save(tensors, header), argument="checkpoint")


def read_checkpoint(path: Path) -> Checkpoint:
    """What :func:`write_checkpoint` wrote.

    Raises:
        DamagedError: the file is not whole, or is none of these files.
        ValueError: it is of another version's format.
        OSError: it cannot be read.
    """
    try:
        text, told, tensors = _read(path)
        whole = told == _digest(text, tensors)
    except (SafetensorError, KeyError, TypeError) as error:
        raise DamagedError(f"it is no checkpoint: {error}") from None
    if not whole:
        raise DamagedError("its content does not fit its digest")
    content = json.loads(text)
    if content["format"] != FORMAT:
        raise ValueError(
            f"checkpoint: {path} has the format {content['format']}, and this version of softshare "
            f"reads {FORMAT}; use the version that wrote it, or another folder"
        )
    parts = {}
    for name, plain in content["parts"].items():
        own = _of_part(name, tensors)
        parts[name] = joined(plain, own)
    return Checkpoint(content["step"], content["finished"], content["training"], parts)


def _read(path: Path) -> tuple[str, str, dict[str, Tensor]]:
    """The JSON, the digest that stands beside it, and the tensors."""
    # Read, not mapped: a disk that fails while a mapped file is used ends the process.
    content = path.read_bytes()
    tensors = load(content)
    size = int.from_bytes(content[:8], "little")  # of the header, which load has checked
    header = json.loads(content[8 : 8 + size])["__metadata__"]
    return header["softshare"], header["digest"], tensors


def _of_part(part: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    begin = f"{part}."
    own = {}
    for name, value in tensors.items():
        if name.startswith(begin):
            own[name.removeprefix(begin)] = value
    return own


def _digest(text: str, tensors: Mapping[str, Tensor]) -> str:
    together = f"{text}{digest_of_values(tensors)}"
    return hashlib.blake2b(together.encode(), digest_size=16).hexdigest()
