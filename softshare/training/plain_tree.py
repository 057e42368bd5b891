"""States as JSON and tensors: nothing that is read from them can run.

A state is a tree of dicts, lists and tuples whose leaves are tensors, arrays, numbers, texts and
None, as ``state_dict()`` of optimizers, schedules and callbacks gives it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def flattened(tree: Any, what: str) -> tuple[Any, dict[str, Tensor]]:
    """A state as JSON, and its tensors by names that stand in this JSON.

    The tensors are copies on the CPU that share no memory.

    Args:
        tree: the state.
        what: it is of, for the message.

    Raises:
        TypeError: it holds something that could not be made again without code of its own.
    """
    tensors: dict[str, Tensor] = {}

    def name_of(value: Tensor) -> str:
        name = str(len(tensors))
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return name

    return _plain(tree, name_of, what), tensors


def joined(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The state that :func:`flattened` was given.

    Raises:
        ValueError: the JSON was not made by it.
    """
    if isinstance(plain, list):
        return [joined(part, tensors) for part in plain]
    if not isinstance(plain, dict):
        return plain
    if len(plain) != 1:
        raise ValueError("it holds no state")
    ((kind, content),) = plain.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "array":
        return tensors[content].numpy()
    if kind == "float":
        return float(content)
    if kind == "tuple":
        return tuple(joined(part, tensors) for part in content)
    if kind == "mapping":
        return {joined(key, tensors): joined(part, tensors) for key, part in content}
    raise ValueError(f"it holds a {kind!r}, which is no part of a state")


def _plain(tree: Any, name_of: Callable[[Tensor], str], what: str) -> Any:
    if isinstance(tree, np.generic):
        tree = tree.item()
    if isinstance(tree, float) and not math.isfinite(tree):
        return {"float": repr(tree)}  # JSON has no word for it
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    if isinstance(tree, Tensor) and not tree.is_sparse:
        return {"tensor": name_of(tree)}
    if isinstance(tree, np.ndarray) and tree.dtype.kind in "biuf":
        return {"array": name_of(torch.from_numpy(tree))}
    if isinstance(tree, list):
        return [_plain(part, name_of, what) for part in tree]
    if isinstance(tree, tuple):
        return {"tuple": [_plain(part, name_of, what) for part in tree]}
    if isinstance(tree, Mapping):
        pairs = []
        for key, part in tree.items():
            pairs.append([_plain(key, name_of, what), _plain(part, name_of, what)])
        return {"mapping": pairs}
    raise TypeError(
        f"checkpoint: {what} keeps a {type(tree).__name__}, which cannot be written down without "
        "code; its state_dict() must give numbers, texts, tensors and lists or dicts of these"
    )
