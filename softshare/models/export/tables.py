"""What modules of estimators are made of: numbers in double precision, and tasks' places."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from softshare.shallow.rows import Codes, task_codes


def codes_of(estimator: Any, numbers: np.ndarray) -> Codes:
    """The place of each task in the estimator's own order, -1 where it had no rows."""
    return task_codes(numbers, estimator.tasks_)


def double(values: Any) -> Tensor:
    """Numbers as a tensor."""
    return torch.tensor(np.asarray(values), dtype=torch.float64)
