"""Which training a checkpoint is of: its settings, its data and the network that it began with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from softshare._version import __version__
from softshare.tasks.sources import digest_of, may_draw
from softshare.tasks.task_set import TaskSet
from softshare.training.training_parts import NetworkValues

MOST_CHARACTERS = 40
"""A setting that takes more to write is named without its values where it differs."""

_START = "the weights that the network starts with"


@dataclass(frozen=True, eq=False)
class TrainingIdentity:
    """What must be equal for a training to go on.

    Args:
        settings: of the training: argument → value, as JSON.
        train: the training examples.
        validation: those that are watched, or None.
        network: what its layers are, and its numbers before the first step, as
            :func:`network_identity` gives it.
    """

    settings: Mapping[str, Any]
    train: TaskSet
    validation: TaskSet | None
    network: Mapping[str, str]

    @cached_property
    def as_json(self) -> dict[str, Any]:
        """All of it; the data are read once for that."""
        validation = None if self.validation is None else _data_digest(self.validation)
        plain = {
            **self.settings,
            "train": _data_digest(self.train),
            "validation": validation,
            **self.network,
            "versions": f"softshare {__version__}, torch {torch.__version__}",
        }
        text = json.dumps(plain)
        made: dict[str, Any] = json.loads(text)  # as it will be read again: tuples are lists
        return made

    def digest(self) -> str:
        """Of all of it."""
        text = json.dumps(self.as_json, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """In what another training's differs, as phrases; versions may differ."""
        own = self.as_json
        found = []
        for name in dict.fromkeys([*own, *other]):
            before, now = other.get(name), own.get(name)
            if name != "versions" and before != now:
                found.append(_phrase(name, before, now))
        return found

    def starts_otherwise_only(self, other: Mapping[str, Any]) -> bool:
        """Whether nothing but the network's first numbers differs."""
        return self.differences(other) == [_START]


def network_identity(network: nn.Module, values: NetworkValues) -> dict[str, str]:
    """What a network's layers are, and a digest of its numbers as they are now."""
    lines = [repr(getattr(network, "sharing", None))]
    for name, module in network.named_modules():
        lines.append(f"{name}: {type(module).__name__}({module.extra_repr()})")
    for name, parameter in network.named_parameters():
        form = tuple(parameter.shape), str(parameter.dtype), parameter.requires_grad
        lines.append(f"{name}: {form}")
    structure = hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
    return {"network": structure, _START: values.digest()}


def described(value: Any) -> Any:
    """A setting as JSON: functions and objects by their names, numbers and texts as they are."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(name): described(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [described(part) for part in value]
    if isinstance(value, partial):
        return [described(value.func), described(value.args), described(value.keywords)]
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def described_optimizer(optimizer: Optimizer) -> Any:
    """Its class and its groups' options; learning rates are settings of their own."""
    groups = []
    for group in optimizer.param_groups:
        options = {}
        for name, value in group.items():
            if name not in ("params", "lr", "initial_lr"):
                options[name] = described(value)
        groups.append(options)
    return [type(optimizer).__name__, groups]


def _data_digest(tasks: TaskSet) -> str:
    """Of what is the same whenever it is read."""
    if not any(may_draw(source) for source in tasks.sources):
        return tasks.fingerprint()
    names = [(task.name, task.kind, task.n_outputs, task.classes) for task in tasks.tasks]
    shapes = [tuple(source.shape) for source in tasks.sources]
    weights = () if tasks.weights is None else ("weights", tasks.weights)
    return digest_of(repr((names, shapes)), tasks.offsets, tasks.rows, tasks.targets, *weights)


def _phrase(name: str, before: Any, now: Any) -> str:
    if name in ("train", "validation"):
        return f"other data ({name})"
    if name in ("network", _START):
        return name if name == _START else "a network of other layers, sharing or tasks"
    if len(f"{before}{now}") > MOST_CHARACTERS:
        return name
    return f"{name} {before}, now {now}"
