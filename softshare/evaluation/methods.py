"""The named recipes: what ``--methods`` offers. The only list of names in the project."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from softshare.evaluation.settings import RunSettings
    from softshare.network.templates import TemplateFactory
    from softshare.sharing.base import Sharing
    from softshare.sharing.trace_norm import Norm
    from softshare.tasks.task_set import TaskSet

Options = Mapping[str, Any]
Range = tuple[float, float, str] | tuple[Any, ...]
"""What a search may choose from: ``(low, high, "log" | "linear" | "int")``, or a tuple of choices."""

COMMON_SEARCH_SPACE: Mapping[str, Range] = {"learning_rate": (3e-4, 1e-2, "log"), "weight_decay": (1e-6, 1e-2, "log")}
"""What every method's search tunes, the baseline's included."""

CROSS_VALIDATED = "cv"
"""The value of an option that is to be chosen by cross-validation on the training part."""


def _suits_any(tasks: TaskSet) -> str | None:
    return None


@dataclass(frozen=True)
class Method:
    """A way to learn several tasks, from the sharing to the start.

    Args:
        name: what ``--methods`` calls it.
        shares: what it shares, in a few words.
        paper: where it comes from.
        sharing: (names of the layers, the last the output layer; options) → layer-name pattern → sharing.
        options: the method's own settings and their defaults, found on validation data. ``apart`` is the share
            of the steps in which all tasks are first trained apart from common initial weights (the STL start;
            0: a random start).
        initial: ``"common"`` — all tasks start from one draw of initial weights, the same as with every other method; or
            ``"independent"`` — each from its own.
        rates: parameter-name pattern → the multiple of the learning rate that these parameters get
            (see :func:`softshare.training.fit.parameter_groups`).
        template: (shape of an input, widths of the hidden layers, options) → the network of each task; the usual one when None.
        decide: (this method, settings, prepared training part) → the settings with what the training part decides, such as
            options that are :data:`CROSS_VALIDATED`; nothing when None.
        search_space: what a search may choose for the options.
        applies_to: why the method cannot apply to a task set, or None where it can.
        default: whether ``compare`` runs it unless told which methods to run.
    """

    name: str
    shares: str
    paper: str
    sharing: Callable[[Sequence[str], Options], Mapping[str, Sharing]]
    options: Options = field(default_factory=dict)
    initial: Literal["common", "independent"] = "common"
    rates: Mapping[str, float] = field(default_factory=dict)
    template: Callable[[Sequence[int], Sequence[int], Options], TemplateFactory] | None = None
    decide: Callable[[Method, RunSettings, TaskSet], RunSettings] | None = None
    search_space: Mapping[str, Range] = field(default_factory=dict)
    applies_to: Callable[[TaskSet], str | None] = _suits_any
    default: bool = True


# Sharings are imported where they are made: listing the methods must not wait for torch.


def _independent(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.independent import Independent

    return {"*": Independent()}


def _tied(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tied import Tied

    return {"*": Tied()}


def _pooled(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tied import Tied

    return {layers[-1]: Tied(bias="own"), "*": Tied()}


def _tied_first_layers(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.independent import Independent
    from softshare.sharing.tied import Tied

    first = options["first"]
    if not isinstance(first, int) or not 0 <= first < len(layers):
        raise ValueError(f"tied-first-layers: first must be {CROSS_VALIDATED!r} or from 0 to {len(layers) - 1} layers, got {first!r}")
    return {**dict.fromkeys(layers[:first], Tied()), "*": Independent()}


def _choose_first_layers(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    from softshare.evaluation.decisions import choose_first_layers

    return choose_first_layers(method, settings, train)


def _match_size(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    from softshare.evaluation.decisions import match_size

    return match_size(method, settings, train)


def _last_axis_flattening(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.last_axis_flattening import LastAxisFlattening

    return {"*": LastAxisFlattening(epsilon=options["epsilon"]) if options["apart"] else LastAxisFlattening(rank=options["task_rank"])}


def _tucker(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tucker import Tucker

    return {"*": Tucker(epsilon=options["epsilon"]) if options["apart"] else Tucker(options["ranks"], task_rank=options["task_rank"])}


def _tensor_train(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tensor_train import TensorTrain

    return {
        "*": TensorTrain(epsilon=options["epsilon"]) if options["apart"] else TensorTrain(options["ranks"], task_rank=options["task_rank"])
    }


def _tensor_ring(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tensor_ring import TensorRing

    return {"*": TensorRing(options["ranks"], shared=options["shared"], cores=options["cores"], common_start=True)}


def _choose_pattern(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    from softshare.evaluation.decisions import choose_pattern

    return choose_pattern(method, settings, train)


def _trace_norm(norm: Norm, layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.trace_norm import TraceNorm

    return {"*": TraceNorm(norm, gamma=options["gamma"], every=options["every"])}


def _tensor_normal(modes: tuple[str, ...], layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.tensor_normal import TensorNormal
    from softshare.sharing.tied import Tied

    prior = TensorNormal(modes, scale=options["scale"], epsilon=options["epsilon"])
    return {**dict.fromkeys(layers[-2:], prior), "*": Tied()}


def _tensor_normal_suits(tasks: TaskSet) -> str | None:
    if len({task.n_outputs for task in tasks.tasks}) > 1:
        return "the tasks' output layers differ in width, and one prior cannot join them"
    return None


def _ordering(order: Literal["soft", "permuted", "parallel"], layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    from softshare.sharing.fixed_order import FixedOrder
    from softshare.sharing.tied import Tied

    return {"*": Tied()} if order == "soft" else {"core.scales": FixedOrder(order), "*": Tied()}


def _ordering_template(input_shape: Sequence[int], hidden: Sequence[int], options: Options) -> TemplateFactory:
    from softshare.network.ordering_templates import ordering_template_for

    return ordering_template_for(input_shape, width=hidden[-1], depth=options["depth"], dropout=options["dropout"])


def _pooled_suits(tasks: TaskSet) -> str | None:
    if tasks.one_input:
        return "all tasks see the same rows, which one network cannot tell apart"
    if len({(task.kind, task.n_outputs) for task in tasks.tasks}) > 1:
        return "the tasks' outputs differ in form"
    if len({tasks.input_shape(number) for number in range(len(tasks))}) > 1:
        return "the tasks' inputs differ in shape"
    return None


DMTRL = "Yang & Hospedales 2017 (DMTRL)"
LAF_OPTIONS: Options = {"task_rank": 0.3, "epsilon": 0.1, "apart": 0.0}
LAF_SPACE: Mapping[str, Range] = {"task_rank": (0.1, 1.0, "linear"), "epsilon": (0.05, 0.5, "log"), "apart": (0.0, 0.25, 0.5)}
FACTORISED_OPTIONS: Options = {"ranks": 1.0, **LAF_OPTIONS}
FACTORISED_SPACE: Mapping[str, Range] = {"ranks": (0.5, 1.0, "linear"), **LAF_SPACE}

TNRDMTL = "Yang & Hospedales 2017 (trace norm)"
TRACE_NORM_OPTIONS: Options = {"gamma": 0.01, "every": 1}
TRACE_NORM_SPACE: Mapping[str, Range] = {"gamma": (1e-4, 1.0, "log")}
DRN = "Long, Wang & Yu 2017 (DRN, MRN)"
TENSOR_NORMAL_OPTIONS: Options = {"scale": 0.1, "epsilon": 0.1}
TENSOR_NORMAL_SPACE: Mapping[str, Range] = {"scale": (1e-4, 1.0, "log"), "epsilon": (1e-3, 0.3, "log")}

SLO = "Meyerson & Miikkulainen 2018 (soft layer ordering)"
ORDERING_OPTIONS: Options = {"depth": 4, "dropout": 0.0}
ORDERING_SPACE: Mapping[str, Range] = {"depth": (2, 6, "int"), "dropout": (0.0, 0.5, "linear")}

# Bases of features serve all tasks and layers behind them: trained as fast as the rest they run ahead of it and
# overfit (docs/defaults.md has the figures).
SLOW_BASES = 0.1

TRMTL = "ICLR 2019 submission (TRMTL)"
TENSOR_RING_OPTIONS: Options = {"ranks": 8, "shared": 2, "cores": 3}
TENSOR_RING_SPACE: Mapping[str, Range] = {"ranks": (3, 12, "int"), "shared": (0, 3, "int")}

METHODS: tuple[Method, ...] = (
    Method("independent", "nothing: every task learns alone (the baseline)", "single-task learning", _independent),
    Method(
        "pooled",
        "everything but the output bias: one network for all tasks",
        "what one would do instead",
        _pooled,
        applies_to=_pooled_suits,
    ),
    Method("tied", "all layers but the output (hard sharing)", "Caruana 1997", _tied),
    Method(
        "last-axis-flattening",
        "basis weights, mixed by each task in its own way (LAF)",
        DMTRL,
        _last_axis_flattening,
        options=LAF_OPTIONS,
        search_space=LAF_SPACE,
    ),
    Method(
        "tucker",
        "bases of inputs and outputs, and a core of which each task mixes slices",
        DMTRL,
        _tucker,
        options=FACTORISED_OPTIONS,
        rates={"*.mode_*": SLOW_BASES},
        search_space=FACTORISED_SPACE,
    ),
    Method(
        "tensor-train",
        "a chain of cores, the last one each task's own",
        DMTRL,
        _tensor_train,
        options=FACTORISED_OPTIONS,
        rates={"*.core_1": SLOW_BASES},
        search_space=FACTORISED_SPACE,
    ),
    Method(
        "tied-first-layers",
        "the first layers, as many as cross-validation says (UD-MTL)",
        DMTRL,
        _tied_first_layers,
        options={"first": CROSS_VALIDATED},
        decide=_choose_first_layers,
        default=False,
    ),
    Method(
        "tied-wide",
        "all layers but the output, as wide as another method has parameters",
        DMTRL,
        _tied,
        options={"as_many_as": "tensor-train"},
        decide=_match_size,
        default=False,
    ),
    Method(
        "tensor-ring",
        "in every layer some of the cores that make its weight",
        TRMTL,
        _tensor_ring,
        options=TENSOR_RING_OPTIONS,
        initial="independent",
        decide=_choose_pattern,
        search_space=TENSOR_RING_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-laf",
        "directions of the tasks' weights, by a penalty on their rank",
        TNRDMTL,
        partial(_trace_norm, "laf"),
        options=TRACE_NORM_OPTIONS,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-tucker",
        "directions of tasks, inputs and outputs, by a penalty on their ranks",
        TNRDMTL,
        partial(_trace_norm, "tucker"),
        options=TRACE_NORM_OPTIONS,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "trace-norm-tt",
        "directions of the stack's sequential unfoldings, by a penalty on their ranks",
        TNRDMTL,
        partial(_trace_norm, "tt"),
        options=TRACE_NORM_OPTIONS,
        search_space=TRACE_NORM_SPACE,
        default=False,
    ),
    Method(
        "tensor-normal-drn",
        "lower layers; in the last two a learned covariance of the tasks",
        DRN,
        partial(_tensor_normal, ("task",)),
        options=TENSOR_NORMAL_OPTIONS,
        initial="independent",
        search_space=TENSOR_NORMAL_SPACE,
        applies_to=_tensor_normal_suits,
        default=False,
    ),
    Method(
        "tensor-normal-mrn",
        "lower layers; in the last two learned covariances of features, classes and tasks",
        DRN,
        partial(_tensor_normal, ("in", "out", "task")),
        options=TENSOR_NORMAL_OPTIONS,
        initial="independent",
        search_space=TENSOR_NORMAL_SPACE,
        applies_to=_tensor_normal_suits,
        default=False,
    ),
    Method(
        "parallel-ordering",
        "a core of layers, which all tasks apply in one order",
        SLO,
        partial(_ordering, "parallel"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=_ordering_template,
        search_space=ORDERING_SPACE,
        default=False,
    ),
    Method(
        "permuted-ordering",
        "a core of layers, which each task applies in a random order of its own",
        SLO,
        partial(_ordering, "permuted"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=_ordering_template,
        search_space=ORDERING_SPACE,
        default=False,
    ),
    Method(
        "soft-ordering",
        "a core of layers; each task learns how much of which it applies where",
        SLO,
        partial(_ordering, "soft"),
        options=ORDERING_OPTIONS,
        initial="independent",
        template=_ordering_template,
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
    raise KeyError(f"no method {name!r}; the methods are {', '.join(method.name for method in METHODS)}")
