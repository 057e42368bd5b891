"""How far tasks' own parts spread around what the tasks have in common."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn

Shrink = float | Literal["learned"]
"""See :class:`softshare.sharing.sum.Sum`."""

START = 0.1
"""Of the common weights' size: where a learned spread starts."""

FLOOR = 1e-2
"""Of the common weights' size: what a learned spread never falls below."""

LEAST_SCALE = 0.05
"""Of own parameters: smaller ones would be crossed in a few of Adam's steps."""

MEMORY = 0.9
"""Of the evidence so far, what stays at each update."""


class Spread(nn.Module):
    """The prior of one layer's own parts, ``V_t ~ N(0, variance · I)``, and its evidence.

    A mean loss over ``N_t`` examples that is a negative log-likelihood ``φ_t`` times over (1 for
    classes, twice the noise's variance for squared errors) has beside it, in the same unit, the
    penalty ``φ_t ‖V_t‖² / (2 · variance · N_t)``.

    A variance near zero would make that penalty's gradients larger than all others, and an
    optimizer that remembers their size, as Adam does, would stand still ever after. So where it is
    learned the parameters are ``U_t`` of the fixed ``scale``, and ``V_t = (deviation / scale) ·
    U_t``: the penalty on ``U`` never changes, and with the deviation the own parts shrink by
    themselves.

    Args:
        n_tasks: T.
        shrink: ``"learned"``, or a number λ: the penalty is then ``λ Σ_t ‖V_t‖²``, and ``V = U``.
        scale: the size of the common weights, a root mean square.

    Attributes:
        variance: of an element of an own part, ``()``.
        dispersion: φ, ``(T,)``.
    """

    variance: Tensor
    dispersion: Tensor
    excess: Tensor
    weight: Tensor

    def __init__(self, n_tasks: int, shrink: Shrink, *, scale: float) -> None:
        super().__init__()
        self.strength = None if shrink == "learned" else float(shrink)
        self.scale = max(scale, LEAST_SCALE)
        self.is_learned = shrink == "learned"
        self.register_buffer("variance", torch.tensor((START * self.scale) ** 2))
        self.register_buffer("dispersion", torch.ones(n_tasks))
        self.register_buffer("excess", torch.zeros(()))
        self.register_buffer("weight", torch.zeros(()))

    @property
    def deviation(self) -> float | None:
        """The spread as a standard deviation, in the unit of the weights; None if it is given by a
        strength instead.
        """
        return None if self.strength is not None else sqrt(float(self.variance))

    @property
    def multiple(self) -> Tensor | None:
        """``deviation / scale``, by which own parameters become own parts, ``()``; None where they
        are these.
        """
        return None if self.strength is not None else self.variance.sqrt() / self.scale

    def penalty(self, squares: Tensor, examples: Tensor) -> Tensor:
        """What is added to the sum of the tasks' mean losses.

        Args:
            squares: ``‖U_t‖²``, ``(T,)``.
            examples: ``N_t``, ``(T,)``.

        Shape:
            ``()``.
        """
        if self.strength is not None:
            return self.strength * squares.sum()
        counts = examples.to(squares.dtype).clamp(min=1)
        strengths = self.dispersion.to(squares.dtype) / (2 * self.scale**2 * counts)
        return (strengths * squares).sum()

    @torch.no_grad()
    def learn(self, excess: Tensor, weight: Tensor) -> Tensor:
        """One update from the evidence of a batch.

        Returns:
            By what own parameters are to be multiplied, at most 1, ``()``: a larger spread leaves
            the own parts as they are.

        Args:
            excess: the weighted sum of the excess squares that
                :func:`softshare.sharing.algebra.excess.excess_squares` gives, ``()``.
            weight: the sum of its weights, ``()``.
        """
        unchanged = torch.ones_like(self.variance)
        if not self.is_learned or not torch.isfinite(excess + weight) or weight <= 0:
            return unchanged
        self.excess.mul_(MEMORY).add_(excess.to(self.excess))
        self.weight.mul_(MEMORY).add_(weight.to(self.weight))
        before = self.variance.clone()
        # One standard error less than the estimate: what the rows do not bear out is not granted.
        # The memory's batches hold much the same rows, and count as one.
        error = (2 / ((1 - MEMORY) * self.weight)).sqrt()
        variance = self.excess / self.weight - error
        self.variance.copy_(variance.clamp(min=(FLOOR * self.scale) ** 2))
        return torch.minimum(unchanged, (before / self.variance).sqrt())

    def for_one_more(self) -> Spread:
        """The same prior, no longer learned, for one task more, whose dispersion is the others'
        mean.
        """
        n_tasks = len(self.dispersion)
        shrink: Shrink = "learned" if self.strength is None else self.strength
        spread = Spread(n_tasks + 1, shrink, scale=self.scale)
        spread.to(self.variance)
        spread.is_learned = False
        spread.variance.copy_(self.variance)
        spread.dispersion[:n_tasks] = self.dispersion
        spread.dispersion[n_tasks] = self.dispersion.mean()
        return spread
