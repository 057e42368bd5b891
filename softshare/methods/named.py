"""The named methods: what ``--methods`` offers. The only list of names in the project."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from softshare.methods import recipes
from softshare.methods.method import CROSS_VALIDATED, Method, Options, Range

DMTRL = "Yang & Hospedales 2017 (DMTRL)"
LAF_OPTIONS: Options = {"task_rank": 0.3, "epsilon": 0.1, "apart": 0.0}
LAF_SPACE: Mapping[str, Range] = {
    "task_rank": (0.1, 1.0, "linear"),
    "epsilon": (0.05, 0.5, "log"),
    "apart": (0.0, 0.25, 0.5),
}
FACTORISED_OPTIONS: Options = {"ranks": 1.0, **LAF_OPTIONS}
FACTORISED_SPACE: Mapping[str, Range] = {"ranks": (0.5, 1.0, "linear"), **LAF_SPACE}

TNRDMTL = "Yang & Hospedales 2017 (trace norm)"
TRACE_NORM_OPTIONS: Options = {"gamma": 0.01, "every": 1}
TRACE_NORM_SPACE: Mapping[str, Range] = {"gamma": (1e-4, 1.0, "log")}
DRN = "Long, Wang & Yu 2017 (DRN, MRN)"
TENSOR_NORMAL_OPTIONS: Options = {"scale": 0.1, "epsilon": 0.1, "every": 10}
TENSOR_NORMAL_SPACE: Mapping[str, Range] = {
    "scale": (1e-4, 1.0, "log"),
    "epsilon": (1e-3, 0.3, "log"),
}

SLO = "Meyerson & Miikkulainen 2018 (soft layer ordering)"
ORDERING_OPTIONS: Options = {"depth": 2, "dropout": 0.0}
ORDERING_SPACE: Mapping[str, Range] = {"depth": (2, 6, "int"), "dropout": (0.0, 0.5, "linear")}

# Bases of features serve all tasks and layers behind them: trained as fast as the rest they run
# ahead of it and overfit (docs/defaults.md has the figures).
SLOW_BASES = 0.1

TRMTL = "ICLR 2019 submission (TRMTL)"
TENSOR_RING_OPTIONS: Options = {"ranks": 8, "shared": 2, "cores": 3}
TENSOR_RING_SPACE: Mapping[str, Range] = {"ranks": (3, 12, "int"), "shared": (0, 3, "int")}

METHODS: tuple[Method, ...] = (
    Method(
        "independent",
        "nothing: every task learns alone (the baseline)",
        "single-task learning",
        recipes.independent,
    ),
    Method(
        "pooled",
        "everything but the output bias: one network for all tasks",
        "what one would do instead",
        recipes.pooled,
        applies_to=recipes.pooled_suits,
    ),
    Method("tied", "all layers but the output (hard sharing)", "Caruana 1997", recipes.tied),
    Method(
        "last-axis-flattening",
        "basis weights, mixed by each task in its own way (LAF)",
        DMTRL,
        recipes.last_axis_flattening,
        options=LAF_OPTIONS,
        search_space=LAF_SPACE,
    ),
    Method(
        "tucker",
        "bases of inputs and outputs, and a core of which each task mixes slices",
        DMTRL,
        recipes.tucker,
        options=FACTORISED_OPTIONS,
        applies_to=recipes.whole_grid,
        rates={"*.mode_*": SLOW_BASES},
        search_space=FACTORISED_SPACE,
    ),
    Method(
        "tensor-train",
        "a chain of cores, the last one each task's own",
        DMTRL,
        recipes.tensor_train,
        options=FACTORISED_OPTIONS,
        applies_to=recipes.whole_grid,
        rates={"*.core_1": SLOW_BASES},
        search_space=FACTORISED_SPACE,
    ),
    Method(
        "tied-first-layers",
        "the first layers, as many as cross-validation says (UD-MTL)",
        DMTRL,
        recipes.tied_first_layers,
        options={"first": CROSS_VALIDATED},
        decide=recipes.choose_first_layers,
        cross_validated=("first",),
        default=False,
    ),
    Method(
        "tied-wide",
        "all layers but the output, as wide as another method has parameters",
        DMTRL,
        recipes.tied,
        options={"as_many_as": "tensor-train"},
        decide=recipes.match_size,
        applies_to=recipes.width_counts,
        default=False,
    ),
    Method(
        "tensor-ring",
        "in every layer some of the cores that make its weight",
        TRMTL,
        recipes.tensor_ring,
        options=TENSOR_RING_OPTIONS,
        initial="independent",
        decide=recipes.choose_pattern,
        cross_validated=("shared",),
        search_space=TENSOR_RING_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-laf",
        "directions of the tasks' weights, by a penalty on their rank",
        TNRDMTL,
        partial(recipes.trace_norm, "laf"),
        options=TRACE_NORM_OPTIONS,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-tucker",
        "directions of tasks, inputs and outputs, by a penalty on their ranks",
        TNRDMTL,
        partial(recipes.trace_norm, "tucker"),
        options=TRACE_NORM_OPTIONS,
        decide=recipes.choose_interval,
        applies_to=recipes.whole_grid,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-tt",
        "directions of the stack's sequential unfoldings, by a penalty on their ranks",
        TNRDMTL,
        partial(recipes.trace_norm, "tt"),
        options=TRACE_NORM_OPTIONS,
        decide=recipes.choose_interval,
        applies_to=recipes.whole_grid,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "tensor-normal-drn",
        "lower layers; in the last two a learned covariance of the tasks",
        DRN,
        partial(recipes.tensor_normal, ("task",)),
        options=TENSOR_NORMAL_OPTIONS,
        initial="independent",
        search_space=TENSOR_NORMAL_SPACE,
        applies_to=recipes.tensor_normal_suits,
        default=False,
    ),
    Method(
        "tensor-normal-mrn",
        "lower layers; in the last two learned covariances of features, classes and tasks",
        DRN,
        partial(recipes.tensor_normal, ("in", "out", "task")),
        options=TENSOR_NORMAL_OPTIONS,
        decide=recipes.choose_interval,
        initial="independent",
        search_space=TENSOR_NORMAL_SPACE,
        applies_to=recipes.tensor_normal_suits,
        default=False,
    ),
    Method(
        "parallel-ordering",
        "a core of layers, which all tasks apply in one order",
        SLO,
        partial(recipes.ordering, "parallel"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=recipes.ordering_template,
        search_space=ORDERING_SPACE,
        default=False,
    ),
    Method(
        "permuted-ordering",
        "a core of layers, which each task applies in a random order of its own",
        SLO,
        partial(recipes.ordering, "permuted"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=recipes.ordering_template,
        search_space=ORDERING_SPACE,
        default=False,
    ),
    Method(
        "soft-ordering",
        "a core of layers; each task learns how much of which it applies where",
        SLO,
        partial(recipes.ordering, "soft"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=recipes.ordering_template,
        search_space=ORDERING_SPACE,
        default=False,
    ),
)


def method_named(name: str) -> Method:
    """The method of this name.

    Raises:
        KeyError: there is none.
    """
    for method in METHODS:
        if method.name == name:
            return method
    raise KeyError(
        f"no method {name!r}; the methods are {', '.join(method.name for method in METHODS)}"
    )
