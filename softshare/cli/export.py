"""``softshare export``: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from softshare import cli
from softshare.cli.compare import Told
from softshare.cli.model import ON_THE_TERMINAL


def export(
    model: Path,
    /,
    *,
    out: Path,
    task: str | None = None,
    format: Literal["onnx", "torch"] | None = None,
    told: Told = ON_THE_TERMINAL,
) -> int:
    """Write a model as one graph, which runs without softshare.

    Its inputs are the table's columns as numbers and codes, and whose task a row is; what they are
    stands in the file. Predictions are in own units, or probabilities.

    Args:
        model: folder that `softshare fit` has written.
        out: file of the graph (.onnx or .pt2).
        task: the only task that it is to know; by default all of them.
        format: onnx (for onnxruntime), or torch (for torch.export.load); by default what the
            ending of the file says.
        told: how this tells what it did.
    """
    return cli.exporting.run(model, out, task, format, told)
