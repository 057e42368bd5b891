"""A frozen encoder's outputs in place of its inputs: it runs once per example, not once per step."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from softshare.data.cache import derived
from softshare.data.mapped import MappedArray
from softshare.tasks.sources import Source, digest_of, take
from softshare.tasks.task_set import TaskSet


def encoder_features(tasks: TaskSet, encoder: nn.Module, *, batch_size: int = 256, in_memory: bool = False) -> TaskSet:
    """The same tasks with what a frozen encoder makes of their inputs, as vectors.

    The encoder runs in evaluation mode on the device that it is on; bytes (images) reach it divided by 255 and nothing
    else is done to inputs, so what else it needs, such as a normalisation, belongs into it. Features are kept in the
    cache folder under a digest of the encoder and of the inputs, and read from there when both are met again.

    Args:
        tasks: before :meth:`~softshare.TaskSet.split`, which then scales the features.
        encoder: any module, a batch of inputs ``(B, *shape)`` → ``(B, …)``.
        batch_size: inputs that go through it at a time.
        in_memory: hold the features in memory and write nothing.

    Raises:
        TypeError: the encoder returns something else than a tensor.
        ValueError: the tasks are split already.

    Shape:
        Inputs of every task become ``(N, features)``, the encoder's outputs flattened.
    """
    if tasks.preprocessing:
        raise ValueError("tasks: features are made of inputs as they are, before they are scaled; call encoder_features before split")
    was_training = encoder.training
    encoder.eval()
    try:
        sources = tuple(_encoded(source, encoder, batch_size, in_memory=in_memory) for source in tasks.sources)
    finally:
        encoder.train(was_training)
    return replace(tasks, sources=sources)


def _encoded(source: Source, encoder: nn.Module, batch_size: int, *, in_memory: bool) -> Source:
    if in_memory:
        return torch.cat([_run(encoder, source, begin, batch_size) for begin in range(0, len(source), batch_size)])
    key = digest_of(_digest(encoder), source)
    folder = derived(f"features-1-{key[:16]}", [], partial(_write, source, encoder, batch_size))
    return MappedArray(folder / "features.npy")


def _write(source: Source, encoder: nn.Module, batch_size: int, folder: Path) -> None:
    first = _run(encoder, source, 0, batch_size)
    shape = len(source), first.shape[1]
    features = np.lib.format.open_memmap(folder / "features.npy", mode="w+", dtype=np.float32, shape=shape)
    features[: len(first)] = first.numpy()
    for begin in range(len(first), len(source), batch_size):
        features[begin : begin + batch_size] = _run(encoder, source, begin, batch_size).numpy()
    features.flush()


@torch.no_grad()
def _run(encoder: nn.Module, source: Source, begin: int, count: int) -> Tensor:
    inputs = take(source, np.arange(begin, min(begin + count, len(source))))
    device = next((value.device for value in encoder.parameters()), inputs.device)
    outputs = encoder((inputs.float() / 255 if inputs.dtype == torch.uint8 else inputs).to(device))
    if not isinstance(outputs, Tensor):
        raise TypeError(f"encoder: it must return a tensor, got {type(outputs).__name__}; wrap it in a module that picks one")
    return outputs.flatten(1).float().cpu()


def _digest(encoder: nn.Module) -> str:
    """Of an encoder's structure, as far as it prints itself, and of its values."""
    digest = hashlib.blake2b(str(encoder).encode(), digest_size=16)
    for name, value in encoder.state_dict().items():
        digest.update(f"{name}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
