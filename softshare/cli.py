"""The command line: ``softshare compare``, ``softshare methods`` and ``softshare data``."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, CoercionError, CycloptsError, Parameter, UnknownOptionError

from softshare._version import __version__
from softshare.data.named import default_fraction

if TYPE_CHECKING:
    from softshare.tasks.task_set import TaskSet

# What a command needs is imported when it runs: --help must not wait for torch.

RESULTS = Path("softshare-results")
_OPTION_OF = {
    "fraction": "train-fraction",
    "fractions": "train-fraction",
    "trials": "search",
    "options": "option",
    "size": "image-size",
    "kinds": "kind",
    "n_tasks": "tasks",
}
"""Python arguments whose options have other names."""

WRONG_USE, SOME_FAILED, INTERRUPTED = 2, 1, 130

app = App(
    name="softshare",
    version=__version__,
    help="Compare learning several related tasks apart with learning them together.",
)

data_app = App(name="data", help="The public data sets: what is there, and how to get the others.")
app.command(data_app)

_SEVERAL = Parameter(consume_multiple=True, negative="", show_default=False)
Names = Annotated[tuple[str, ...], _SEVERAL]


@Parameter(name="*", group="Data")
@dataclass(frozen=True)
class Data:
    """How to read a table, or a folder of images; ``tasks`` goes with every source.

    Args:
        tasks: take the first so many tasks only.
        task: the column that names the task of each row; several name it by several factors.
        target: the column to predict, or several, each a task.
        kind: binary, multiclass or regression for all targets, or COLUMN=KIND; inferred otherwise.
        drop: columns to leave out, such as identifiers.
        split: the column that says train, validation or test.
        group: the column whose equal values (a patient) stay in one part of the split.
        drop_small_tasks: leave out tasks that have too few rows, instead of stopping.
        image_size: height and width to which the images of a folder are resized; by default all
            must have one size.
        skip_broken: leave broken images of a folder out, instead of stopping.
    """

    tasks: int | None = None
    task: Names = ()
    target: Names = ()
    kind: Names = ()
    drop: Names = ()
    split: str | None = None
    group: str | None = None
    drop_small_tasks: Annotated[bool, Parameter(negative="", show_default=False)] = False
    image_size: int | None = None
    skip_broken: Annotated[bool, Parameter(negative="", show_default=False)] = False


@Parameter(name="*", group="Comparison")
@dataclass(frozen=True)
class Compared:
    """What is compared.

    Args:
        methods: names from `softshare methods`, or all; by default every usual method that applies.
        train_fraction: shares of the training part to train on; by default all of it (digits,
            omniglot, office-caltech, imageclef-da: 0.1).
        seeds: how many splits and starts every method is run on.
        metric: to compare by, in place of roc_auc (binary), accuracy (multiclass) and rmse
            (regression).
        search: trials on validation data by which every method's settings are chosen, the same
            number for all.
        option: METHOD.NAME=VALUE, an option of a method in place of its default, such as
            tensor-ring.shared=cv.
    """

    methods: Names = ()
    train_fraction: Annotated[tuple[float, ...], _SEVERAL] = ()
    seeds: int = 5
    metric: str | None = None
    search: int = 0
    option: Names = ()


@Parameter(name="*", group="Training")
@dataclass(frozen=True)
class Training:
    """How every run is trained.

    Args:
        steps: optimiser steps of a run in all; by default 1000, on large images 300.
        hidden: widths of the hidden layers; by default 64 64.
        batch_size: examples of every task in a step; by default 64, of images 16.
        learning_rate: of Adam; by default 0.001.
        weight_decay: of Adam; by default 0.0001.
    """

    steps: int | None = None
    hidden: Annotated[tuple[int, ...] | None, _SEVERAL] = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None


@Parameter(name="*", group="Running")
@dataclass(frozen=True)
class Running:
    """Where it runs.

    Args:
        workers: processes; by default one a CPU; 0 runs in this process.
        cluster: address of a Dask scheduler to run on, in place of processes on this machine.
        out: folder for the results; by default softshare-results/SOURCE.
    """

    workers: int | None = None
    cluster: str | None = None
    out: Path | None = None


@app.command
def compare(
    source: str,
    /,
    *,
    data: Data = Data(),
    compared: Compared = Compared(),
    training: Training = Training(),
    running: Running = Running(),
    wrong: Annotated[tuple[str, ...], Parameter(parse=False)] = (),
) -> int:
    """Train the tasks apart and together, and say what was gained.

    Values of a list are separated by spaces. A run whose record is in the output folder is not run
    again.

    Args:
        source: a file (.csv, .tsv, .parquet), a folder of images (TASK/CLASS/*.png), or a data set:
            digits, classics, iris, wine, breast_cancer, synthetic, and the public ones of
            `softshare data list`, such as mnist, omniglot and uci.
        data: how to read a table.
        compared: what is compared.
        training: how every run is trained.
        running: where it runs.
        wrong: what is wrong with options that could not be read.
    """
    from softshare.evaluation.plan import wrong_arguments
    from softshare.methods.options import read_options

    options, misread = read_options(compared.option)
    fractions = compared.train_fraction or (default_fraction(source),)
    chosen: dict[str, Any] = {
        "methods": compared.methods or None,
        "fractions": fractions,
        "seeds": compared.seeds,
        "options": options,
    }
    settings = {"source": source, "metric": compared.metric, **asdict(training)}
    phrases = wrong_arguments(
        **chosen, workers=running.workers, settings={"trials": compared.search, **settings}
    )
    tasks = _load(source, data, fractions, wrong=[*wrong, *misread, *phrases])
    out = running.out or RESULTS / Path(source).name.split(".")[0]
    return _compare(
        tasks,
        out,
        search=compared.search,
        workers=running.workers,
        cluster=running.cluster,
        **chosen,
        **settings,
    )


@app.command
def methods() -> int:
    """List the methods: name, what the tasks share, paper."""
    from softshare.methods.named import METHODS
    from softshare.report.listing import console_on, show_methods

    show_methods(
        [(method.name, method.shares, method.paper) for method in METHODS], console_on(sys.stdout)
    )
    return 0


@data_app.command(name="list")
def list_data() -> int:
    """List the public data sets: whether they are in the data folder, their size, licence, paper
    and source.
    """
    from softshare.data.load import public_sets
    from softshare.data.terminal import show_sets
    from softshare.report.listing import console_on

    show_sets(public_sets().values(), console_on(sys.stdout))
    return 0


@data_app.command(name="get")
def get_data(name: str, /) -> int:
    """Download a public data set into the data folder (SOFTSHARE_DATA).

    Args:
        name: one of `softshare data list`.
    """
    from softshare.data.load import public_set
    from softshare.data.terminal import fetch
    from softshare.report.listing import console_on

    fetch(public_set(name), console_on(sys.stderr))
    return 0


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 2, after one line, for what the user can
    mend. Else tracebacks are kept.
    """
    try:
        sys.exit(_run(sys.argv[1:] if tokens is None else list(tokens)))
    except (ValueError, OSError) as error:
        _complain(_with_options(str(error)))
        sys.exit(WRONG_USE)
    except KeyboardInterrupt:
        _complain("interrupted; finished runs are kept, and the same command goes on from there")
        sys.exit(INTERRUPTED)


def _run(tokens: list[str]) -> int:
    wrong: list[str] = []
    while True:
        try:
            command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
            break
        except (
            UnknownOptionError,
            CoercionError,
        ) as error:  # look for more that is wrong in the rest
            wrong.append(str(error))
            tokens = _without(tokens, error)
        except CycloptsError as error:
            raise ValueError("; ".join([*wrong, str(error)])) from None
    if wrong and command is not compare:
        raise ValueError("; ".join(wrong))
    return command(*bound.args, **bound.kwargs, **({"wrong": tuple(wrong)} if wrong else {})) or 0


def _without(tokens: list[str], error: UnknownOptionError | CoercionError) -> list[str]:
    """The command line without an option that is wrong, and its values."""
    option = error.token.keyword if error.token else None
    begin = next(
        (place for place, token in enumerate(tokens) if option and token.split("=")[0] == option),
        None,
    )
    if begin is None:
        raise ValueError(str(error)) from None
    end = next(
        (place for place in range(begin + 1, len(tokens)) if tokens[place].startswith("--")),
        len(tokens),
    )
    return tokens[:begin] + tokens[end:]


def _load(source: str, data: Data, fractions: Sequence[float], *, wrong: Sequence[str]) -> TaskSet:
    """The tasks, unless the data or other arguments are wrong."""
    from softshare.data.load import load
    from softshare.data.terminal import with_files
    from softshare.report.listing import console_on

    problems = list(wrong)
    try:
        columns = {
            "task": data.task,
            "target": data.target,
            "kinds": _kinds(data.kind),
            "drop": data.drop,
        }
        images: dict[str, Any] = {"image_size": data.image_size, "skip_broken": data.skip_broken}
        read = partial(
            load,
            source,
            n_tasks=data.tasks,
            split=data.split,
            group=data.group,
            **columns,
            **images,
        )
        tasks = with_files(read, console_on(sys.stderr))
        for fraction in fractions if data.drop_small_tasks and not wrong else ():
            tasks = tasks.drop_small_tasks(train_fraction=fraction)
    except (ValueError, OSError, ImportError) as error:
        problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return tasks


def _compare(tasks: TaskSet, out: Path, **settings: Any) -> int:
    from softshare.evaluation import compare as comparing
    from softshare.report.findings import Findings
    from softshare.report.listing import console_on
    from softshare.report.page import write_report
    from softshare.report.terminal import ProgressDisplay, show

    with ProgressDisplay(console_on(sys.stderr)) as display:
        comparison = comparing.compare(tasks, out=out, progress=display, **settings)
    diverged = [record["error"] for record in comparison.records]
    if all(diverged):
        raise ValueError(f"every run diverged: {diverged[0]}; try a smaller --learning-rate")
    report = write_report(out, left_out=comparison.left_out)
    show(Findings(comparison.records, comparison.left_out), console_on(sys.stdout))
    print(f"report:  {report}\nsummary: {out / comparing.SUMMARY}")
    for key, error in comparison.failures.items():
        _complain(f"{key} failed: {type(error).__name__}: {error}")
    if comparison.failures:
        traceback.print_exception(next(iter(comparison.failures.values())))
    return SOME_FAILED if comparison.failures else 0


def _kinds(given: Sequence[str]) -> Any:
    """``binary`` for all targets, or ``COLUMN=KIND`` for some."""
    if len(given) < 2 and "=" not in "".join(given):
        return given[0] if given else None
    if odd := [pair for pair in given if "=" not in pair]:
        raise ValueError(
            "--kind: expected one kind for all targets or COLUMN=KIND for each, got "
            f"{', '.join(odd)}"
        )
    return dict(pair.rsplit("=", 1) for pair in given)


def _with_options(message: str) -> str:
    """A message with options in place of the Python arguments that its phrases begin with."""
    arguments = [
        field.name for group in (Data, Compared, Training, Running) for field in fields(group)
    ]
    option_of = {name: name.replace("_", "-") for name in arguments} | _OPTION_OF
    return re.sub(
        rf"(^|[:;] )({'|'.join(option_of)}):",
        lambda found: f"{found[1]}--{option_of[found[2]]}:",
        message,
    )


def _complain(message: str) -> None:
    print("softshare:", " ".join(message.split()), file=sys.stderr)
