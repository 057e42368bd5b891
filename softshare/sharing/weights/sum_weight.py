"""A weight that is the sum of two: what all tasks have in common, and each task's own part."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_letters

import torch
from torch import Tensor

from softshare.sharing.algebra.contraction import contract
from softshare.sharing.base import SharedWeight
from softshare.sharing.spread import Spread
from softshare.sharing.weights.regularised import RegularisedWeight

MOST_FACTORS = 5
"""Factors up to which ``‖V_t‖²`` is contracted, twice as many operands; of more it is composed."""


@dataclass(frozen=True)
class Parts:
    """How much of one layer is common, and how much the tasks' own.

    Attributes:
        own: share of each task's own part in its weight's squares, ``‖V_t‖² / (‖W_0‖² + ‖V_t‖²)``.
        common_size: root mean square of the common part's elements, over all tasks.
        own_sizes: of each task's own part.
        spread: the learned standard deviation of the own parts' elements; None where it is given.
    """

    own: tuple[float, ...]
    common_size: float
    own_sizes: tuple[float, ...]
    spread: float | None


class SumWeight(SharedWeight):
    """``W_t = C_t + V_t``, where the own parts ``V_t`` are the own parameters times what the spread
    says: each term in its own parameters, never added up where a layer can take
    them one by one.

    Args:
        common: what the tasks have in common, ``C``; as a rule one weight for all.
        own: the tasks' own parts, ``V``.
        spread: the prior of the own parts; None where they have none, or one of their own.
    """

    def __init__(self, common: SharedWeight, own: SharedWeight, spread: Spread | None) -> None:
        super().__init__()
        self.common = common
        self.own = own
        self.spread = spread
        self.n_tasks = own.n_tasks
        terms = (common, own)
        self.regularises = spread is not None or any(term.regularises for term in terms)
        self.updates = any(term.updates for term in terms)
        self._last_rows: Tensor | None = None

    # --- the weights ---------------------------------------------------------------------------

    @property
    def terms(self) -> tuple[SharedWeight, ...]:
        return (*self.common.terms, *self.own.terms)

    def stacked(self, tasks: Tensor | None = None) -> Tensor:
        self.remember_rows(tasks)
        return self.common.stacked(tasks) + self.scaled(self.own.stacked(tasks))

    def padded(self, tasks: Tensor | None = None) -> Tensor:
        self.remember_rows(tasks)
        return self.common.padded(tasks) + self.scaled(self.own.padded(tasks))

    def of(self, task: int) -> Tensor:
        return self.common.of(task) + self.scaled(self.own.of(task))

    def scaled(self, own: Tensor) -> Tensor:
        """What own parameters make, or an output of it, as a part of the sum."""
        multiple = None if self.spread is None else self.spread.multiple
        return own if multiple is None else multiple.to(own.dtype) * own

    def remember_rows(self, tasks: Tensor | None) -> None:
        """Remember which tasks' rows a pass uses, where gradients hold these alone."""
        if self.sparse_rows:
            self._last_rows = tasks

    # --- what is learned beside the loss -------------------------------------------------------

    def penalty(self, examples: Tensor) -> Tensor:
        total = super().penalty(examples)
        if self.common.regularises:
            total = total + self.common.penalty(examples)
        if self.spread is None:
            return total + self.own.penalty(examples) if self.own.regularises else total
        if self.own.takes_variance:
            counts = examples / self.spread.dispersion.mean()
            scale = torch.as_tensor(self.spread.scale, device=examples.device)
            return total + self.own.prior_penalty(counts, scale.square())
        return total + self._drawn_to_zero(self.spread, examples)

    def _drawn_to_zero(self, spread: Spread, examples: Tensor) -> Tensor:
        """The penalty on the own parts by their spread."""
        rows = self._last_rows
        if rows is None:
            return spread.penalty(self.own_squares(), examples)
        # The step's tasks alone, as they alone have gradients; the others' turn comes. The
        # objective takes their share of the whole, which this undoes.
        own = self.own_squares(rows)
        everyone = torch.zeros(len(examples), dtype=own.dtype, device=own.device)
        everyone = everyone.index_add(0, rows, own)
        return len(examples) / len(rows) * spread.penalty(everyone, examples)

    def own_squares(self, tasks: Tensor | None = None) -> Tensor:
        """``‖U_t‖²`` of the own parameters, ``(k,)``, without composing ``U`` where it has
        factors.
        """
        network = self.own.contraction(tasks)
        if network is None or len(network[1]) == 1 or len(network[1]) > MOST_FACTORS:
            own = self.own.padded(tasks)
            return own.flatten(1).square().sum(1)
        equation, factors = network
        return contract(squared_equation(equation), [*factors, *factors])

    def after_step(self) -> None:
        for term in (self.common, self.own):
            if term.updates:
                term.after_step()

    def recentre(self) -> bool:
        """Move the own parts' mean to the common part; all weights stay as they are.

        Where tasks have equally many rows and one dispersion this is where the penalty is least.
        Elsewhere the least penalty would have the common part near the tasks of few rows, whose own
        parts it draws to zero the most; the plain mean leaves them to the common part that all
        tasks' losses have found.

        Returns:
            Whether that can be: the common part is one trained weight, the own parts are free in
            their mean.
        """
        nothing = torch.zeros_like(self.common.of(0))
        if not self.common.add_to_all(nothing):
            return False
        mean = self.own.take_mean()
        return mean is not None and self.common.add_to_all(self.scaled(mean))

    # --- whose is what -------------------------------------------------------------------------

    @property
    def sparse_rows(self) -> bool:
        """Whether the terms' gradients are sparse."""
        return self.own.sparse_rows

    @sparse_rows.setter
    def sparse_rows(self, value: bool) -> None:
        for term in (self.common, self.own):
            term.sparse_rows = value

    def task_parameters(self) -> list[str]:
        return self._of_terms("task_parameters")

    def sparse_parameters(self) -> list[str]:
        return self._of_terms("sparse_parameters")

    def _of_terms(self, what: str) -> list[str]:
        """Both terms' answers, with the names that their parameters have here."""
        names = []
        for prefix in ("common", "own"):
            term = getattr(self, prefix)
            for name in getattr(term, what)():
                names.append(f"{prefix}.{name}")
        return names

    def own_values(self, task: int) -> list[Tensor]:
        return [*self.common.own_values(task), *self.own.own_values(task)]

    def task_vectors(self) -> Tensor:
        return torch.cat([self.common.task_vectors(), self.own.task_vectors()], 1)

    def task_correlation(self) -> Tensor | None:
        return self.own.task_correlation()

    def independent_parameters(self) -> int:
        return self.own.independent_parameters()

    def ranks(self) -> tuple[int, ...]:
        return self.own.ranks()

    # --- starts --------------------------------------------------------------------------------

    def scale(self, multiple: Tensor | float) -> None:
        if self.common.task_parameters():
            self.common.scale(multiple)
        self.own.scale(multiple)

    @torch.no_grad()
    def take_deviations(self, variance: Tensor) -> None:
        """Let own parameters that are deviations themselves be what makes these, their mean square
        ``()`` being the variance to begin with.
        """
        if self.spread is None or self.spread.multiple is None:
            return
        self.spread.variance.copy_(variance)
        multiple = self.spread.multiple
        self.own.scale(1 / multiple)

    def leave_given(self) -> None:
        self.common.requires_grad_(False)

    def with_task(self, start: Tensor) -> SharedWeight:
        """One more task at the common part: its own is zero, and all that is trained.

        Raises:
            ValueError: see :meth:`SharedWeight.with_task`.
        """
        own = self.own
        if isinstance(own, RegularisedWeight) and self.spread is not None:
            # A prior that joins the tasks says nothing of a new one's part but how large it is,
            # and the others' parts move no more.
            own = own.unjoined()
        common = self.common.with_task(start)
        own = own.with_task(torch.zeros_like(start))
        of_new = own.own_values(own.n_tasks - 1)
        with torch.no_grad():
            of_new[0].zero_()
        spread = None if self.spread is None else self.spread.for_one_more()
        weight = SumWeight(common, own, spread)
        weight.common.requires_grad_(False)
        return weight

    # --- what it tells -------------------------------------------------------------------------

    @torch.no_grad()
    def parts(self) -> Parts:
        """How much is common, and how much the tasks' own."""
        stack = self.common.stacked()
        if stack.stride(0) == 0:  # one for all: its squares are added up once
            stack = stack[:1]
        common = stack.double().flatten(1).square()
        unit = torch.ones((), dtype=torch.float64, device=common.device)
        own = self.own_squares().double() * self.scaled(unit).square()
        n_elements = common.shape[1]
        whole = common.sum(1) + own
        shares = torch.where(whole > 0, own / whole.clamp(min=1e-300), 0.0)
        return Parts(
            own=tuple(shares.tolist()),
            common_size=float(common.mean().sqrt()),
            own_sizes=tuple((own / n_elements).sqrt().tolist()),
            spread=None if self.spread is None else self.spread.deviation,
        )


def squared_equation(equation: str) -> str:
    """The equation of ``Σ W²`` of every task, from the weight's own: it and its copy, joined along
    the weight's modes.

    ``aA,AbB,tB->tab`` becomes ``aA,AbB,tB,aZ,ZbY,tY->t``.
    """
    inputs, output = equation.split("->")
    used = set(inputs) | set(output)
    free = iter(letter for letter in reversed(ascii_letters) if letter not in used)
    copies: dict[str, str] = {}
    copied = ""
    for letter in inputs:
        if letter == "," or letter in output:
            copied += letter
            continue
        if letter not in copies:
            copies[letter] = next(free)
        copied += copies[letter]
    return f"{inputs},{copied}->t"
