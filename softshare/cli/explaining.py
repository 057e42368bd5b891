"""What ``softshare explain`` does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from softshare.cli.compare import Told
from softshare.cli.model import Written
from softshare.cli.telling import tell_json
from softshare.cli.using import read_labelled
from softshare.files import write_text
from softshare.models.explanation import Explanation
from softshare.models.model import load_model
from softshare.report.explanation import show_explanation
from softshare.report.listing import console_on
from softshare.tasks.arguments import ArgumentError

ENDINGS = (".json", ".csv")


def run(
    folder: Path,
    table: str,
    out: Path | None,
    metric: str | None,
    repeats: int,
    seed: int,
    written: Written,
    told: Told,
) -> int:
    """See :func:`softshare.cli.explain.explain`.

    Returns:
        The exit code.

    Raises:
        ValueError: something cannot be right; the message says what.
    """
    if out is not None and out.suffix not in ENDINGS:
        raise ArgumentError(("out", f"{out} must end in {' or '.join(ENDINGS)}"))
    model = load_model(folder)
    rows = read_labelled(
        model,
        table,
        written,
    )
    found = model.explain(
        rows,
        metric=metric,
        repeats=repeats,
        seed=seed,
    )
    if out is not None:
        write_text(
            out,
            _as_file(
                found,
                out,
            ),
        )
    if told.json:
        tell_json(found.as_json())
    elif not told.quiet:
        show_explanation(
            found.as_json(),
            console_on(sys.stdout),
        )
    return 0


def _as_file(found: Explanation, path: Path) -> str:
    if path.suffix == ".json":
        return json.dumps(
            found.as_json(),
            indent=2,
        )
    text: str = found.tasks.to_csv(index=False)
    return text
