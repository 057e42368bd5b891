"""Tensor rings with chosen shared cores (TRMTL)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import softshare as ss
from softshare import methods
from softshare.methods.method import CROSS_VALIDATED, Options, Range
from softshare.methods.network_method import NetworkMethod, Sharings

if TYPE_CHECKING:
    from softshare.methods.settings import RunSettings
    from softshare.methods.training import Trainer
    from softshare.tasks.task_set import TaskSet

OPTIONS: Options = {"ranks": 8, "shared": 2, "cores": 3}
SPACE: Mapping[str, Range] = {"ranks": (3, 12, "int"), "shared": (0, 3, "int")}


def _tensor_ring(layers: Sequence[str], options: Options) -> Sharings:
    """Rings whose first cores are shared, in layers too that differ in shape; own outputs."""
    shared = options["shared"]
    if isinstance(shared, int) and len(str(shared)) > 1:
        shared = str(shared)  # a pattern has a digit a layer: 21, read as a number, is "21"
    ring = ss.TensorRing(options["ranks"], shared=shared, cores=options["cores"], common_start=True)
    return dict.fromkeys(layers[:-1], ring) or {"*": ring}


def _choose_pattern(trainer: Trainer, settings: RunSettings, train: TaskSet) -> RunSettings:
    """The pattern of shared cores by greedy cross-validated search, where it is to be chosen.

    A number of cores becomes a pattern where tasks differ in shape: no layer shares more than its
    tasks have in common.
    """
    method = trainer.method
    shared = method.option(settings, "shared")
    apart = trainer.start(settings.with_options(shared=0), train)
    n_cores = methods.select_pattern.cores_in_common(apart)[:-1]
    if shared == CROSS_VALIDATED:
        choice = methods.select_pattern.select_pattern(
            lambda pattern: trainer.learner(settings.with_options(shared=pattern)),
            n_cores,
            train,
            seed=settings.seed,
            judge=methods.cross_validation.by_metric(settings.metric),
        )
        return settings.with_options(shared=choice.pattern)
    fewest = min(n_cores)
    if isinstance(shared, int) and fewest < shared <= method.option(settings, "cores"):
        in_each = [min(shared, n_here) for n_here in n_cores]
        return settings.with_options(shared="".join(map(str, in_each)))
    return settings


TENSOR_RING = NetworkMethod(
    "tensor-ring",
    "in every layer some of the cores that make its weight",
    "ICLR 2019 submission (TRMTL)",
    _tensor_ring,
    options=OPTIONS,
    initial="independent",
    decide=_choose_pattern,
    cross_validated=("shared",),
    search_space=SPACE,
    default=False,
)
