"""What figures of gains draw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from softshare.evaluation.statistics import verdicts
from softshare.report.gain_figures import gain_over_fractions, limits_of
from softshare.report.style import drawing, looks
from softshare.report.words import Scale


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
