"""Networks that begin with an encoder trained elsewhere."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn

from softshare.network.templates.standard import TemplateFactory, mlp


def with_encoder(encoder: nn.Module, *, hidden: Sequence[int] = ()) -> TemplateFactory:
    """A template that begins with this encoder and its values: ``encoder``, then ``head``, a
    multilayer perceptron.

    ``MultiTaskNetwork(with_encoder(model), tasks, sharing={"encoder.*": ss.Tied(bias="tied"), "*":
    …})`` shares it among all tasks, with the values that it has. It is trained with a lower rate of
    its own by ``fit(…, learning_rates={"encoder.*": 1e-5})``; what of it has
    ``requires_grad=False`` is not trained, nor any of it after ``freeze(network, "encoder.*")``.
    One that is never trained runs once per example with :func:`softshare.encoder_features`.

    Args:
        encoder: any module, a batch of inputs ``(B, *shape)`` → ``(B, …)``; it is copied.
        hidden: widths of the head's hidden layers.

    Returns:
        What :class:`softshare.MultiTaskNetwork` takes as a template.
    """
    return partial(_with_head, encoder, tuple(hidden))


class Encoder(nn.Module):
    """A module as the first part of a template; tied among the tasks it runs once on the rows of
    all.

    Norms keep their running statistics in training: those of a few small batches are worse than
    those it came with.

    Args:
        module: ``(B, *shape)`` → ``(B, …)``.
    """

    by_row = True

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, inputs: Tensor) -> Tensor:
        """``(B, *shape)`` → ``(B, features)``."""
        outputs: Tensor = self.module(inputs)
        return outputs.flatten(1)

    def train(self, mode: bool = True) -> Self:
        """Training mode for all but norms with running statistics."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._NormBase) and module.track_running_stats:
                module.eval()
        return self


def _with_head(
    encoder: nn.Module, hidden: Sequence[int], input_shape: Sequence[int], n_outputs: int
) -> nn.Module:
    own = Encoder(copy.deepcopy(encoder))
    with torch.no_grad():
        width = own.eval()(torch.zeros(1, *input_shape)).shape[1]
    return nn.Sequential(
        OrderedDict(encoder=own.train(), head=mlp((width,), n_outputs, hidden=hidden))
    )


class Pooled(nn.Module):
    """A model of the library ``transformers`` as an encoder: one vector an example.

    The vector is the model's own pooled output where it has one, else the mean over the last hidden
    states, padding left out.

    Args:
        model: for images ``(B, C, H, W)`` or for numbers of tokens ``(B, length)``, filled up with
            its padding token.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._reads_tokens = getattr(model, "main_input_name", None) == "input_ids"
        self._padding = getattr(getattr(model, "config", None), "pad_token_id", None)

    def forward(self, inputs: Tensor) -> Tensor:
        """``(B, *shape)`` → ``(B, features)``."""
        if not self._reads_tokens:
            return _pooled(self.model(inputs), None)
        tokens = inputs.long()
        mask = (
            torch.ones_like(tokens) if self._padding is None else (tokens != self._padding).long()
        )
        return _pooled(self.model(input_ids=tokens, attention_mask=mask), mask)


def transformers_encoder(name: str, **options: Any) -> Pooled:
    """A trained model of the library ``transformers`` by its name or folder, as an encoder.

    Args:
        name: of a model on the hub, which the library downloads, or a folder that
            ``save_pretrained`` wrote.
        options: passed on to ``AutoModel.from_pretrained``.

    Raises:
        ImportError: the library is not installed.
    """
    try:
        from transformers import AutoModel
    except ImportError:
        raise ImportError(
            "transformers_encoder needs the library transformers: pip install 'softshare[hf]'"
        ) from None
    return Pooled(AutoModel.from_pretrained(name, **options))


def _pooled(outputs: Any, mask: Tensor | None) -> Tensor:
    if getattr(outputs, "pooler_output", None) is not None:
        return outputs.pooler_output.flatten(1)
    states = outputs.last_hidden_state
    if mask is None:
        return states.mean(1)
    return (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
