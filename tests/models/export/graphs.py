"""What a model's graph says, beside what the model says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from softshare.models.export.graph import graph_of
from softshare.models.export.inputs import graph_inputs
from softshare.models.model import Model
from softshare.tasks.task import TaskName


def said_by_graph(
    model: Model, rows: pd.DataFrame, names: Sequence[TaskName] = (), task: TaskName | None = None
) -> np.ndarray:
    """What the plain module says of rows."""
    given = graph_inputs(model, rows, names, task=task)
    tensors = {name: torch.from_numpy(values) for name, values in given.items()}
    with torch.no_grad():
        outputs: torch.Tensor = graph_of(model, task)(**tensors)
    return outputs.numpy()


def numbers_in(told: pd.DataFrame) -> np.ndarray:
    """Of a table of predictions: probabilities, or the numbers that are predicted."""
    probabilities = told.filter(like="P(")
    return (probabilities if len(probabilities.columns) else told.iloc[:, 0]).to_numpy()


def check_is_a_graph(model: Model, rows: pd.DataFrame, told: pd.DataFrame) -> None:
    """The graph of all tasks, and that of one, say what was told of rows of known tasks."""
    wanted = numbers_in(told)
    names = rows["school"].tolist()
    np.testing.assert_allclose(said_by_graph(model, rows, names), wanted, rtol=1e-5, atol=1e-5)
    one = str(model.tasks[2])
    mine = (rows["school"] == one).to_numpy()
    said = said_by_graph(model, rows[mine], task=one)
    np.testing.assert_allclose(said, wanted[mine], rtol=1e-5, atol=1e-5)
