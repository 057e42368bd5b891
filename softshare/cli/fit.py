"""``softshare fit``: its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from softshare import cli
from softshare.cli.compare import Data, Names, Told, Training

AS_IT_STANDS = Data()
USUAL_TRAINING = Training()
ON_THE_TERMINAL = Told()


@Parameter(name="*", group="Model")
@dataclass(frozen=True)
class Learning:
    """What is learned.

    Args:
        method: one of `softshare methods`.
        preset: quick, default or thorough, the methods that auto weighs.
        time_limit: minutes that auto may take.
        option: METHOD.NAME=VALUE, an option of the method in place of its default.
        metric: that auto chooses by, in place of roc_auc (binary), accuracy (multiclass) and rmse
            (regression).
        class_weight: balanced lets every class of a task weigh the same in training; metrics count
            rows as they are.
        task_weight: equal lets every task weigh the same in training, examples as much as it has
            examples; by default networks do the former, models of all rows the latter.
        seed: of folds, starts and the order of examples.
    """

    method: str = "auto"
    preset: Literal["quick", "default", "thorough"] | None = None
    time_limit: float | None = None
    option: Names = ()
    metric: str | None = None
    class_weight: Literal["balanced"] | None = None
    task_weight: Literal["equal", "examples"] | None = None
    seed: int = 0


def fit(
    source: str,
    /,
    *,
    out: Path,
    data: Data = AS_IT_STANDS,
    learning: Learning = Learning(),
    training: Training = USUAL_TRAINING,
    told: Told = ON_THE_TERMINAL,
    wrong: Annotated[tuple[str, ...], Parameter(parse=False)] = (),
) -> int:
    """Learn the tasks from all rows, and keep the model in a folder.

    Nothing is spent on choosing alone: what is to be chosen is cross-fitted, and so are the figures
    that the model's card tells. --config FILE.toml holds any of these options.

    Args:
        source: as for `softshare compare`.
        out: folder of the model.
        data: how to read a table.
        learning: what is learned.
        training: how networks are trained.
        told: how this tells what it did.
        wrong: what is wrong with options that could not be read.
    """
    return cli.fitting.run(source, out, data, learning, training, told, wrong=wrong)
