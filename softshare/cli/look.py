"""``softshare look``: its options."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from softshare import cli
from softshare.cli.compare import Data

AS_IT_STANDS = Data()


def look(
    source: str,
    /,
    *,
    data: Data = AS_IT_STANDS,
    wrong: Annotated[tuple[str, ...], Parameter(parse=False)] = (),
) -> int:
    """Show how the tasks, the target and every column are read, and why; nothing is trained.

    Takes the options of `softshare compare` that say how data are read, also as --config FILE.toml.

    Args:
        source: as for `softshare compare`.
        data: how to read a table.
        wrong: what is wrong with options that could not be read.
    """
    return cli.looking.run(source, data, wrong=wrong)
