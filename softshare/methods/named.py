"""The named methods: what ``methods=`` offers. The only list of names in the project."""

from __future__ import annotations

from softshare.methods.auto import Auto
from softshare.methods.baselines import INDEPENDENT, POOLED, TIED, TIED_FIRST_LAYERS
from softshare.methods.contestants import (
    BOOSTED,
    BOOSTED_APART,
    BOOSTED_ON_POOLED,
    FOREST,
    FOREST_APART,
    GP,
    KERNEL_APART,
    LINEAR_EVGENIOU_PONTIL,
    LINEAR_GO_MTL,
    LINEAR_L21,
    LINEAR_MTFL,
    LINEAR_MTRL,
    LINEAR_RMTL,
    LINEAR_TRACE_NORM,
    MIXED_MODEL,
    POOLED_RIDGE,
    RIDGE,
)
from softshare.methods.factorisations import LAST_AXIS_FLATTENING, TENSOR_TRAIN, TUCKER
from softshare.methods.method import Method
from softshare.methods.network_method import NetworkMethod
from softshare.methods.orderings import PARALLEL_ORDERING, PERMUTED_ORDERING, SOFT_ORDERING
from softshare.methods.regularised import (
    TENSOR_NORMAL_DRN,
    TENSOR_NORMAL_MRN,
    TRACE_NORM_LAF,
    TRACE_NORM_TT,
    TRACE_NORM_TUCKER,
)
from softshare.methods.sums import (
    SHARED_PLUS_OWN,
    SHARED_PLUS_PRIOR,
    SHARED_PLUS_TENSOR_TRAIN,
)
from softshare.methods.tensor_rings import TENSOR_RING
from softshare.methods.widened import widened

_SHARINGS: tuple[NetworkMethod, ...] = (
    INDEPENDENT,
    POOLED,
    TIED,
    SHARED_PLUS_OWN,
    LAST_AXIS_FLATTENING,
    TUCKER,
    TENSOR_TRAIN,
    TIED_FIRST_LAYERS,
    TENSOR_RING,
    TRACE_NORM_LAF,
    TRACE_NORM_TUCKER,
    TRACE_NORM_TT,
    TENSOR_NORMAL_DRN,
    TENSOR_NORMAL_MRN,
    PARALLEL_ORDERING,
    PERMUTED_ORDERING,
    SOFT_ORDERING,
    SHARED_PLUS_TENSOR_TRAIN,
    SHARED_PLUS_PRIOR,
)

NETWORKS = (*_SHARINGS, widened(TIED, _SHARINGS, as_many_as="tensor-train"))
"""The methods that train networks."""

LINEAR: tuple[Method, ...] = (
    LINEAR_EVGENIOU_PONTIL,
    LINEAR_TRACE_NORM,
    LINEAR_L21,
    LINEAR_MTFL,
    LINEAR_MTRL,
    LINEAR_GO_MTL,
    LINEAR_RMTL,
)
"""The linear models of the papers that learn tasks together."""

CONTESTANTS: tuple[Method, ...] = (
    RIDGE,
    BOOSTED_APART,
    POOLED_RIDGE,
    MIXED_MODEL,
    BOOSTED,
    BOOSTED_ON_POOLED,
    FOREST,
    FOREST_APART,
    KERNEL_APART,
    GP,
    *LINEAR,
)
"""What a person would use instead of a network."""

APART: tuple[Method, ...] = (
    INDEPENDENT,
    RIDGE,
    BOOSTED_APART,
    FOREST_APART,
    KERNEL_APART,
)
"""The ways to learn every task apart: the first is always among those that are compared."""

_QUICK = (RIDGE, POOLED_RIDGE, MIXED_MODEL, BOOSTED, BOOSTED_ON_POOLED)

_LINEAR = (LINEAR_EVGENIOU_PONTIL, LINEAR_TRACE_NORM)

_THOROUGH = (
    *_QUICK,
    BOOSTED_APART,
    FOREST,
    GP,
    *_LINEAR,
    LINEAR_L21,
    LINEAR_MTRL,
    POOLED,
    TIED,
    SHARED_PLUS_OWN,
    LAST_AXIS_FLATTENING,
    TENSOR_TRAIN,
)

_QUICK_OF_SAME_ROWS = (RIDGE, BOOSTED_APART, KERNEL_APART, MIXED_MODEL, LINEAR_EVGENIOU_PONTIL)

_THOROUGH_OF_SAME_ROWS = (
    *_QUICK_OF_SAME_ROWS,
    FOREST_APART,
    GP,
    LINEAR_TRACE_NORM,
    LINEAR_L21,
    LINEAR_MTRL,
    TIED,
    LAST_AXIS_FLATTENING,
    TENSOR_TRAIN,
)

AUTO = Auto(
    {
        "quick": _QUICK,
        "default": (*_QUICK, *_LINEAR, SHARED_PLUS_OWN),
        "thorough": _THOROUGH,
    },
    {
        "quick": _QUICK_OF_SAME_ROWS,
        "default": (*_QUICK_OF_SAME_ROWS, LINEAR_TRACE_NORM, TENSOR_TRAIN),
        "thorough": _THOROUGH_OF_SAME_ROWS,
    },
    pooled=POOLED_RIDGE,
    apart=RIDGE,
    alone=APART,
)

METHODS: tuple[Method, ...] = (
    *NETWORKS,
    *CONTESTANTS,
    AUTO,
)


def method_named(name: str) -> Method:
    """The method of this name.

    Raises:
        KeyError: there is none.
    """
    for method in METHODS:
        if method.name == name:
            return method
    names = ", ".join(method.name for method in METHODS)
    raise KeyError(f"no method {name!r}; the methods are {names}")
