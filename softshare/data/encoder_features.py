"""A frozen encoder's outputs in place of its inputs: it runs once an example, not once a step."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from softshare.data.cache import derived
from softshare.data.mapped import MappedArray, new_mapped
from softshare.tasks.sources import Source, digest_of, take
from softshare.tasks.task_set import TaskSet

_TRIED = 8
"""Inputs whose outputs tell encoders apart."""


def encoder_features(
    tasks: TaskSet,
    encoder: nn.Module,
    *,
    batch_size: int = 256,
    in_memory: bool = False,
) -> TaskSet:
    """The same tasks with what a frozen encoder makes of their inputs, as vectors.

    The encoder runs in evaluation mode on the device that it is on; bytes (images) reach it divided
    by 255 and nothing else is done to inputs, so what else it needs, such as a normalisation,
    belongs into it. Features are kept in the cache folder and read from there when encoder and
    inputs are met again: the encoder is known by its classes,
    parameters and buffers, and by what it makes of a few of the inputs.

    Args:
        tasks: before :meth:`~softshare.TaskSet.split`, which then scales the features.
        encoder: any module, a batch of inputs ``(B, *shape)`` → ``(B, …)``.
        batch_size: inputs that go through it at a time.
        in_memory: hold the features in memory and write nothing.

    Raises:
        TypeError: the encoder returns something else than a tensor.
        ValueError: the tasks are split already, or their inputs are columns of a table.

    Shape:
        Inputs of every task become ``(N, features)``, the encoder's outputs flattened.
    """
    if any(isinstance(source, pd.DataFrame) for source in tasks.sources):
        raise ValueError(
            "tasks: an encoder takes images or arrays of numbers, these inputs are columns "
            "of a table; hand them in as an array"
        )
    if tasks.preprocessing:
        raise ValueError(
            "tasks: features are made of inputs as they are, before they are scaled; call "
            "encoder_features before split"
        )
    was_training = encoder.training
    encoder.eval()
    try:
        sources = tuple(
            _encoded(
                source,
                encoder,
                batch_size,
                in_memory=in_memory,
            )
            for source in tasks.sources
        )
    finally:
        encoder.train(was_training)
    return replace(tasks, sources=sources)


def _encoded(
    source: Source,
    encoder: nn.Module,
    batch_size: int,
    *,
    in_memory: bool,
) -> Source:
    if in_memory:
        return torch.cat([_run(encoder, source, rows) for rows in _batches(source, batch_size)])
    some = np.unique(
        np.linspace(
            0,
            len(source) - 1,
            _TRIED,
            dtype=np.int64,
        )
    )
    key = digest_of(_digest(encoder), _run(encoder, source, some), source)
    folder = derived(
        f"features-2-{key[:16]}",
        [],
        partial(
            _write,
            source,
            encoder,
            batch_size,
        ),
    )
    return MappedArray(folder / "features.npy")


def _write(
    source: Source,
    encoder: nn.Module,
    batch_size: int,
    folder: Path,
) -> None:
    first, *others = _batches(source, batch_size)
    encoded = _run(encoder, source, first)
    shape = len(source), encoded.shape[1]
    features = new_mapped(
        folder / "features.npy",
        dtype=np.float32,
        shape=shape,
    )
    features[first] = encoded.numpy()
    for rows in others:
        features[rows] = _run(encoder, source, rows).numpy()
    features.flush()


def _batches(source: Source, size: int) -> list[np.ndarray]:
    return [
        np.arange(begin, min(begin + size, len(source))) for begin in range(0, len(source), size)
    ]


@torch.no_grad()
def _run(
    encoder: nn.Module,
    source: Source,
    rows: np.ndarray,
) -> Tensor:
    inputs = take(source, rows)
    device = next((value.device for value in encoder.parameters()), inputs.device)
    outputs = encoder((inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs).to(device))
    if not isinstance(outputs, Tensor):
        raise TypeError(
            f"encoder: it must return a tensor, got {type(outputs).__name__}; wrap it in a "
            "module that picks one"
        )
    return outputs.flatten(1).float().cpu()


def _digest(encoder: nn.Module) -> str:
    """Of an encoder's classes, as far as it prints itself, and of its values; plain attributes show
    in its outputs only.
    """
    classes = [
        f"{type(module).__module__}.{type(module).__qualname__}" for module in encoder.modules()
    ]
    digest = hashlib.blake2b(f"{encoder}{classes}".encode(), digest_size=16)
    for name, value in chain(
        encoder.named_parameters(), encoder.named_buffers()
    ):  # a state_dict lacks some buffers
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(
            value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        )
    return digest.hexdigest()
