"""How each method shares: functions of the layers' names and the method's options, and what a
method needs of the tasks.

Sharings are imported where they are made: listing the methods must not wait for torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Literal

from softshare.methods.method import CROSS_VALIDATED, Method, Options

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.network.templates.standard import TemplateFactory
    from softshare.sharing.base import Sharing
    from softshare.sharing.trace_norm import Norm
    from softshare.tasks.task_set import TaskSet


def independent(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Every task learns alone."""
    from softshare.sharing.independent import Independent

    return {"*": Independent()}


def tied(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Hard sharing of all layers but the output."""
    from softshare.sharing.tied import Tied

    return {"*": Tied()}


def pooled(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """One network for all tasks, but for the output's bias."""
    from softshare.sharing.tied import Tied

    return {layers[-1]: Tied(bias="own"), "*": Tied()}


def tied_first_layers(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Hard sharing of the first layers, as many as ``first`` says.

    Raises:
        ValueError: there are not so many layers.
    """
    from softshare.sharing.independent import Independent
    from softshare.sharing.tied import Tied

    first = options["first"]
    if not isinstance(first, int) or not 0 <= first < len(layers):
        raise ValueError(
            f"tied-first-layers: first must be {CROSS_VALIDATED!r} or from 0 to "
            f"{len(layers) - 1} layers, got {first!r}"
        )
    return {
        **dict.fromkeys(layers[first:], Independent()),
        "*": Tied(),
    }  # "*" leaves layers alone that differ in shape


def choose_first_layers(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """``first`` by cross-validation on the training part."""
    from softshare.methods.decisions import choose_first_layers

    return choose_first_layers(method, settings, train)


def width_counts(tasks: TaskSet) -> str | None:
    """Hard sharing can be widened where the network has widths to choose."""
    from softshare.network.templates.standard import input_kind

    if input_kind(tasks.input_shape(0)) == "large image":
        return "the network for large images has fixed widths, and cannot be made wider"
    return None


def match_size(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The width at which hard sharing has as many parameters as another method."""
    from softshare.methods.decisions import match_size

    return match_size(method, settings, train)


def last_axis_flattening(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """LAF of a given share of the tasks as rank, or within ε of networks trained apart."""
    from softshare.sharing.last_axis_flattening import LastAxisFlattening

    return {
        "*": LastAxisFlattening(epsilon=options["epsilon"])
        if options["apart"]
        else LastAxisFlattening(rank=options["task_rank"])
    }


def whole_grid(tasks: TaskSet) -> str | None:
    """Weights can be folded into a grid of tasks where every combination of the factors has one."""
    from softshare.sharing.grid import TaskGrid

    try:
        grid = TaskGrid.of([task.name for task in tasks.tasks])
    except ValueError as names_of_several_lengths:
        return str(names_of_several_lengths)
    if grid is None or grid.is_whole:
        return None
    return (
        f"of the {prod(grid.shape)} combinations of the tasks' factors only {len(tasks)} have "
        "a task: give the tasks plain names"
    )


def tucker(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Tucker of given shares of the largest ranks, or within ε of networks trained apart."""
    from softshare.sharing.tucker import Tucker

    return {
        "*": Tucker(epsilon=options["epsilon"])
        if options["apart"]
        else Tucker(options["ranks"], task_rank=options["task_rank"])
    }


def tensor_train(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Tensor train of given shares of the largest ranks, or within ε of networks trained apart."""
    from softshare.sharing.tensor_train import TensorTrain

    return {
        "*": TensorTrain(epsilon=options["epsilon"])
        if options["apart"]
        else TensorTrain(options["ranks"], task_rank=options["task_rank"])
    }


def tensor_ring(layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Tensor rings whose first cores are shared, in layers too that differ in shape; the output is
    each task's own.
    """
    from softshare.sharing.tensor_ring import MOST_CORES, TensorRing

    shared = options["shared"]
    shared = (
        str(shared) if isinstance(shared, int) and shared > MOST_CORES else shared
    )  # 21 on the command line is the pattern "21"
    ring = TensorRing(options["ranks"], shared=shared, cores=options["cores"], common_start=True)
    return dict.fromkeys(layers[:-1], ring) or {"*": ring}


def choose_pattern(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The pattern of shared cores by cross-validation on the training part, or as far as tasks of
    several sizes can share them.
    """
    from softshare.methods.decisions import choose_pattern

    return choose_pattern(method, settings, train)


def choose_interval(method: Method, settings: RunSettings, train: TaskSet) -> RunSettings:
    """Longer intervals ``every`` where layers are wide."""
    from softshare.methods.decisions import choose_interval

    return choose_interval(method, settings, train)


def trace_norm(norm: Norm, layers: Sequence[str], options: Options) -> Mapping[str, Sharing]:
    """Independent weights under a tensor trace norm."""
    from softshare.sharing.trace_norm import TraceNorm

    return {"*": TraceNorm(norm, gamma=options["gamma"], every=options["every"])}


def tensor_normal(
    modes: tuple[str, ...], layers: Sequence[str], options: Options
) -> Mapping[str, Sharing]:
    """A tensor normal prior over the last two layers, on tied lower ones."""
    from softshare.sharing.tensor_normal import TensorNormal
    from softshare.sharing.tied import Tied

    prior = TensorNormal(
        modes, scale=options["scale"], epsilon=options["epsilon"], every=options["every"]
    )
    return {**dict.fromkeys(layers[-2:], prior), "*": Tied()}


def tensor_normal_suits(tasks: TaskSet) -> str | None:
    """The prior joins output layers of one width."""
    if len({task.n_outputs for task in tasks.tasks}) > 1:
        return "the tasks' output layers differ in width, and one prior cannot join them"
    return None


def ordering(
    order: Literal["soft", "permuted", "parallel"], layers: Sequence[str], options: Options
) -> Mapping[str, Sharing]:
    """Tied layers; the scales that order them learned, permuted or parallel."""
    from softshare.sharing.fixed_order import FixedOrder
    from softshare.sharing.tied import Tied

    return {"*": Tied()} if order == "soft" else {"core.scales": FixedOrder(order), "*": Tied()}


def ordering_template(
    input_shape: Sequence[int], hidden: Sequence[int], options: Options
) -> TemplateFactory:
    """The network with a core of layers to be ordered."""
    from softshare.network.templates.ordering import ordering_template_for

    return ordering_template_for(
        input_shape, width=hidden[-1], depth=options["depth"], dropout=options["dropout"]
    )


def pooled_suits(tasks: TaskSet) -> str | None:
    """Pooling needs tasks that one network can serve and tell apart."""
    if tasks.one_input:
        return "all tasks see the same rows, which one network cannot tell apart"
    if len({(task.kind, task.n_outputs) for task in tasks.tasks}) > 1:
        return "the tasks' outputs differ in form"
    if len({tasks.input_shape(number) for number in range(len(tasks))}) > 1:
        return "the tasks' inputs differ in shape"
    return None
