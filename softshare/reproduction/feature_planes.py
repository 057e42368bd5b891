"""What networks hand to their output layer, task by task: how far apart the classes lie, and in a
plane.

Unlike :mod:`softshare.reproduction.embedding`, which lays the outputs of all tasks in one plane,
this is for tasks of different classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import silhouette_score

from softshare.network.features import penultimate_features
from softshare.report.style import PALETTE, colour
from softshare.reproduction.drawings import Drawing
from softshare.reproduction.embedding import in_plane
from softshare.reproduction.measures import Judged, network_of

if TYPE_CHECKING:
    from softshare.reproduction.results import Results

SIDE = 2.6
"""Inches of a panel."""

POINT = 6
"""Its area in square points."""


def silhouettes(
    judged: Judged,
    *,
    most: int,
) -> dict[str, float]:
    """Every task's mean silhouette (Rousseeuw 1987) of its classes among the features of its judged
    examples: 1 where classes are far apart and dense, 0 where they lie in one another.

    Args:
        judged: a network.
        most: examples of each task.
    """
    found = {}
    of_tasks = _features(judged, most)
    for task, (features, classes) in zip(judged.judged.tasks, of_tasks, strict=True):
        found[task.label] = float(silhouette_score(features, classes))
    return found


def mean_silhouette(
    judged: Judged,
    *,
    most: int,
) -> float:
    """The mean of the tasks' :func:`silhouettes`.

    Args:
        judged: a network.
        most: examples of each task.
    """
    return float(np.mean(list(silhouettes(judged, most=most).values())))


def feature_planes(
    judged: Judged,
    *,
    most: int,
) -> list[list[list[float]]]:
    """Every task's features in a plane of its own, by t-SNE.

    Args:
        judged: a network.
        most: examples of each task.

    Returns:
        Of every task's examples the two coordinates and the number of the class.
    """
    planes = []
    for features, classes in _features(judged, most):
        places = in_plane(features)
        rows = zip(places.tolist(), classes.tolist(), strict=True)
        planes.append([[x, y, int(kind)] for (x, y), kind in rows])
    return planes


def _features(
    judged: Judged,
    most: int,
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Features and classes of so many judged examples of every task, always the same ones."""
    tasks = judged.judged
    chosen = []
    for number in range(len(tasks)):
        own = np.arange(len(tasks.targets))[tasks.entries(number)]
        # Rows may come class by class: a fixed shuffle takes some of each.
        order = np.random.default_rng(number).permutation(len(own))
        chosen.append(np.sort(own[order[:most]]))
    few = tasks.select(np.concatenate(chosen))
    seen = penultimate_features(network_of(judged).network, few)
    found = []
    for number in range(len(seen)):
        inputs, targets = seen.examples(number)
        found.append((inputs.double().numpy(), targets.numpy()))
    return found


@dataclass(frozen=True)
class FeaturePlanes(Drawing):
    """A measure of :func:`feature_planes`, of the first seed: a panel a task, a colour a class.

    Args:
        measure: its name.
        contestant: whose.
        labels: of the tasks.
        case: name of the case; the first when empty.
        name: of the figure.
    """

    measure: str
    contestant: str
    labels: tuple[str, ...]
    case: str = ""
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        case = self.case_of(results.experiment)
        n_tasks = len(self.labels)
        figure = Figure(figsize=(SIDE * n_tasks, SIDE), layout="constrained")
        panels = figure.subplots(1, n_tasks, squeeze=False)[0]
        for axes, label in zip(panels, self.labels, strict=True):
            axes.set_title(label)
            axes.set_xticks([])
            axes.set_yticks([])
        series = [name for name in PALETTE if name.startswith("series-")]
        for record in list(results.of(case.name, self.contestant).values())[:1]:
            planes = record["measures"][self.measure]
            for axes, plane in zip(panels, planes, strict=True):
                x, y, kinds = np.array(plane).T
                for kind in np.unique(kinds):
                    own = colour(series[int(kind) % len(series)])
                    axes.scatter(x[kinds == kind], y[kinds == kind], POINT, color=own)
        return figure
