"""What a layer of a soft ordering does: a task's outputs as one scale goes from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from matplotlib.figure import Figure

from softshare.network.diagnostics import sweep_scale
from softshare.reproduction.drawings import Drawing
from softshare.reproduction.measures import Judged, network_of

if TYPE_CHECKING:
    from softshare.reproduction.results import Results

VALUES = (0.0, 0.25, 0.5, 0.75, 1.0)
PANEL = 0.8
"""Inches."""


def swept_images(
    judged: Judged,
    *,
    side: int,
    shown: int,
    n_tasks: int = 2,
    layer: int = 0,
    depths: int = 3,
) -> list[list[list[list[int]]]]:
    """Images whose pixels' brightness a task predicts from their places, as a scale is swept.

    Args:
        judged: tasks of all places of a square image, in the order of its rows.
        side: pixels a side of that image.
        shown: pixels a side that are kept.
        n_tasks: the first so many tasks.
        layer: whose scale.
        depths: at the first so many depths.

    Returns:
        Depth and task, value of the scale, image as one row of brightness from 0 to 99.
    """
    network = network_of(judged).network
    lines = torch.arange(shown) * side // shown
    places = (lines[:, None] * side + lines).flatten()
    of_pixels = np.asarray(judged.judged.sources[0][judged.judged.rows[: side * side]])
    inputs = torch.as_tensor(of_pixels, dtype=torch.float32)[places]
    rows = []
    for depth in range(depths):
        for task in judged.judged.tasks[:n_tasks]:
            images = sweep_scale(
                network, task.name, inputs, depth=depth, layer=layer, values=VALUES
            )
            bright = (99 * images[..., 0].clamp(0, 1)).round().int()
            rows.append(bright.tolist())
    return rows


@dataclass(frozen=True)
class Swept(Drawing):
    """A measure of :func:`swept_images`, of the first seed: a row for each depth and task, a column
    for each value of the scale.

    Args:
        measure: its name.
        contestant: whose.
        n_tasks: as there.
        case: name of the case; the first when empty.
        name: of the figure.
    """

    measure: str
    contestant: str
    n_tasks: int = 2
    case: str = ""
    name: str = "figure"

    def draw(
        self,
        results: Results,
    ) -> Figure:
        """See :meth:`Drawing.draw`."""
        case = self.case_of(results.experiment)
        records = list(results.of(case.name, self.contestant).values())[:1]
        rows = records[0]["measures"][self.measure] if records else []
        size = (PANEL * (len(VALUES) + 1), PANEL * max(1, len(rows)))
        figure = Figure(figsize=size, layout="constrained")
        if not rows:
            return figure
        panels = figure.subplots(len(rows), len(VALUES), squeeze=False)
        for number, row in enumerate(rows):
            depth, task = divmod(number, self.n_tasks)
            panels[number, 0].set_ylabel(f"{depth + 1}, {task + 1}")
            for axes, image, value in zip(panels[number], row, VALUES, strict=True):
                side = round(len(image) ** 0.5)
                axes.imshow(np.reshape(image, (side, side)), cmap="gray", vmin=0, vmax=99)
                axes.set_xticks([])
                axes.set_yticks([])
                if number == 0:
                    axes.set_title(f"{value:g}")
        return figure
