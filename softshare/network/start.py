"""Where a network's weights start: from the template's values, from given ones, or at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from softshare.network.forms import Form, Stacks, make_templates, stacks_of_templates
from softshare.network.layers import parameters_of
from softshare.network.templates.standard import TemplateFactory

Initial = Literal["independent", "common"] | Stacks | None
"""See :class:`softshare.MultiTaskNetwork`."""


@dataclass(frozen=True)
class Start:
    """What every weight starts from.

    Args:
        stacks: every parameter's values for all tasks, by full name.
        kept: full names of the weights that start from these values; a sharing draws the others
            anew, of these values' size.
        draws_orders: whether a sharing that sets the order of layers draws it, kept or not.
        examples: of every task, behind its values; None where they weigh equally.
    """

    stacks: Stacks
    kept: frozenset[str]
    draws_orders: bool = False
    examples: Sequence[float] | None = None


def from_values(stacks: Stacks, examples: Sequence[float] | None = None) -> Start:
    """The start from given values: trained ones, for instance."""
    return Start(stacks, frozenset(stacks), examples=examples)


def start_of(
    initial: Initial,
    template: nn.Module | TemplateFactory,
    forms: list[Form],
    templates: Mapping[Form, nn.Module],
    seed: int,
) -> Start:
    """What :class:`softshare.MultiTaskNetwork` starts from.

    Args:
        initial: as the network takes it.
        template: as the network takes it.
        forms: the tasks' forms.
        templates: the template of each form.
        seed: under which the templates were made.

    Raises:
        ValueError: ``initial`` is another word, or values of some parameters are missing.
    """
    own = stacks_of_templates(forms, templates)
    if isinstance(initial, Mapping):
        if missing := [path for path in own if path not in initial]:
            raise ValueError(
                f"initial: no values for {', '.join(map(repr, missing))}; give the tasks' "
                "values of every parameter, as network.stacks() does, or 'common' or 'independent'"
            )
        return from_values(dict(initial))
    if initial == "common":
        return from_values(own)
    if initial == "independent":
        return Start(own, frozenset(), draws_orders=True)
    if initial is not None:
        raise ValueError(
            "initial must be 'independent', 'common', the tasks' weights as network.stacks() "
            f"gives them, or None; got {initial!r}"
        )
    if isinstance(template, nn.Module):
        return Start(own, frozenset(own), draws_orders=True)
    return Start(own, _given(template, forms[0], templates[forms[0]], seed), draws_orders=True)


def _given(template: TemplateFactory, form: Form, first: nn.Module, seed: int) -> frozenset[str]:
    """The parameters that a template function does not draw: under another seed they are the same.

    Such are an encoder's trained values; those that the function draws are one of many starts.
    """
    other = dict(make_templates(template, [form], seed + 1)[form].named_parameters())
    values = dict(first.named_parameters())
    return frozenset(
        path for path in parameters_of(first) if torch.equal(values[path], other[path])
    )


def is_one_value(stack: Tensor) -> bool:
    """Whether all tasks have the same values: ``(T, *weight)``, a view of one copy as a rule."""
    return stack.stride(0) == 0 or bool((stack == stack[:1]).all())
