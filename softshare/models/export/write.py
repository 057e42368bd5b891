"""A model's graph as a file, of ONNX or of PyTorch's own form."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch.export import Dim, ExportedProgram

from softshare.models.export.graph import Graph, graph_of
from softshare.models.export.inputs import description_of
from softshare.tasks.task import TaskName

if TYPE_CHECKING:
    from softshare.models.model import Model

Format = Literal["onnx", "torch"]

FORMATS: tuple[Format, ...] = ("onnx", "torch")

ENDINGS: dict[str, Format] = {".onnx": "onnx", ".pt2": "torch"}
"""Of files, by which a format is known that was not named."""

NEEDED = ("onnx", "onnxscript")
"""Packages that writing ONNX needs."""

DESCRIPTION = "softshare.json"
"""Under this name a file holds what its graph takes and gives."""


def export(
    model: Model,
    path: str | Path,
    *,
    format: Format | None = None,
    task: TaskName | None = None,
) -> Path:
    """Write a model as one graph, which runs without this library.

    Args:
        model: any model.
        path: of the file.
        format: ``"onnx"``, or ``"torch"`` for what ``torch.export.load`` reads; by the ending of
            the path when None.
        task: the only task that it is to know; all, with one more input that says whose a row is,
            when None.

    Raises:
        ValueError: the format is not known, or the model has no form as one graph.
        KeyError: there is no such task.
        ImportError: packages that write ONNX are missing; names the extra that brings them.
        OSError: the file cannot be written.
    """
    path = Path(path)
    chosen = format or ENDINGS.get(path.suffix)
    if chosen not in FORMATS:
        told = repr(format) if format else f"none, and {path.name!r} ends with none of its endings"
        raise ValueError(f"format must be {' or '.join(FORMATS)}, got {told}")
    if chosen == "onnx":
        _need_packages()
    graph = graph_of(model, task)
    description = description_of(model, task)
    program = traced(graph, description)
    text = json.dumps(description, ensure_ascii=False)
    write = _write_onnx if chosen == "onnx" else _write_torch
    try:
        _write_whole(
            path,
            partial(
                write,
                program,
                text,
                description,
            ),
        )
    except OSError as error:
        told = f"cannot write {path}: {error.strerror or error}; choose another file (out)"
        raise OSError(told) from error
    return path


def traced(graph: Graph, description: dict[str, Any]) -> ExportedProgram:
    """A graph as an exported program whose number of rows is free.

    Args:
        graph: of a model.
        description: of what it takes.
    """
    rows = Dim("rows")
    given = {}
    shapes = {}
    for name, told in description["inputs"].items():
        _, *width = told["shape"]
        dtype = getattr(torch, told["type"])
        # Three rows: of one, or of as many as something else, the number would become a constant.
        given[name] = torch.zeros(3, *width, dtype=dtype)
        shapes[name] = {0: rows}
    with torch.no_grad(), _quiet():
        return torch.export.export(
            graph,
            (),
            kwargs=given,
            dynamic_shapes=shapes,
        )


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let a file take its name only when it is whole, and what was written beside it with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=path.parent, prefix=".softshare-") as folder:
        # Under its own name: numbers of more than two gigabytes stand in a file that it names.
        write(Path(folder) / path.name)
        for file in Path(folder).iterdir():
            file.replace(path.parent / file.name)


def _write_onnx(
    program: ExportedProgram,
    text: str,
    description: dict[str, Any],
    path: Path,
) -> None:
    with _quiet():
        made = torch.onnx.export(
            program,
            output_names=list(description["outputs"]),
            dynamo=True,
            verbose=False,
        )
        assert made is not None
        made.model.metadata_props[DESCRIPTION] = text
        made.save(str(path))


def _write_torch(
    program: ExportedProgram,
    text: str,
    description: dict[str, Any],
    path: Path,
) -> None:
    program.example_inputs = None  # which would be the file's only pickle
    with _quiet():
        torch.export.save(
            program,
            path,
            extra_files={DESCRIPTION: text},
        )


def _need_packages() -> None:
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"writing ONNX needs {' and '.join(missing)}: pip install 'softshare[export]'"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what the exporters say of themselves to themselves: deprecated calls inside torch, and
    packages that this has no use for.
    """
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            # Told of tensors without a number in them, which share the address of nothing.
            warnings.filterwarnings("ignore", message="No complete tensor found")
            yield
    finally:
        logger.setLevel(before)
