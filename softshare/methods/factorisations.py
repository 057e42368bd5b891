"""Factorised weights: what Deep Multi-task Representation Learning names LAF, Tucker and TT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING

import softshare as ss
from softshare.methods.method import Options, Range
from softshare.methods.network_method import NetworkMethod, Sharings
from softshare.sharing.grid import TaskGrid

if TYPE_CHECKING:
    from softshare.tasks.task_set import TaskSet

PAPER = "Yang & Hospedales 2017 (DMTRL)"

LAF_OPTIONS: Options = {"task_rank": 0.3, "epsilon": 0.1, "apart": 0.0}
LAF_SPACE: Mapping[str, Range] = {
    "task_rank": (0.1, 1.0, "linear"),
    "epsilon": (0.05, 0.5, "log"),
    "apart": (0.0, 0.25, 0.5),
}
OPTIONS: Options = {"ranks": 1.0, **LAF_OPTIONS}
SPACE: Mapping[str, Range] = {"ranks": (0.5, 1.0, "linear"), **LAF_SPACE}

# Bases of features serve all tasks and layers behind them: trained as fast as the rest they run
# ahead of it and overfit (docs/defaults.md has the figures).
SLOW_BASES = 0.1


def whole_grid(tasks: TaskSet) -> str | None:
    """Weights can be folded into a grid of tasks where every combination of the factors has one."""
    try:
        grid = TaskGrid.of([task.name for task in tasks.tasks])
    except ValueError as names_of_several_lengths:
        return str(names_of_several_lengths)
    if grid is None or grid.is_whole:
        return None
    return (
        f"of the {prod(grid.shape)} combinations of the tasks' factors only {len(tasks)} have a "
        "task: give the tasks plain names"
    )


# Ranks are fractions of the largest ones with a random start, and found by ε from networks that
# were trained apart.


def _last_axis_flattening(layers: Sequence[str], options: Options) -> Sharings:
    if options["apart"]:
        return {"*": ss.LastAxisFlattening(epsilon=options["epsilon"])}
    return {"*": ss.LastAxisFlattening(rank=options["task_rank"])}


def _tucker(layers: Sequence[str], options: Options) -> Sharings:
    if options["apart"]:
        return {"*": ss.Tucker(epsilon=options["epsilon"])}
    return {"*": ss.Tucker(options["ranks"], task_rank=options["task_rank"])}


def _tensor_train(layers: Sequence[str], options: Options) -> Sharings:
    if options["apart"]:
        return {"*": ss.TensorTrain(epsilon=options["epsilon"])}
    return {"*": ss.TensorTrain(options["ranks"], task_rank=options["task_rank"])}


LAST_AXIS_FLATTENING = NetworkMethod(
    "last-axis-flattening",
    "basis weights, mixed by each task in its own way (LAF)",
    PAPER,
    _last_axis_flattening,
    options=LAF_OPTIONS,
    search_space=LAF_SPACE,
)

TUCKER = NetworkMethod(
    "tucker",
    "bases of inputs and outputs, and a core of which each task mixes slices",
    PAPER,
    _tucker,
    options=OPTIONS,
    applies_to=whole_grid,
    rates={"*.mode_*": SLOW_BASES},
    search_space=SPACE,
)

TENSOR_TRAIN = NetworkMethod(
    "tensor-train",
    "a chain of cores, the last one each task's own",
    PAPER,
    _tensor_train,
    options=OPTIONS,
    applies_to=whole_grid,
    rates={"*.core_1": SLOW_BASES},
    search_space=SPACE,
)
