"""What figures draw, and how names and numbers are written."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

from softshare.evaluation.statistics import verdicts
from softshare.report.figures import clustered
from softshare.report.gain_figures import gain_over_fractions, limits_of
from softshare.report.style import drawing, looks, svg
from softshare.report.words import Scale


def test_clustering_puts_the_tasks_of_a_group_side_by_side():
    groups = np.array([0, 1, 2, 0, 1, 2, 0, 1, 2])
    similarity = np.where(groups[:, None] == groups, 0.9, 0.1) + 0.1 * np.eye(9)
    ordered = groups[clustered(similarity)]
    assert np.count_nonzero(np.diff(ordered)) == 2


@pytest.mark.parametrize("n_tasks", [1, 2, 3])
def test_clustering_orders_few_tasks_and_missing_pairs(n_tasks):
    assert sorted(clustered(np.full((n_tasks, n_tasks), np.nan))) == list(range(n_tasks))


def test_a_verdict_needs_an_interval_on_one_side_of_zero():
    rows = pd.DataFrame(
        {"ci_low": [0.1, -0.2, -0.1, np.nan, 0.0], "ci_high": [0.2, -0.1, 0.1, np.nan, 0.1]}
    )
    assert list(verdicts(rows)) == ["helped", "hurt", "undecided", "undecided", "undecided"]


def test_many_methods_leave_the_panel_its_height():
    def height(n_methods):
        rows = pd.DataFrame(
            {
                "method": [f"method {number}" for number in range(n_methods)] * 2,
                "fraction": [0.1] * n_methods + [1.0] * n_methods,
            }
        )
        rows[["gain", "ci_low", "ci_high"]] = [0.1, 0.0, 0.2]
        with drawing():
            figure = gain_over_fractions(rows, looks(rows["method"].unique()), scale=Scale())
            figure.draw_without_rendering()
        return figure.axes[0].get_position().height * figure.get_size_inches()[1]

    assert height(15) > 0.9 * height(2)


def test_a_single_wide_interval_does_not_dwarf_the_others():
    rows = pd.DataFrame(
        {"gain": [0.01] * 60, "ci_low": [0.0] * 59 + [-9.0], "ci_high": [0.02] * 59 + [9.0]}
    )
    assert limits_of(rows)[1] < 0.1
    assert limits_of(rows.iloc[:59])[1] > 0.02


def test_drawing_leaves_no_settings_behind():
    before = dict(rcParams)
    with drawing():
        figure = Figure()
        figure.subplots().plot([0, 1])
        svg(figure, "a")
    assert dict(rcParams) == before


def test_figures_of_one_page_have_no_id_in_common():
    with drawing():
        figure = Figure()
        figure.subplots().plot([0, 1], marker="o")
        first, second = (svg(figure, name) for name in ("first", "second"))
    assert 'id="first-' in first
    assert 'id="first-' not in second
    assert first.replace("first-", "second-") == second


def test_every_method_has_a_look_of_its_own():
    methods = ["independent", *(f"method {number}" for number in range(12))]
    chosen = looks(methods)
    assert len({(look.colour, look.marker) for look in chosen.values()}) == len(methods)
