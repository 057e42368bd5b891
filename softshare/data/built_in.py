"""Data sets that come with scikit-learn: nothing needs to be downloaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from softshare.tasks.task_set import TaskSet
from softshare.tasks.vectors import Scaled


def digits() -> TaskSet:
    """Handwritten digits as ten tasks, each to tell one digit from the rest, all on the same 1,797
    images.

    The 8×8 images stand as vectors of 64 grey values from 0 to 1.
    """
    images, numbers = load_digits(return_X_y=True)
    scaled = Scaled(16.0)
    tasks = TaskSet.from_shared_inputs(
        scaled.transform(images), {f"digit {digit}": numbers == digit for digit in range(10)}
    )
    return replace(tasks, preprocessing=(scaled,))


def iris() -> TaskSet:
    """Three species of iris by 4 measures of the flower, 150 examples (one task)."""
    return TaskSet.from_arrays({"iris": _examples(load_iris())})


def wine() -> TaskSet:
    """Three growers of wine by 13 chemical measures, 178 examples (one task)."""
    return TaskSet.from_arrays({"wine": _examples(load_wine())})


def breast_cancer() -> TaskSet:
    """Benign or malignant by 30 measures of cell nuclei, 569 examples (one task)."""
    return TaskSet.from_arrays({"breast_cancer": _examples(load_breast_cancer())})


def classics() -> TaskSet:
    """Iris, wine and breast cancer together: three tasks with inputs and outputs of different
    sizes.
    """
    return TaskSet.from_arrays(
        {
            "iris": _examples(load_iris()),
            "wine": _examples(load_wine()),
            "breast_cancer": _examples(load_breast_cancer()),
        }
    )


def _examples(data: Any) -> tuple[np.ndarray, np.ndarray]:
    return data.data, data.target_names[data.target].astype(object)
