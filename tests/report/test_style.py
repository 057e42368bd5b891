"""How figures look, and what they leave behind."""

from __future__ import annotations

from matplotlib import rcParams
from matplotlib.figure import Figure

from softshare.report.style import drawing, looks, svg


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
