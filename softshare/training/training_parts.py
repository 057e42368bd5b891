"""What a training consists of, each part with a state of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from softshare.tasks.random_keys import set_shared_generators, shared_generators


@runtime_checkable
class Stateful(Protocol):
    """What can say how it stands, and go on from there; optimizers and schedules among others."""

    def state_dict(self) -> dict[str, Any]:
        """All that changes in training: numbers, texts, tensors, and lists and dicts of these."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Go on from what :meth:`state_dict` gave."""
        ...


Parts = Mapping[str, Stateful]
"""What a part is called → the part."""


class NetworkValues:
    """All numbers of a network: parameters, and buffers, also those that a model's file leaves out.

    Args:
        network: whose they are.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    def _values(self) -> dict[str, Tensor]:
        return {**dict(self._network.named_parameters()), **dict(self._network.named_buffers())}

    def state_dict(self) -> dict[str, Any]:
        """The values themselves."""
        return {name: value.detach() for name, value in self._values().items()}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Set them in place.

        Raises:
            ValueError: they are another network's.
        """
        values = self._values()
        if state.keys() != values.keys():
            differ = sorted(state.keys() ^ values.keys())
            raise ValueError(f"only one of two networks has {differ[0]}")
        for name, value in values.items():
            if value.shape != state[name].shape:
                raise ValueError(
                    f"{name} has the shape {tuple(value.shape)} in one of two networks"
                )
            value.copy_(state[name])

    def digest(self) -> str:
        """Of the values as they are now."""
        return digest_of_values(self.state_dict())

    def is_at(self, state: Mapping[str, Tensor]) -> bool:
        """Whether they are these very values."""
        return self.digest() == digest_of_values(state)


class SharedGenerators:
    """The generators that all code shares, those of the network's device included.

    Args:
        device: where the network is.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def state_dict(self) -> dict[str, Any]:
        """Where they stand."""
        own = None
        if self._device.type == "cuda":
            own = torch.cuda.get_rng_state(self._device)
        return {**shared_generators(), "cuda": own}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Let them go on from there."""
        set_shared_generators(state)
        if self._device.type == "cuda" and state["cuda"] is not None:
            torch.cuda.set_rng_state(state["cuda"], self._device)


def digest_of_values(values: Mapping[str, Tensor]) -> str:
    """A digest of tensors, equal for equal names and numbers wherever they are."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(values):
        value = values[name].detach().cpu().contiguous()
        digest.update(repr((name, str(value.dtype), tuple(value.shape))).encode())
        as_bytes = value.reshape(-1).view(torch.uint8)
        digest.update(as_bytes.numpy().data)
    return digest.hexdigest()
