"""Hinton diagrams: what their squares show, and which methods have one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex

from softshare.report.hinton import hinton_diagram
from softshare.report.page import write_report
from softshare.report.style import colour, drawing
from tests.report.sample_records import Sample, rewrite, write_sample


def test_the_area_of_a_square_is_the_size_of_the_correlation_and_its_colour_the_sign() -> None:
    correlation = np.array([[1.0, -0.25, 0.0], [-0.25, 1.0, 0.5], [0.0, 0.5, 1.0]])
    with drawing():
        (axes,) = hinton_diagram(correlation, ["a", "b", "c"]).axes
    found = np.zeros((3, 3))
    for squares in axes.collections:
        assert isinstance(squares, PolyCollection)
        sign = {colour("helped"): 1, colour("hurt"): -1}[to_hex(squares.get_facecolor()[0])]
        for path in squares.get_paths():
            (left, top), (right, bottom) = path.vertices.min(0), path.vertices.max(0)
            found[round((top + bottom) / 2), round((left + right) / 2)] = (
                sign * (right - left) * (bottom - top)
            )
    assert found == pytest.approx(found[0, 0] * correlation)
    assert 0.5 < found[0, 0] < 1  # the greatest fills most of its cell


def test_methods_that_learn_a_correlation_have_a_diagram(page_of: Callable[..., Any]) -> None:
    page = page_of(Sample(methods=("independent", "tied", "tensor-normal-drn")))
    assert "Correlations that were learned" in page.of("h3")
    spoken = [
        text for text in page.attributes("aria-label") if text.startswith("Task correlation with")
    ]
    assert len(spoken) == 1
    assert spoken[0].startswith("Task correlation with tensor-normal-drn. Most alike: digit")


def test_others_have_none(page_of: Callable[..., Any]) -> None:
    assert "Correlations that were learned" not in page_of(Sample()).text


def test_records_from_before_correlations_were_kept_are_read(tmp_path: Path) -> None:
    few = Sample(methods=("independent", "tied"), seeds=1, layers=("output",), harmed={})
    write_sample(tmp_path, few)
    for path in (tmp_path / "records").iterdir():
        rewrite(path, lambda record: record["sharing"].pop("task_correlation"))
    assert "Correlations that were learned" not in write_report(tmp_path).read_text(
        encoding="utf-8"
    )
