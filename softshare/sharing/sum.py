"""Sharing as a sum: what all tasks have in common, and each task's own small part (Evgeniou and
Pontil 2004, ``w_t = w_0 + v_t``), in every layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from softshare.sharing.base import (
    LayerShapes,
    SharedWeight,
    Sharing,
    common_stack,
    root_mean_square,
)
from softshare.sharing.independent import Independent
from softshare.sharing.pretrained import Pretrained
from softshare.sharing.random_streams import RandomStreams
from softshare.sharing.settings import is_number, take_numbers
from softshare.sharing.spread import Shrink, Spread
from softshare.sharing.tied import Tied
from softshare.sharing.weights.sum_weight import SumWeight


@dataclass(frozen=True)
class Sum(Sharing):
    """The sum of two sharings, ``common + own``: every task starts at the common part, and its own
    part, at first exactly zero, is shrunk as far as the tasks are alike.

    ``Tied() + Independent()`` is Evgeniou and Pontil's in every layer; ``Tied() +
    TensorTrain(ranks)`` has own parts of low rank across the tasks; ``Tied() + TensorNormal()`` is
    the deep relationship network's prior around a common mean; ``Pretrained() +
    TensorTrain(ranks)`` are adapters of a trained network, factorised across the tasks.

    Biases and norm parameters are random intercepts: a common value and each task's own deviation,
    shrunk likewise; beside pretrained layers they stay as they are.

    Args:
        common: what the tasks have in common.
        own: what each has beside it.
        shrink: how strongly the own parts are drawn to zero. ``"learned"`` — they are taken to be
            normal with a variance for every layer, which training sets by empirical Bayes
            (:mod:`softshare.training.spreads`); a number λ — ``λ Σ_t ‖V_t‖²`` beside the sum of the
            tasks' mean losses; 0 — not at all. An own part with a penalty of its own keeps that; of
            a tensor normal prior ``"learned"`` sets the variance.

    Raises:
        ValueError: ``shrink`` is none of these, or is given twice.
    """

    common: Sharing
    own: Sharing
    shrink: Shrink = "learned"

    def __post_init__(self) -> None:
        take_numbers(self)
        if isinstance(self.own, Independent) and self.own.shrink is not None:
            if self.shrink not in ("learned", self.own.shrink):
                raise ValueError(
                    f"Sum: shrink is given twice, {self.shrink!r} and {self.own.shrink!r} in the "
                    "own part"
                )
            object.__setattr__(self, "shrink", self.own.shrink)
            object.__setattr__(self, "own", Independent())
        if self.shrink != "learned" and not (is_number(self.shrink) and self.shrink >= 0):
            raise ValueError(
                f"Sum: shrink must be 'learned' or a number of at least 0, got {self.shrink!r}"
            )
        for part in (self.common, self.own):
            if part.orders_layers:
                raise ValueError(f"Sum: {part} sets the order of layers and cannot be added")

    @property
    def of_biases(self) -> Sharing | None:
        if isinstance(self.common, Pretrained):
            return self.common.of_biases
        return Sum(Tied(), Independent(), self.shrink)

    @property
    def learns_beside_frozen(self) -> bool:
        return True

    def for_tasks(self, names: Sequence[object]) -> Sharing:
        return replace(
            self,
            common=self.common.for_tasks(names),
            own=self.own.for_tasks(names),
        )

    def truncated(self, epsilon: float) -> Sharing:
        common, own = self.common.truncated(epsilon), self.own.truncated(epsilon)
        return replace(self, common=common, own=own)

    def draw(
        self,
        layers: Mapping[str, LayerShapes],
        streams: RandomStreams,
    ) -> dict[str, SharedWeight]:
        common = self.common.draw(layers, streams)
        own = self._at_zero(layers, streams)
        weights: dict[str, SharedWeight] = {}
        for name, layer in layers.items():
            weights[name] = self._sum(common[name], own[name], scale=layer.stds[0])
        return weights

    def share(self, stacks: Mapping[str, Sequence[Tensor] | Tensor]) -> dict[str, SharedWeight]:
        """See :meth:`start`."""
        n_tasks = len(next(iter(stacks.values())))
        return self.start(stacks, RandomStreams(0, range(n_tasks)))

    def start(
        self,
        stacks: Mapping[str, Sequence[Tensor] | Tensor],
        streams: RandomStreams,
        *,
        examples: Sequence[float] | None = None,
    ) -> dict[str, SharedWeight]:
        """The common part is the tasks' mean, weighted by their examples, and the own parts are
        what is left, as nearly as the own sharing can; where nothing is left, they start at zero.
        """
        whole = {}
        centres = {}
        for name, stack in stacks.items():
            whole[name] = common_stack(stack, name, "Sum")
            centres[name] = whole[name]
            if self.common.is_one_for_all:
                centres[name] = _centre(whole[name], examples)
        common = self.common.start(centres, streams, examples=examples)
        left: dict[str, Tensor] = {}
        nothing_left: dict[str, LayerShapes] = {}
        for name, stack in whole.items():
            deviation = None if stack.stride(0) == 0 else stack - common[name].stacked().detach()
            if deviation is None or not deviation.any():
                shape = tuple(stack.shape[1:])
                nothing_left[name] = LayerShapes((shape,), root_mean_square(stack[0]) or 1.0)
            else:
                left[name] = deviation
        own = self.own.start(left, streams, examples=examples) if left else {}
        own |= self._at_zero(nothing_left, streams) if nothing_left else {}
        weights: dict[str, SharedWeight] = {}
        for name, stack in whole.items():
            weight = self._sum(common[name], own[name], scale=root_mean_square(stack[0]))
            weights[name] = weight.to(stack.device, stack.dtype)
            if name in left:
                weight.take_deviations(left[name].double().square().mean())
        return weights

    def _at_zero(
        self, layers: Mapping[str, LayerShapes], streams: RandomStreams
    ) -> dict[str, SharedWeight]:
        """Own parts of every layer that are exactly zero."""
        # Under names of their own, or terms of one kind would be drawn alike.
        renamed = {}
        for name, layer in layers.items():
            renamed[f"{name} (own part)"] = layer
        drawn = self.own.draw(renamed, streams)
        own = {}
        for name, weight in zip(layers, drawn.values(), strict=True):
            weight.scale(0.0)
            own[name] = weight
        return own

    def _sum(self, common: SharedWeight, own: SharedWeight, *, scale: float) -> SumWeight:
        spread = None
        takes_spread = not own.regularises or (own.takes_variance and self.shrink == "learned")
        if takes_spread and self.shrink != 0:
            spread = Spread(own.n_tasks, self.shrink, scale=scale or 1.0)
        return SumWeight(common, own, spread)


def _centre(stack: Tensor, examples: Sequence[float] | None) -> Tensor:
    """The tasks' mean weighted by their examples, as a view for every task: ``(T, *weight)``."""
    if stack.stride(0) == 0:
        return stack
    if bool((stack == stack[:1]).all()):
        return stack[:1].expand_as(stack)  # bit for bit, where a mean may round
    if examples is None:
        return stack.mean(0, keepdim=True).expand_as(stack)
    share = torch.tensor(examples, dtype=torch.float64, device=stack.device)
    share = share / share.sum()
    mean = torch.einsum("t,t...->...", share, stack.double())
    return mean.to(stack.dtype).unsqueeze(0).expand_as(stack)
