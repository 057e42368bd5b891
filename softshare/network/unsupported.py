"""What a template cannot have, told by name when the network is made."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def require_supported(template: nn.Module) -> None:
    """Make sure that a template's modules can be copied, and run with weights from elsewhere.

    Raises:
        ValueError: a module has no weights yet, computes a weight when it is made, or changes its
            weights when it is run; names it and the remedy.
    """
    for name, module in template.named_modules():
        where = f"template: {name or 'it'} ({type(module).__name__})"
        _require_initialised(where, module)
        _require_leaves(where, module)
        _require_unchanged(where, module)


def _require_initialised(where: str, module: nn.Module) -> None:
    values = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
    if any(is_lazy(value) for value in values):
        raise ValueError(
            f"{where} has no weights yet, as their shapes depend on its inputs; call the template "
            "on a few rows first, or give the widths"
        )


def _require_leaves(where: str, module: nn.Module) -> None:
    """No weight is a tensor computed from parameters, which torch cannot copy."""
    for name, value in vars(module).items():
        if isinstance(value, Tensor) and value.grad_fn is not None:
            raise ValueError(
                f"{where}: its {name} is computed from other parameters and cannot be copied, as "
                "torch.nn.utils.weight_norm and prune make it, and spectral_norm once it has run; "
                "use those of torch.nn.utils.parametrizations, or torch.nn.utils.prune.remove"
            )


def _require_unchanged(where: str, module: nn.Module) -> None:
    if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.max_norm is not None:
        raise ValueError(
            f"{where}: max_norm={module.max_norm:g} changes the weights in place in every pass, "
            "and these may be shared or composed; leave max_norm out, or use weight decay"
        )
