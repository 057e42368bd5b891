"""``softshare reproduce``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from softshare import cli
from softshare.cli.compare import Told

ON_THE_TERMINAL = Told()

_FLAG = Parameter(negative="", show_default=False)


def reproduce(
    name: str | None = None,
    /,
    *,
    list_all: Annotated[bool, Parameter(name="--list", negative="", show_default=False)] = False,
    page: Annotated[bool, _FLAG] = False,
    quick: Annotated[bool, _FLAG] = False,
    seeds: int | None = None,
    cases: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    out: Path | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Run a published table or figure again, and say which of its claims hold.

    A run whose record is in the output folder is not run again: the same command goes on where it
    was stopped.

    Args:
        name: paper and place, such as dmtrl/table-2; --list has them all.
        list_all: list the experiments: what each shows, its minutes, its data, its records.
        page: make all tables, figures and docs/results.md again, from committed records.
        quick: a tiny version in seconds, which shows that all of it works and nothing else.
        seeds: how many; by default as many as the experiment says.
        cases: run these cases only.
        out: folder for the results; by default that of the committed records, and
            softshare-results/quick/NAME with --quick.
        workers: processes; by default one a CPU, with --quick none; 0 runs in this process.
        cluster: address of a Dask scheduler to run on, whose workers have this checkout too.
        told: how this tells what it did.
    """
    return cli.reproducing.run(
        name,
        list_all=list_all,
        page=page,
        quick=quick,
        seeds=seeds,
        cases=cases,
        out=out,
        workers=workers,
        cluster=cluster,
        told=told,
    )
