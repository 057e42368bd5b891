"""Which weights a template has, and in which mode order the papers write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

import torch
from torch import Tensor, nn

from softshare.network.execution.known_modules import paper_axes
from softshare.sharing.base import Sharing
from softshare.sharing.independent import Independent
from softshare.sharing.layer_scales import LayerScales


@dataclass(frozen=True)
class Parameter:
    """One parameter of the template.

    Args:
        layer: the layer's name: that of its module, with the parameter's where it is not
            ``weight``.
        path: the parameter's full name in the template.
        axes: its axes in the papers' mode order, ``(in, out)`` or ``(h, w, in, out)``.
        is_weight: whether it is a layer that can be shared; biases and norm parameters are not.
        each_tasks_own: whether it stays each task's own unless a pattern names it, as its module
            says by an attribute of that name.
        is_scales: whether it is the table of a soft ordering's scales.
        is_frozen: whether the template says that it is not trained (``requires_grad=False``).
        padding_row: the row that is zero in every task's table, whatever the tasks share: that of
            an embedding's padding; None where there is none.
    """

    layer: str
    path: str
    axes: tuple[int, ...]
    is_weight: bool
    each_tasks_own: bool = False
    is_scales: bool = False
    is_frozen: bool = False
    padding_row: int | None = None

    def to_paper(self, value: Tensor) -> Tensor:
        """From PyTorch's axis order to the papers'."""
        return value.permute(self.axes)

    def to_torch(self, value: Tensor) -> Tensor:
        """From the papers' axis order to PyTorch's; leading task axes stay in front."""
        extra = value.ndim - len(self.axes)
        if self.padding_row is not None:  # composed from factors, the row need not come out as zero
            return self.without_padding(value)
        return (
            value.permute(*range(extra), *[extra + axis for axis in self._inverse])
            if self._inverse
            else value
        )

    def without_padding(self, value: Tensor) -> Tensor:
        """Values, the row of the padding set to zero; leading task axes stay in front."""
        if self.padding_row is None:
            return value
        row = torch.tensor([self.padding_row], device=value.device)
        return value.index_fill(value.ndim - len(self.axes), row, 0.0)

    @cached_property
    def _inverse(self) -> list[int]:
        """PyTorch's axes among the papers'; none where both orders are one."""
        inverse = sorted(range(len(self.axes)), key=self.axes.__getitem__)
        return [] if inverse == sorted(inverse) else inverse


def parameters_of(template: nn.Module) -> dict[str, Parameter]:
    """Every parameter of a template by its full name, in the order of its modules."""
    found = {}
    for module_name, module in template.named_modules():
        for name, value in module.named_parameters(recurse=False):
            path = f"{module_name}.{name}" if module_name else name
            is_weight = value.ndim >= 2
            layer = module_name if name == "weight" and is_weight and module_name else path
            own = bool(getattr(module, "each_tasks_own", False))
            axes = paper_axes(module, name, value.ndim)
            found[path] = Parameter(
                layer,
                path,
                axes,
                is_weight,
                own,
                is_scales=isinstance(module, LayerScales),
                is_frozen=not value.requires_grad,
                padding_row=_padding_row(module, value),
            )
    return found


def _padding_row(module: nn.Module, value: Tensor) -> int | None:
    """An embedding's row of the padding, where the template's is zero; a trained table may have
    another one.
    """
    if not isinstance(module, nn.Embedding | nn.EmbeddingBag) or module.padding_idx is None:
        return None
    row = module.padding_idx % len(value)
    return None if value[row].any() else row


def assign_sharings(
    layers: list[str], own: set[str], sharing: Sharing | Mapping[str, Sharing]
) -> dict[Sharing, list[str]]:
    """Which layers each sharing gets: all that patterns with an equal sharing match are one group.

    Args:
        layers: the layers' names.
        own: layers that stay each task's own unless a pattern names them (the output layer, layers
            whose shapes differ between tasks, those whose module says so): the pattern ``*`` does
                not.
        sharing: one sharing for all shareable layers, or layer-name pattern → sharing, first match
            wins.

    Returns:
        Sharing → its layers in their order in the network; layers that no pattern names are
        independent.

    Raises:
        ValueError: a pattern matches no layer.
        TypeError: a value is not a sharing.
    """
    if not isinstance(sharing, Sharing | Mapping):
        raise TypeError(
            "sharing: pass a sharing such as ss.Tied(), or a mapping from layer-name patterns to "
            f"sharings; got {_shown(sharing)}"
        )
    patterns = {"*": sharing} if isinstance(sharing, Sharing) else dict(sharing)
    for pattern, value in patterns.items():
        if not isinstance(value, Sharing):
            raise TypeError(
                f"sharing[{pattern!r}] must be a sharing such as ss.Tied(), got {_shown(value)}"
            )
    groups: dict[Sharing, list[str]] = {}
    for layer in layers:
        matching = [
            p for p in patterns if fnmatchcase(layer, p) and not (p == "*" and layer in own)
        ]
        groups.setdefault(patterns[matching[0]] if matching else Independent(), []).append(layer)
    unmatched = [
        pattern
        for pattern in patterns
        if pattern != "*" and not any(fnmatchcase(layer, pattern) for layer in layers)
    ]
    if unmatched:
        raise ValueError(
            f"no layer matches {', '.join(map(repr, unmatched))}; the layers are "
            f"{', '.join(map(repr, layers))}"
        )
    return groups


def _shown(value: object) -> str:
    """A wrong value as an error shows it: a class by its name, with what is missing."""
    if isinstance(value, type):
        return f"the class {value.__name__}: call it, {value.__name__}(…)"
    return repr(value)
