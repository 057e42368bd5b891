"""Which experiments there are, and where."""

from __future__ import annotations

import pytest

import softshare
from softshare.reproduction.found import (
    experiment_names,
    experiments_folder,
    read_experiment,
    results_folder,
)


def test_names_are_those_of_the_files():
    assert "dmtrl/table-2" in experiment_names()
    found = read_experiment("dmtrl/table-2")
    assert results_folder(found) == experiments_folder() / "dmtrl" / "table-2"
    assert read_experiment("dmtrl/table-2", quick=True).is_quick


@pytest.mark.parametrize("name", ["dmtrl/table-9", "../setup", "dmtrl/digits", "os", ""])
def test_nothing_else_is_imported(name):
    with pytest.raises(ValueError, match=r"there is no experiment .*dmtrl/table-2"):
        read_experiment(name)


def test_without_a_checkout_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(softshare, "__file__", str(tmp_path / "softshare" / "__init__.py"))
    with pytest.raises(ValueError, match="experiments come with the source checkout"):
        experiment_names()
