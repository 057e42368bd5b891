"""``softshare compare``: its options."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from softshare import cli
from softshare.data.named import SOURCES

_SEVERAL = Parameter(consume_multiple=True, negative="", show_default=False)
Names = Annotated[tuple[str, ...], _SEVERAL]

_FEWER = [known for known in SOURCES if known.default_fraction < 1]
_FRACTIONS_HELP = (
    "Fractions of the training part to train on; by default all of it ("
    + ", ".join(known.name for known in _FEWER)
    + f": {_FEWER[0].default_fraction:g})."
)


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
        weight: the column that says how much each row counts in training and in metrics.
        drop_small_tasks: leave out tasks that have too few rows, instead of stopping.
        image_size: height and width to which the images of a folder are resized; by default all
            must have one size.
        skip_broken: leave broken images of a folder out, instead of stopping.
        sheet: of a workbook; by default the only one with cells.
        columns: COLUMN=number, category, date, day-first, month-first, time or drop, for columns
            that are read otherwise than is meant (`softshare look`).
        positive: the positive class of targets with two; by default the one that says yes, or else
            the rarer.
        na: a text that means missing, in place of the usual ones; may come several times (--na=-999
            --na=unknown).
        decimal: what stands before the fraction of numbers, . or , where they do not tell.
        sep: what stands between the fields of a text file, where its first lines do not tell.
        encoding: of a text file, such as latin-1, where it does not tell.
    """

    tasks: int | None = None
    task: Names = ()
    target: Names = ()
    kind: Names = ()
    drop: Names = ()
    split: str | None = None
    group: str | None = None
    weight: str | None = None
    drop_small_tasks: Annotated[bool, Parameter(negative="", show_default=False)] = False
    image_size: int | None = None
    skip_broken: Annotated[bool, Parameter(negative="", show_default=False)] = False
    sheet: str | None = None
    columns: Names = ()
    positive: str | None = None
    na: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = ()
    decimal: Literal[".", ","] | None = None
    sep: str | None = None
    encoding: str | None = None


@Parameter(name="*", group="Comparison")
@dataclass(frozen=True)
class Compared:
    """What is compared.

    Args:
        methods: names from `softshare methods`, or all; by default every usual method that applies.
        seeds: how many splits and starts every method is run on.
        metric: to compare by, in place of roc_auc (binary), accuracy (multiclass) and rmse
            (regression).
        class_weight: balanced lets every class of a task weigh the same in training; metrics count
            rows as they are.
        task_weight: equal lets every task weigh the same in training, examples as much as it has
            examples; by default networks do the former, models of all rows the latter.
        search: trials on validation data by which every method's settings are chosen, the same
            number for all.
        option: METHOD.NAME=VALUE, an option of a method in place of its default, such as
            tensor-ring.shared=cv.
        preset: quick, default or thorough, the methods that auto weighs.
        time_limit: minutes that each run of auto may take.
    """

    methods: Names = ()
    train_fraction: Annotated[tuple[float, ...], _SEVERAL, Parameter(help=_FRACTIONS_HELP)] = ()
    seeds: int = 5
    metric: str | None = None
    class_weight: Literal["balanced"] | None = None
    task_weight: Literal["equal", "examples"] | None = None
    search: int = 0
    option: Names = ()
    preset: Literal["quick", "default", "thorough"] | None = None
    time_limit: float | None = None


@Parameter(name="*", group="Training")
@dataclass(frozen=True)
class Training:
    """How every run is trained.

    Args:
        steps: optimiser steps of a run in all; by default 1000, on large images 300.
        hidden: widths of the hidden layers; by default 64 64.
        batch_size: examples of every task in a step; by default 64, of images 16.
        learning_rate: of Adam; by default 0.001.
        weight_decay: by how many thousandths a step shrinks every weight; by default 1, of images
            0.01.
        dropout: probability after each hidden layer; by default 0.1, of images 0.
        base: linear lets networks for vectors add to a linear model; none does not.
    """

    steps: int | None = None
    hidden: Annotated[tuple[int, ...] | None, _SEVERAL] = None
    batch_size: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    dropout: float | None = None
    base: Literal["linear", "none"] | None = None


@Parameter(name="*", group="Running")
@dataclass(frozen=True)
class Running:
    """Where it runs.

    Args:
        workers: processes; by default one a CPU; 0 runs in this process.
        cluster: address of a Dask scheduler to run on, in place of processes on this machine.
        tls_ca_file: certificates of the authority that signed those of a cluster at tls://, a PEM
            file; by default what Dask's own settings name.
        tls_cert: the certificate to show to such a cluster, a PEM file.
        tls_key: its private key, a PEM file.
        keep: best or a method: its first run's model goes into the folder model of the results
            (`softshare predict`).
        out: folder for the results; by default softshare-results/SOURCE, of a table
            softshare-results/SOURCE-TARGET.
    """

    workers: int | None = None
    cluster: str | None = None
    tls_ca_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    keep: str | None = None
    out: Path | None = None


@Parameter(name="*", group="Output")
@dataclass(frozen=True)
class Told:
    """How a command tells what it did.

    Args:
        json: write what is told as JSON.
        quiet: tell nothing but what is wrong.
    """

    json: Annotated[bool, Parameter(negative="", show_default=False)] = False
    quiet: Annotated[bool, Parameter(negative="", show_default=False)] = False


def compare(
    source: str,
    /,
    *,
    data: Data = Data(),
    compared: Compared = Compared(),
    training: Training = Training(),
    running: Running = Running(),
    told: Told = Told(),
    wrong: Annotated[tuple[str, ...], Parameter(parse=False)] = (),
) -> int:
    """Train the tasks apart and together, and say what was gained.

    Values of a list are separated by spaces. A run whose record is in the output folder is not run
    again. --config FILE.toml holds any of these options, and what stands on the command line goes
    before it; the results have such a file.

    Args:
        source: a table (.csv, .tsv, .jsonl, packed perhaps, .parquet, .feather, .xlsx), a folder
            or pattern (`visits-*.csv`) of such files, a folder of images (`TASK/CLASS/*.png`), or a
            data set: digits, classics, iris, wine, breast_cancer, synthetic, and the public ones of
            `softshare data list`, such as mnist, omniglot and uci.
        data: how to read a table.
        compared: what is compared.
        training: how every run is trained.
        running: where it runs.
        told: how this tells what it did.
        wrong: what is wrong with options that could not be read.
    """
    return cli.comparing.run(source, data, compared, training, running, told, wrong=wrong)
