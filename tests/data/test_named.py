"""The list of named data sets, and what adding one costs."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from softshare.data import named
from softshare.data.load import load, public_sets
from softshare.data.named import SOURCES, NamedSource, default_fraction
from softshare.data.public import PublicSet

PASTURES = """
from softshare.data.public import PublicSet
from softshare.tasks.task_set import TaskSet

SET = PublicSet("pastures", "made up", "nobody", "", "https://home", files=())


def load() -> TaskSet:
    return TaskSet.from_arrays(
        {"north": ([[1.0], [2.0]], [0, 1]), "south": ([[3.0], [4.0]], [1, 0])}
    )
"""


@pytest.mark.parametrize("source", SOURCES, ids=[source.name for source in SOURCES])
def test_every_line_leads_to_a_function_and_only_public_sets_have_files(
    source: NamedSource,
) -> None:
    module = import_module(source.module)
    assert callable(getattr(module, source.function))
    assert isinstance(getattr(module, "SET", None), PublicSet) == source.public
    assert 0 < source.default_fraction <= 1


def test_names_differ() -> None:
    assert len({source.name for source in SOURCES}) == len(SOURCES)


def test_a_tenth_trains_by_default_where_labels_abound() -> None:
    few = {source.name for source in SOURCES if source.default_fraction == 0.1}
    assert few == {
        "digits",
        "omniglot",
        "omniglot-groups",
        "office-caltech",
        "office-caltech-surf",
        "office-caltech-googlenet",
        "imageclef-da",
    }
    assert default_fraction("digits") == 0.1
    assert default_fraction("mnist") == 1.0
    assert default_fraction(Path("visits.csv")) == 1.0


def test_a_source_is_one_file_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pastures_of_a_test.py").write_text(PASTURES, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    line = NamedSource("pastures", "pastures_of_a_test", "load", default_fraction=0.5)
    monkeypatch.setattr(named, "SOURCES", (*SOURCES, line))
    assert load("pastures").names == ("north", "south")
    assert load("pastures", n_tasks=1).names == ("north",)
    assert default_fraction("pastures") == 0.5
    assert public_sets()["pastures"].title == "made up"
    with pytest.raises(ValueError, match=r"did you mean 'pastures'"):
        load("pasture")
    sys.modules.pop("pastures_of_a_test")
