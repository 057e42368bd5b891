"""Where results go that were not given a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from softshare.cli.results import default_folder


@pytest.mark.parametrize(("source", "targets", "name"), [
    ("digits", (), "digits"),
    ("data/visits.csv.gz", ("readmitted",), "visits-readmitted"),
    ("visits.csv", ("readmitted", "pain"), "visits-readmitted+pain"),
])  # fmt: skip
def test_it_is_called_after_the_source_and_its_targets(source, targets, name):
    assert default_folder(source, targets) == Path("softshare-results") / name


def test_no_two_choices_of_targets_share_one():
    choices = [
        ("a",),
        ("b",),
        ("a", "b"),
        ("a+b",),
        ("a/b",),
        ("a b",),
        ("..",),
        ("é",),
        ("\ud800",),
    ]
    choices += [tuple(f"assay-{number}" for number in range(count)) for count in (639, 640)]
    folders = {default_folder("table.csv", targets) for targets in choices}
    assert len(folders) == len(choices)
    for folder in folders:
        assert folder.parent == Path("softshare-results")
        assert len(folder.name) <= 80
