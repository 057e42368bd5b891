"""A comparison says in one line what it found."""

from __future__ import annotations

from softshare.evaluation.comparison import Comparison
from tests.evaluation.made_records import record


def found(**more) -> Comparison:
    runs = [record("independent", seed, {"<a>": 0.5, "b": 0.5}) for seed in range(3)]
    for seed in range(3):
        runs.append(record("tied", seed, {"<a>": 0.6 + seed / 100, "b": 0.5 - seed / 100}))
    return Comparison(tuple(runs), **more)


def test_it_is_told_in_one_short_line():
    text = repr(found())
    assert text.startswith("Comparison(6 runs, 2 methods, 2 tasks, 3 seeds: ")
    assert found().answer in text
    assert len(text) < 400
    assert "1 failed" in repr(found(failures={"tied-f1-s4": MemoryError()}))


def test_a_notebook_shows_answer_table_and_cautions():
    comparison = found()
    for run in comparison.records:
        run["data"]["tasks"][0]["n_test"] = 4
    html = comparison._repr_html_()
    assert "<table" in html
    assert "tied" in html
    assert "<li>1 task with fewer than 10 test rows" in html
    assert "&lt;a&gt;" in html
    assert "<a>" not in html
